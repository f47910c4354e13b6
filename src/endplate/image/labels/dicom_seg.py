"""Vertebra labels from a DICOM SEG object."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np

from endplate.errors import LabelError
from endplate.image.error_text import one_line
from endplate.image.labels.level_name import level_from_name
from endplate.image.orient import closest_lps
from endplate.image.volume import Grid, LabelMap, SeriesRef
from endplate.level import Level

_EXPORT = "export the segmentation as NIfTI"


def read_dicom_seg(path: Path) -> LabelMap:
    """Labels from a DICOM SEG whose segments are named or coded as vertebrae.

    Segments that are no vertebra are left out and counted in the notes.

    Raises
    ------
    LabelError : highdicom is not installed, the file is no SEG, is damaged, overlaps, or names no vertebra.
    """
    try:
        import highdicom as hd
    except ImportError as error:
        raise LabelError("DICOM SEG needs highdicom", "it is not installed", "pip install 'endplate[dicom]'") from error
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is odd but readable is no news to the user
            seg = hd.seg.segread(str(path))
            levels, others = _levels(seg)
            if levels:
                volume = seg.get_volume(
                    segment_numbers=sorted(levels), combine_segments=True, relabel=False, skip_overlap_checks=False
                )
    except Exception as error:  # highdicom and pydicom raise many kinds on what is no sound SEG
        raise LabelError(f"{path.name} cannot be read as DICOM SEG: {one_line(error)}", "", _EXPORT) from error
    if not levels:
        raise LabelError(
            f"{path.name} has no segment named after a vertebra: {', '.join(others[:6])}",
            "",
            "name segments such as L1",
        )
    return _label_map(path, seg, volume, levels, len(others))


def _levels(seg: Any) -> tuple[dict[int, Level], list[str]]:
    """Segment number to level, and the names of segments that are none; two segments of one level are refused."""
    levels: dict[int, Level] = {}
    others: list[str] = []
    for number in seg.segment_numbers:
        description = seg.get_segment_description(number)
        level = _coded_level(description)
        if level is None:
            others.append(str(description.segment_label))
        elif level in levels.values():
            raise ValueError(f"two segments are {level}")
        else:
            levels[int(number)] = level
    return levels, others


def _coded_level(description: Any) -> Level | None:
    """The level by the coded structure's meaning, else by the free label."""
    for text in (description.segmented_property_type.meaning, description.segment_label):
        level = level_from_name(str(text))
        if level is not None:
            return level
    return None


def _label_map(path: Path, seg: Any, volume: Any, levels: dict[int, Level], others: int) -> LabelMap:
    table = np.zeros(max(levels) + 1, np.uint16)
    for number, level in levels.items():
        table[number] = level.verse_id
    array = np.asarray(volume.array)
    labels, affine = closest_lps(table[array], np.asarray(volume.affine, float))
    if not labels.any():
        raise LabelError(f"{path.name} is empty", "no voxel has a label", _EXPORT)
    i, j, k = labels.shape
    series = SeriesRef(
        path=str(path),
        modality="SEG",
        study_uid=str(seg.StudyInstanceUID),
        series_uid=str(seg.SeriesInstanceUID),
        frame_of_reference_uid=str(getattr(seg, "FrameOfReferenceUID", "")) or None,
    )
    notes = (f"{others} segments of other structures were left out",) if others else ()
    return LabelMap(
        grid=Grid(shape=(i, j, k), affine=affine), labels=labels, scheme="DICOM SEG", series=series, notes=notes
    )
