"""Vertebra labels from a DICOM SEG object."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.errors import ImageError, LabelError
from endplate.image.dicom.opened import opened
from endplate.image.error_text import name_of, one_line
from endplate.image.labels.level_name import level_from_name
from endplate.image.labels.merge import Merged
from endplate.image.limits import DEFAULT, RAISE, Limits, ReadSettings
from endplate.image.orient import closest_lps
from endplate.image.series_ref import SeriesRef
from endplate.image.volume import Grid, LabelMap
from endplate.level import Level

_EXPORT = "export the segmentation as NIfTI"
_MAX_NAMES = 6


def read_dicom_seg(path: Path, settings: ReadSettings = DEFAULT) -> LabelMap:
    """Labels from a DICOM SEG whose segments are named or coded as vertebrae.

    Segments that are no vertebra are left out and counted in the notes; a rim of voxels that two segments share goes
    to one of them.

    Raises
    ------
    LabelError : highdicom is not installed, the file is no SEG, is damaged, overlaps, names no vertebra, or is larger
        than the limits.
    """
    try:
        import highdicom as hd
    except ImportError as error:
        raise LabelError("DICOM SEG needs highdicom", "it is not installed", "pip install 'endplate[dicom]'") from error
    _check_claim(path, settings.limits)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # what is odd but readable is no news to the user
            seg = hd.seg.segread(str(path))
            levels, others = _levels(seg)
            if not levels:
                raise LabelError(
                    f"{name_of(path)} has no segment named after a vertebra: {', '.join(others[:_MAX_NAMES])}",
                    "",
                    "name segments such as L1",
                )
            merged = _merged(path, seg, levels)
            return _label_map(path, seg, merged, len(others))
    except LabelError:
        raise
    except Exception as error:  # highdicom and pydicom raise many kinds on what is no sound SEG
        raise LabelError(f"{name_of(path)} cannot be read as DICOM SEG: {one_line(error)}", "", _EXPORT) from error


def named_levels(header: Any) -> list[Level]:
    """Vertebrae that the segments of a SEG are coded or named as, from its header alone.

    Parameters
    ----------
    header : pydicom.Dataset
        Of a SEG; its pixels are not needed.
    """
    found = []
    for segment in header.get("SegmentSequence") or ():
        codes = segment.get("SegmentedPropertyTypeCodeSequence") or ()
        level = _level_of(
            str(codes[0].get("CodeMeaning") or "") if codes else "", str(segment.get("SegmentLabel") or "")
        )
        if level is not None:
            found.append(level)
    return found


def _check_claim(path: Path, limits: Limits) -> None:
    """Refuse what is no SEG, and more frames or voxels than the limits, before anything is decoded."""
    try:
        header, facts = opened(path, limits)
    except ImageError as error:
        raise LabelError(error.what, error.why, error.fix) from error
    kind = facts.get("Modality", "").upper()
    if kind != "SEG":
        raise LabelError(
            f"{name_of(path)} is a DICOM file of modality {kind or 'unknown'}, not a DICOM SEG",
            "labels are read from DICOM SEG or NIfTI",
            _EXPORT,
        )
    try:
        sizes = [int(header.get(key) or 0) for key in ("NumberOfFrames", "Rows", "Columns")]
    except (TypeError, ValueError) as error:
        raise LabelError(f"{name_of(path)} is a damaged DICOM SEG: {one_line(error)}", "", _EXPORT) from error
    if sizes[0] > limits.frames or sizes[0] * sizes[1] * sizes[2] > limits.voxels:
        raise LabelError(
            f"{name_of(path)} claims {sizes[0]} frames of {sizes[1]} x {sizes[2]}",
            f"at most {limits.frames} frames and {limits.voxels} voxels are read",
            RAISE,
        )


def _levels(seg: Any) -> tuple[dict[int, Level], list[str]]:
    """Segment number to level, and the names of segments that are none; two segments of one level are refused."""
    levels: dict[int, Level] = {}
    others: list[str] = []
    for number in seg.segment_numbers:
        description = seg.get_segment_description(number)
        level = _level_of(str(description.segmented_property_type.meaning), str(description.segment_label))
        if level is None:
            others.append(str(description.segment_label))
        elif level in levels.values():
            raise ValueError(f"two segments are {level}")
        else:
            levels[int(number)] = level
    return levels, others


def _level_of(meaning: str, label: str) -> Level | None:
    """The level by the coded structure's meaning, else by the free label."""
    level = level_from_name(meaning)
    return level if level is not None else level_from_name(label)


def _merged(path: Path, seg: Any, levels: dict[int, Level]) -> Merged:
    """The vertebrae's segments as one map, from head to foot."""
    merged: Merged | None = None
    for number, level in sorted(levels.items(), key=lambda item: item[1].order):
        volume = seg.get_volume(segment_numbers=[number], combine_segments=True, relabel=True)
        mask, affine = closest_lps(_plane_mask(volume), np.asarray(volume.affine, float))
        i, j, k = mask.shape
        merged = merged or Merged(Grid(shape=(i, j, k), affine=affine))
        merged.add(level, mask, f"segment {level} of {name_of(path)}")
    if merged is None or not merged.labels.any():
        raise LabelError(f"{name_of(path)} is empty", "no voxel has a label", _EXPORT)
    return merged


def _plane_mask(volume: Any) -> NDArray[np.bool_]:
    mask: NDArray[np.bool_] = np.asarray(volume.array) > 0
    return mask if mask.ndim == 3 else np.any(mask, axis=-1)


def _label_map(path: Path, seg: Any, merged: Merged, others: int) -> LabelMap:
    series = SeriesRef(
        path=str(path),
        modality="SEG",
        study_uid=_uid(seg, "StudyInstanceUID"),
        series_uid=_uid(seg, "SeriesInstanceUID"),
        frame_of_reference_uid=_uid(seg, "FrameOfReferenceUID"),
    )
    notes = tuple(merged.notes)
    notes += (f"{others} segments of other structures were left out",) if others else ()
    return LabelMap(grid=merged.grid, labels=merged.labels, scheme="DICOM SEG", series=series, notes=notes)


def _uid(seg: Any, key: str) -> str | None:
    """A UID as text; None where it is missing, which no measurement depends on."""
    return str(seg.get(key) or "") or None
