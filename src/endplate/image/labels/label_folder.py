"""A folder of labels: one mask per vertebra, a vertebra map with its sub-region map, or one DICOM SEG."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from endplate.errors import LabelError
from endplate.image.dicom.files import files_of
from endplate.image.error_text import name_of
from endplate.image.file_type import is_dicom
from endplate.image.labels.label_map import bare_name, labels_from_nifti, same_grid_mm, subregions
from endplate.image.labels.level_name import level_from_name
from endplate.image.labels.merge import Merged
from endplate.image.labels.whole import whole_labels
from endplate.image.limits import DEFAULT, ReadSettings
from endplate.image.nifti.file import NiftiImage, read_nifti
from endplate.image.orient import LPS_AXES
from endplate.image.series_ref import SeriesRef
from endplate.image.volume import Grid, LabelMap
from endplate.level import Level

_SUBREGION_WORDS = ("subreg", "subregion")
_MAP_WORDS = ("seg", "msk", "mask", "labels")


def read_label_folder(folder: Path, scheme: str | Path | None = None, settings: ReadSettings = DEFAULT) -> LabelMap:
    """Labels from a folder.

    Either every vertebra has a file named after it (vertebrae_L1.nii.gz), or the folder holds one vertebra map and,
    if wanted, one TPTBox sub-region map whose name contains `subreg`, or one DICOM SEG, beside its CT or alone.

    Raises
    ------
    LabelError : none of them, masks on different grids, or masks that overlap.
    """
    inside = [path for path in files_of(folder, settings.limits, deep=False) if not path.name.startswith(".")]
    files = [path for path in inside if path.name.endswith((".nii", ".nii.gz"))]
    masks = _masks_by_level(files)
    if masks:
        return _merge_masks(folder, masks, files, settings)
    if not files and (seg := _only_seg(folder, inside, settings)) is not None:
        from endplate.image.labels.dicom_seg import read_dicom_seg

        return read_dicom_seg(seg, settings)
    sub = [p for p in files if any(word in p.name.lower() for word in _SUBREGION_WORDS)]
    maps = [p for p in files if p not in sub]
    if len(maps) > 1:  # a data set's folder holds the CT beside them
        maps = [p for p in maps if any(word in p.name.lower() for word in _MAP_WORDS)]
    if len(maps) != 1 or len(sub) > 1:
        raise LabelError(
            f"{folder} holds {len(maps)} label maps and {len(sub)} sub-region maps",
            "one file named after each vertebra, or one vertebra map, is needed",
            "give the file itself",
        )
    labels = labels_from_nifti(maps[0], scheme, settings)
    return with_subregions(labels, sub[0], settings) if sub else labels


def _only_seg(folder: Path, files: list[Path], settings: ReadSettings) -> Path | None:
    """The one DICOM SEG of a folder, which may hold its CT as well; None without DICOM files."""
    dicom = [path for path in files if is_dicom(path)]
    if not dicom:
        return None
    from endplate.image.dicom.opened import opened

    segs = [path for path in dicom if opened(path, settings.limits)[1].get("Modality", "").upper() == "SEG"]
    if len(segs) != 1:
        raise LabelError(
            f"{folder} holds {len(segs)} DICOM SEG objects among {len(dicom)} DICOM files",
            "one is needed",
            "give the SEG file itself",
        )
    return segs[0]


def _masks_by_level(files: list[Path]) -> dict[Level, Path]:
    """Level to the mask named after it; the whole sacrum stands for S1 only where S1 has no mask of its own."""
    masks: dict[Level, Path] = {}
    for path in sorted(files, key=lambda p: bare_name(p).lower() == "sacrum"):
        level = level_from_name(bare_name(path))
        if level is not None and level in masks and bare_name(path).lower() != "sacrum":
            raise LabelError(f"{name_of(masks[level])} and {name_of(path)} both name {level}", "", "keep one of them")
        if level is not None:
            masks.setdefault(level, path)
    return masks


def with_subregions(labels: LabelMap, path: Path, settings: ReadSettings = DEFAULT) -> LabelMap:
    """The same labels with the TPTBox sub-region codes of the file at `path`, which must lie on the same grid."""
    image = read_nifti(path, settings)
    codes = subregions(image, labels.grid, name_of(path))
    return replace(labels, subregion=codes, notes=(*labels.notes, f"sub-regions from {name_of(path)}"))


def _merge_masks(folder: Path, masks: dict[Level, Path], files: list[Path], settings: ReadSettings) -> LabelMap:
    """One label map from one mask per level."""
    merged: Merged | None = None
    apart, axes = 0.0, LPS_AXES
    for level in sorted(masks, key=lambda lv: lv.order):
        image, name = read_nifti(masks[level], settings), name_of(masks[level])
        if merged is None:
            merged, axes = Merged(image.grid, image.notes), image.axes
        apart = max(apart, _check_grid(image, merged.grid, name))
        if not image.values.any():
            continue  # TotalSegmentator writes an empty mask for each vertebra outside the scan
        found = whole_labels(image.values, name, settings.limits)
        if len(found.present) > 1:
            raise LabelError(f"{name} holds several values", "it is no mask of one vertebra", "give a mask of 0 and 1")
        merged.add(level, found.numbers > 0, name)
    if merged is None or not merged.labels.any():
        raise LabelError(f"{folder}: every vertebra mask is empty", "", "segment a scan that shows the spine")
    if apart > 1e-3:
        merged.notes.append(f"the masks' headers place them up to {apart:.3f} mm apart; they are taken as one grid")
    if len(files) > len(masks):
        merged.notes.append(f"{len(files) - len(masks)} masks of other structures were left out")
    return LabelMap(
        grid=merged.grid, labels=merged.labels, scheme="one mask per vertebra", series=SeriesRef(path=str(folder)),
        notes=tuple(merged.notes), axes=axes,
    )  # fmt: skip


def _check_grid(image: NiftiImage, grid: Grid, name: str) -> float:
    """How far the corners of a mask lie beside the grid of the others, mm."""
    if not image.grid.matches(grid, same_grid_mm(grid)):
        seen = f"{image.grid.shape} voxels, {image.grid.apart_mm(grid):.2f} mm apart"
        raise LabelError(f"{name} lies on another grid than the masks beside it ({seen})", "", "export all on one grid")
    return image.grid.apart_mm(grid)
