"""A folder of labels: one mask per vertebra, or a vertebra map with its sub-region map."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from endplate.cited import cited
from endplate.errors import LabelError
from endplate.image.labels.dicom_seg import read_dicom_seg
from endplate.image.labels.label_map import bare_name, labels_from_nifti, subregions, whole_labels
from endplate.image.labels.level_name import level_from_name
from endplate.image.nifti.file import read_nifti
from endplate.image.volume import LabelMap, SeriesRef
from endplate.level import Level

MAX_OVERLAP = cited(
    0.05, "1", "touching masks share a rim of voxels after resampling; more means the same bone twice", "design"
)
_SUBREGION_WORDS = ("subreg", "subregion")


def read_label_folder(folder: Path, scheme: str | Path | None = None) -> LabelMap:
    """Labels from a folder.

    Either every vertebra has a file named after it (vertebrae_L1.nii.gz), or the folder holds one vertebra map and,
    if wanted, one TPTBox sub-region map whose name contains `subreg`.

    Raises
    ------
    LabelError : neither, masks on different grids, or masks that overlap.
    """
    files = sorted(p for p in folder.iterdir() if p.name.endswith((".nii", ".nii.gz")) and not p.name.startswith("."))
    masks = _masks_by_level(files)
    if masks:
        return _merge_masks(folder, masks, files)
    series = [p for p in folder.iterdir() if p.suffix.lower() == ".dcm"]
    if not files and len(series) == 1:
        return read_dicom_seg(series[0])
    sub = [p for p in files if any(word in p.name.lower() for word in _SUBREGION_WORDS)]
    maps = [p for p in files if p not in sub]
    if len(maps) > 1:  # a data set's folder holds the CT beside them
        maps = [p for p in maps if any(word in p.name.lower() for word in ("seg", "msk", "mask"))]
    if len(maps) != 1 or len(sub) > 1:
        raise LabelError(
            f"{folder} holds {len(maps)} label maps and {len(sub)} sub-region maps",
            "one file named after each vertebra, or one vertebra map, is needed",
            "give the file itself",
        )
    labels = labels_from_nifti(maps[0], scheme)
    return with_subregions(labels, sub[0]) if sub else labels


def _masks_by_level(files: list[Path]) -> dict[Level, Path]:
    """Level to the mask named after it; the whole sacrum stands for S1 only where S1 has no mask of its own."""
    masks: dict[Level, Path] = {}
    for path in sorted(files, key=lambda p: bare_name(p).lower() == "sacrum"):
        level = level_from_name(bare_name(path))
        if level is not None and level in masks and bare_name(path).lower() != "sacrum":
            raise LabelError(f"{masks[level].name} and {path.name} both name {level}", "", "keep one of them")
        if level is not None:
            masks.setdefault(level, path)
    return masks


def with_subregions(labels: LabelMap, path: Path) -> LabelMap:
    """The same labels with the TPTBox sub-region codes of the file at `path`, which must lie on the same grid."""
    image = read_nifti(path)
    codes = subregions(image, labels.grid, path.name)
    return LabelMap(
        grid=labels.grid, labels=labels.labels, scheme=labels.scheme, subregion=codes, series=labels.series,
        notes=(*labels.notes, f"sub-regions from {path.name}"),
    )  # fmt: skip


def _merge_masks(folder: Path, masks: dict[Level, Path], files: list[Path]) -> LabelMap:
    """One label map from one mask per level; the first level keeps a voxel that two claim."""
    grid, merged, notes = None, np.zeros(0, np.uint16), []
    for level in sorted(masks, key=lambda lv: lv.order):
        image = read_nifti(masks[level])
        if grid is None:
            grid, merged = image.grid, np.zeros(image.grid.shape, np.uint16)
            notes += list(image.notes)
        if not image.grid.matches(grid):
            raise LabelError(
                f"{masks[level].name} lies on another grid than the masks beside it", "", "export all on one grid"
            )
        if image.values.max() == 0:
            continue  # TotalSegmentator writes an empty mask for each vertebra outside the scan
        numbers = whole_labels(image.values, masks[level].name)
        mask = numbers > 0
        if (numbers[mask] != numbers.max()).any():
            raise LabelError(
                f"{masks[level].name} holds several values", "it is no mask of one vertebra", "give a mask of 0 and 1"
            )
        shared = int(np.count_nonzero(merged[mask]))
        if shared > MAX_OVERLAP * np.count_nonzero(mask):
            raise LabelError(
                f"{masks[level].name} covers {shared} voxels of another vertebra",
                "the same bone has two names",
                "correct the masks",
            )
        if shared:
            notes.append(f"{shared} voxels of {level} were also claimed by the level above")
        merged[mask & (merged == 0)] = level.verse_id
    if grid is None or not merged.any():
        raise LabelError(f"{folder}: every vertebra mask is empty", "", "segment a scan that shows the spine")
    skipped = len(files) - len(masks)
    if skipped:
        notes.append(f"{skipped} masks of other structures were left out")
    return LabelMap(
        grid=grid, labels=merged, scheme="one mask per vertebra", series=SeriesRef(path=str(folder)), notes=tuple(notes)
    )
