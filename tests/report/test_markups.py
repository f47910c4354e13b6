"""Needle paths read back from a Slicer markups file are where they were, in LPS, with what a reader needs to know."""

import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest

from endplate.level import Level
from endplate.repair.access.access_result import Access, NeedlePath
from endplate.repair.device.needle import NEEDLES
from endplate.report.markups import markups, write_markups

NUMBERS = {"type": "array", "items": {"type": "number"}}
POINT = {
    "type": "object",
    "required": ["id", "label", "position", "orientation", "positionStatus"],
    "properties": {
        "id": {"type": "string"},
        "label": {"type": "string"},
        "description": {"type": "string"},
        "associatedNodeID": {"type": "string"},
        "position": NUMBERS | {"minItems": 3, "maxItems": 3},
        "orientation": NUMBERS | {"minItems": 9, "maxItems": 9},
        "selected": {"type": "boolean"},
        "locked": {"type": "boolean"},
        "visibility": {"type": "boolean"},
        "positionStatus": {"enum": ["undefined", "preview", "defined"]},
    },
}
MARKUP = {
    "type": "object",
    "required": ["type"],
    "properties": {
        "type": {"enum": ["Fiducial", "Line", "Angle", "Curve", "ClosedCurve", "Plane", "ROI"]},
        "name": {"type": "string"},
        "coordinateSystem": {"enum": ["LPS", "RAS"]},
        "coordinateUnits": {"enum": ["mm", "um"]},
        "locked": {"type": "boolean"},
        "fixedNumberOfControlPoints": {"type": "boolean"},
        "labelFormat": {"type": "string"},
        "controlPoints": {"type": "array", "items": POINT},
        "display": {
            "type": "object",
            "properties": {
                "visibility": {"type": "boolean"},
                "opacity": {"type": "number", "minimum": 0, "maximum": 1},
                "color": NUMBERS | {"minItems": 3, "maxItems": 3},
            },
        },
    },
}
STRUCTURE = {
    "type": "object",
    "required": ["@schema", "markups"],
    "properties": {"@schema": {"type": "string"}, "markups": {"type": "array", "items": MARKUP}},
}
"""The parts of Slicer's markups schema v1.0.3 that a line and a list of points use."""


def path(side, skin):
    sign = 1.0 if side == "left" else -1.0
    return NeedlePath(
        level=Level.L1,
        side=side,
        approach="transpedicular",
        needle=NEEDLES["11G"],
        skin_mm=np.array([40.0 * sign, 90.0, -3.0]) if skin else None,
        entry_mm=np.array([22.5 * sign, 41.25, -1.0]),
        target_mm=np.array([8.0 * sign, -9.125, 0.5]),
        axial_deg=15.2,
        sagittal_deg=-4.0,
        clearance_mm={"medial": 1.52, "anterior": 6.0},
        min_clearance_mm=1.52,
        length_mm=101.0,
        band_mm={"medial": 0.5},
    )


@pytest.fixture
def document(tmp_path):
    access = Access(level=Level.L1, procedure="vertebroplasty", paths=(path("left", True), path("right", False)))
    file = write_markups(access, tmp_path / "L1_vertebroplasty.mrk.json")
    return json.loads(file.read_text(encoding="utf-8"))


def test_the_file_has_the_structure_of_the_published_schema(document):
    jsonschema.validate(document, STRUCTURE)
    assert document["@schema"].endswith("markups-schema-v1.0.3.json#")
    assert all(markup["coordinateSystem"] == "LPS" for markup in document["markups"])


def test_each_path_is_a_line_from_bone_entry_to_target(document):
    lines = [markup for markup in document["markups"] if markup["type"] == "Line"]
    assert [line["name"] for line in lines] == ["L1 left vertebroplasty", "L1 right vertebroplasty"]
    for line, side in zip(lines, ("left", "right"), strict=True):
        entry, target = (point["position"] for point in line["controlPoints"])
        assert np.allclose(entry, path(side, False).entry_mm) and np.allclose(target, path(side, False).target_mm)


def test_a_balloons_line_ends_at_its_front_end():
    tip = path("left", False).target_mm + np.array([-2.0, -7.0, 0.5])
    access = Access(level=Level.L1, procedure="kyphoplasty", paths=(replace(path("left", False), tip_mm=tip),))
    end = markups(access)["markups"][0]["controlPoints"][1]
    assert np.allclose(end["position"], tip) and end["label"] == "L1 left balloon's front end"


def test_the_description_tells_needle_angles_and_clearances(document):
    told = document["markups"][0]["description"]
    for words in ("11G", "15° medial", "4° cranial", "medial 1.5 ± 0.5"):
        assert words in told


def test_skin_points_stand_only_where_the_skin_was_seen(document):
    (skin,) = [markup for markup in document["markups"] if markup["type"] == "Fiducial"]
    assert [point["label"] for point in skin["controlPoints"]] == ["L1 left skin"]
    assert skin["controlPoints"][0]["position"] == [40.0, 90.0, -3.0]


def test_no_path_writes_an_empty_list(tmp_path):
    access = Access(level=Level.L1, procedure="vertebroplasty", paths=(), reason="too narrow")
    document = json.loads(write_markups(access, tmp_path / "none.mrk.json").read_text(encoding="utf-8"))
    jsonschema.validate(document, STRUCTURE)
    assert document["markups"] == []
