"""Vertebrae, bodies, simulated cement and cavities as DICOM SEG."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydicom.sr.codedict import codes
from pydicom.sr.coding import Code

from endplate.dicom_export.code_table import level_code, named
from endplate.dicom_export.object_header import MANUFACTURER, MODEL, RESEARCH, SERIAL, SERIES, Context, finished
from endplate.dicom_export.placed_volume import placed, segmentation_grid
from endplate.image.volume import Grid
from endplate.level import Level

SegmentationKind = Literal["binary", "labelmap"]
FILLED_PERCENT = 50
"""Per cent of a voxel's pores from which it counts as cement, as in the surface that is written beside it."""
COLOURS = ((221, 130, 101), (111, 184, 210), (128, 174, 128), (216, 101, 79), (241, 214, 145), (177, 122, 101))
"""Display colours of segments (RGB), repeated from head to foot."""


@dataclass(frozen=True, kw_only=True, eq=False)
class Segment:
    """One segment: what it is called and coded as, of which vertebra, and its voxels on the segmentation's grid."""

    label: str
    level: Level
    part: Literal["vertebra", "body", "cement", "cavity"]
    mask: NDArray[np.bool_]


def vertebra_segments(context: Context, grid: Grid) -> list[Segment]:
    """Every measured vertebra as it was used, after repairs of its labels; from head to foot."""
    return _measured(context, grid, "{level}_vertebra.nii.gz", "vertebra")


def body_segments(context: Context, grid: Grid) -> list[Segment]:
    """The bodies without their arches."""
    return _measured(context, grid, "{level}_body.nii.gz", "body")


def _measured(context: Context, grid: Grid, name: str, part: Literal["vertebra", "body"]) -> list[Segment]:
    found = []
    for level in context.results.levels:
        image = context.results.volume(name.format(level=level))
        if image is not None and image.values.any():
            mask = placed((image.values > 0).astype(np.uint8), image.grid, grid) > 0
            label = str(level) if part == "vertebra" else f"{level} {part}"
            found.append(Segment(label=label, level=level, part=part, mask=mask))
    return found


def simulated_segments(context: Context, grid: Grid) -> dict[str, list[Segment]]:
    """Cement and cavity of every rehearsed procedure, by level and procedure."""
    found: dict[str, list[Segment]] = {}
    for path in context.results.names("*_*_c*.nii.gz"):
        parts = re.fullmatch(r"(\w+?)_(vertebroplasty|kyphoplasty)_(cement|cavity)\.nii\.gz", path.name)
        image = context.results.volume(path.name) if parts else None
        if parts is None or image is None:
            continue
        mask = placed((image.values >= FILLED_PERCENT).astype(np.uint8), image.grid, grid) > 0
        part: Any = parts[3]
        if mask.any():
            label = f"{parts[1]} {parts[2]} {part}, simulated"
            one = Segment(label=label, level=Level(parts[1]), part=part, mask=mask)
            found.setdefault(f"{parts[1]}-{parts[2]}", []).append(one)
    return found


def grid_of(context: Context) -> Grid:
    """Where the segmentations of a case lie."""
    return segmentation_grid(context.series, context.results.labels.grid)


def segmentation(
    context: Context, name: str, number: int, segments: Sequence[Segment], grid: Grid, kind: SegmentationKind
) -> Any:
    """A SEG object.

    Parameters
    ----------
    context : Context
        Results and series.
    name : str
        What it holds; its UID follows from it.
    number : int
        InstanceNumber.
    segments : sequence of Segment
        At least one; for a label map none may overlap another.
    grid : Grid
        Columns, rows and slices of the masks.
    kind : {"binary", "labelmap"}
        How it is stored.

    Returns
    -------
    highdicom.seg.Segmentation
    """
    import highdicom as hd

    volume = hd.Volume(
        array=_pixels(segments, kind),
        affine=grid.affine[:, [2, 1, 0, 3]],
        coordinate_system="PATIENT",
        frame_of_reference_uid=context.series.frame_of_reference_uid,
        channels=None if kind == "labelmap" else {"SegmentNumber": list(range(1, len(segments) + 1))},
    )
    made = hd.seg.Segmentation(
        source_images=context.series.headers,
        pixel_array=volume,
        segmentation_type=kind.upper(),
        segment_descriptions=[_description(context, n, one) for n, one in enumerate(segments, start=1)],
        series_instance_uid=context.uid("series", "SEG"),
        series_number=SERIES["SEG"][0],
        sop_instance_uid=context.uid("object", f"{name}-{kind}"),
        instance_number=number,
        manufacturer=MANUFACTURER,
        manufacturer_model_name=MODEL,
        software_versions=context.results.version,
        device_serial_number=SERIAL,
        content_label=re.sub(r"[^A-Z0-9_ ]", "_", name.upper())[:16],
        content_description=f"{name.replace('-', ' ')}; {RESEARCH}"[:64],
        omit_empty_frames=True,
    )
    _fix_dimension_uid(made, context.uid("dimensions", f"{name}-{kind}"))
    made.ContentQualification = "RESEARCH"
    return finished(made, context, "SEG", f"{name}-{kind}")


def _pixels(segments: Sequence[Segment], kind: SegmentationKind) -> NDArray[np.uint8]:
    """Slices, rows, columns and, where segments may overlap, the segment."""
    if kind == "binary":
        return np.stack([one.mask.transpose(2, 1, 0) for one in segments], axis=-1).astype(np.uint8)
    pixels = np.zeros(segments[0].mask.shape[::-1], np.uint8)
    for number, one in enumerate(segments, start=1):
        pixels[one.mask.transpose(2, 1, 0)] = number
    return pixels


def _description(context: Context, number: int, one: Segment) -> Any:
    import highdicom as hd

    simulated = one.part in ("cement", "cavity")
    category: Code = named("segment", "simulated") if simulated else codes.SCT.AnatomicalStructure
    kind = level_code(one.level) if one.part == "vertebra" else named("segment", one.part)
    return hd.seg.SegmentDescription(
        segment_number=number,
        segment_label=one.label,
        segmented_property_category=category,
        segmented_property_type=kind,
        algorithm_type="AUTOMATIC" if simulated else "SEMIAUTOMATIC",
        algorithm_identification=hd.AlgorithmIdentificationSequence(
            name=MODEL,
            family=named("segment", "simulated") if simulated else codes.DCM.MorphologicalOperations,
            version=context.results.version,
            source=MANUFACTURER,
        ),
        anatomic_regions=None if one.part == "vertebra" else [level_code(one.level)],
        tracking_uid=context.tracking_uid(one.label) if one.part != "vertebra" else vertebra_uid(context, one.level),
        tracking_id=f"endplate {one.label}",
        display_color=hd.color.CIELabColor.from_rgb(*COLOURS[number % len(COLOURS)]),
    )


def vertebra_uid(context: Context, level: Level | str) -> str:
    """Tracking UID of a vertebra: the same in segmentation and measurements, and when the study is measured again."""
    return context.tracking_uid("vertebra", str(level))


def _fix_dimension_uid(made: Any, uid: str) -> None:
    """The organisation of dimensions has a UID by chance otherwise."""
    for item in (*made.DimensionOrganizationSequence, *made.DimensionIndexSequence):
        item.DimensionOrganizationUID = uid
