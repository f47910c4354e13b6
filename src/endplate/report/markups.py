"""Needle paths as 3D Slicer markups (`.mrk.json`): a line for each path and the skin entries as points, LPS mm."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.atomic import write_text
from endplate.repair.access.access_result import Access, NeedlePath

SCHEMA = (
    "https://raw.githubusercontent.com/slicer/slicer/master/Modules/Loadable/Markups/Resources/Schema/"
    "markups-schema-v1.0.3.json#"
)
LPS_ORIENTATION = [-1.0, -0.0, -0.0, -0.0, -1.0, -0.0, 0.0, 0.0, 1.0]
"""Axes of a control point as Slicer writes them: its own RAS axes given in LPS."""
SIDE_RGB = {"left": [0.1, 0.45, 0.9], "right": [0.95, 0.55, 0.1]}
"""Blue and orange are told apart with every common colour blindness."""
DECIMALS = 3


def markups(access: Access) -> dict[str, Any]:
    """The chosen paths of one level as a Slicer markups document (schema v1.0.3)."""
    entries = [_line(path, access.procedure) for path in access.paths]
    skin = [path for path in access.paths if path.skin_mm is not None]
    if skin:
        entries.append(_skin_points(skin))
    return {"@schema": SCHEMA, "markups": entries}


def write_markups(access: Access, path: Path) -> Path:
    """Write the markups of one level whole or not at all; returns the path.

    Raises
    ------
    OutputError : the file cannot be written.
    """
    write_text(path, json.dumps(markups(access), indent=1) + "\n")
    return path


def path_summary(path: NeedlePath) -> str:
    """Needle, angles and clearances of a path in one line."""
    walls = ", ".join(
        f"{wall} {clearance:.1f} ± {path.band_mm.get(wall, 0.0):.1f}" for wall, clearance in path.clearance_mm.items()
    )
    return (
        f"{path.needle.name} ({path.needle.outer_mm:g} x {path.needle.length_mm:g} mm) {path.approach}, "
        f"{path.axial_deg:.0f}° medial, "
        f"{abs(path.sagittal_deg):.0f}° {'caudal' if path.sagittal_deg >= 0 else 'cranial'}, "
        f"{path.length_mm:.0f} mm long, {path.depth_mm:.0f} mm in bone; clearance in mm: {walls}"
    )


def _line(path: NeedlePath, procedure: str) -> dict[str, Any]:
    """From the bone's surface to where the channel ends: in a kyphoplasty that is the balloon's front end.

    The channel of a curved balloon is a curve through its arc.
    """
    name = f"{path.level} {path.side} {procedure}"
    end = "balloon's front end" if procedure == "kyphoplasty" else "target"
    points = [
        _point(1, f"{path.level} {path.side} bone entry", path.entry_mm, path_summary(path)),
        *(
            _point(number, f"{path.level} {path.side} arc", place, path_summary(path))
            for number, place in enumerate(path.course_mm[1:-1], start=2)
        ),
        _point(len(path.course_mm), f"{path.level} {path.side} {end}", path.end_mm, path_summary(path)),
    ]
    return _markup("Curve" if path.bend_deg else "Line", name, path_summary(path), points, SIDE_RGB[path.side])


def _skin_points(paths: list[NeedlePath]) -> dict[str, Any]:
    points = [
        _point(number, f"{path.level} {path.side} skin", path.skin_mm, path_summary(path))
        for number, path in enumerate(paths, start=1)
        if path.skin_mm is not None
    ]
    return _markup(
        "Fiducial", f"{paths[0].level} skin entry", "skin entries of the needle paths", points, [0.9, 0.2, 0.2]
    )


def _markup(kind: str, name: str, description: str, points: list[dict[str, Any]], rgb: list[float]) -> dict[str, Any]:
    return {
        "type": kind,
        "name": name,
        "description": description,
        "coordinateSystem": "LPS",
        "coordinateUnits": "mm",
        "locked": True,
        "fixedNumberOfControlPoints": kind == "Line",
        "labelFormat": "%N-%d",
        "lastUsedControlPointNumber": len(points),
        "controlPoints": points,
        "measurements": [],
        "display": {"visibility": True, "opacity": 1.0, "color": rgb, "selectedColor": rgb},
    }


def _point(number: int, label: str, place_mm: NDArray[np.float64], description: str) -> dict[str, Any]:
    return {
        "id": str(number),
        "label": label,
        "description": description,
        "associatedNodeID": "",
        "position": [round(float(value), DECIMALS) for value in place_mm],
        "orientation": LPS_ORIENTATION,
        "selected": True,
        "locked": True,
        "visibility": True,
        "positionStatus": "defined",
    }
