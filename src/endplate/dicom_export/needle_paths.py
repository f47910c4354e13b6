"""Needle paths as DICOM Spatial Fiducials: for each a line from the bone's surface to its end, in the CT's frame.

Of the standard's objects this one says exactly what a path is: named points and lines in a frame of reference, without
voxels. A surface segmentation would need a tube that nobody planned.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from pydicom.dataset import Dataset
from pydicom.uid import SpatialFiducialsStorage

from endplate.dicom_export.code_table import named
from endplate.dicom_export.object_header import Context, code_item, new_object, reference, referenced_series

NAME = "needle-paths"


@dataclass(frozen=True, kw_only=True)
class Path:
    """A needle path: its name, its words, and its two ends in LPS mm."""

    name: str
    words: str
    ends_mm: tuple[tuple[float, ...], tuple[float, ...]]


def saved_paths(context: Context) -> list[Path]:
    """The chosen paths of every rehearsed procedure."""
    found = []
    for file in context.results.names("*_path.mrk.json"):
        for markup in json.loads(file.read_text(encoding="utf-8"))["markups"]:
            if markup["type"] == "Line":
                ends = [tuple(map(float, point["position"])) for point in markup["controlPoints"]]
                found.append(Path(name=markup["name"], words=markup["description"], ends_mm=(ends[0], ends[1])))
    return found


def needle_paths(context: Context, number: int, paths: list[Path]) -> Any:
    """The Spatial Fiducials object of some paths."""
    made = new_object(context, SpatialFiducialsStorage, "FID", NAME, number)
    made.ContentLabel = "NEEDLE_PATHS"
    made.ContentDescription = "Needle paths of a simulated repair; research use only"
    made.ContentCreatorName = ""
    one = Dataset()
    one.FrameOfReferenceUID = context.series.frame_of_reference_uid
    one.ReferencedImageSequence = [reference(header) for header in context.series.headers]
    one.FiducialSequence = [_fiducial(context, path) for path in paths]
    made.FiducialSetSequence = [one]
    made.ReferencedSeriesSequence = referenced_series(context)
    return made


def _fiducial(context: Context, path: Path) -> Dataset:
    item = Dataset()
    item.FiducialIdentifier = path.name[:16]
    item.FiducialDescription = path.words[:1024]
    item.FiducialIdentifierCodeSequence = [code_item(named("report", "path"))]
    item.FiducialUID = context.tracking_uid("path", path.name, context.results.digest)
    item.ShapeType = "LINE"
    item.NumberOfContourPoints = len(path.ends_mm)
    item.ContourData = [round(x, 3) for end in path.ends_mm for x in end]
    return item
