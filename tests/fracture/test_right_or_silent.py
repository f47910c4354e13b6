"""Who is called fractured, who is left to a reader, and what a label that cannot carry an answer gets."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.shapes import plane, spine, stacked, vertebra

from endplate.anatomy.locate import locate_vertebrae
from endplate.finding import Finding
from endplate.fracture import FractureSettings, HeightSettings, findings, gaps, grade_fractures
from endplate.fracture.certainty import chance_of_grade, questions, too_coarse
from endplate.fracture.result import Measured
from endplate.image.phantom import Deformity, Node, PhantomSpec, make_labels
from endplate.image.volume import LabelMap
from endplate.level import Level

ONCE = FractureSettings(heights=HeightSettings(repeat=False))
FIVE = {
    "T12": (23.25, 23.0, 25.0),
    "L1": (25.2, 24.7, 26.5),
    "L2": (26.7, 26.0, 27.5),
    "L3": (27.5, 26.2, 27.5),
    "L4": (27.3, 25.9, 26.5),
}


def scaled(shares: dict[str, float], field=FIVE):
    return {name: tuple(shares.get(name, 1.0) * height for height in row) for name, row in field.items()}


def read(rows, settings=ONCE):
    return {str(fracture.level): fracture for fracture in grade_fractures(stacked(rows), settings=settings)}


def test_a_body_evenly_short_between_normal_neighbours_is_a_compression_fracture():
    l2 = read(scaled({"L2": 0.74}))["L2"]
    assert (l2.genant_grade, l2.shape, l2.fracture) == (2, "crush", "yes")
    assert "neighbours on both sides are normal" in l2.reason


def test_the_same_body_is_left_open_in_a_patient_with_another_short_one():
    rows = {"T11": (22.0, 21.2, 23.5)} | FIVE
    found = read(scaled({"L2": 0.74, "T11": 0.74}, rows))
    assert found["L2"].fracture == "indeterminate"


def test_a_level_at_the_end_of_the_field_is_left_open():
    assert read(scaled({"L4": 0.74}))["L4"].fracture == "indeterminate"


def test_an_intact_reference_is_not_left_open_for_want_of_a_reference():
    rows = {"T12": FIVE["T12"], "L5": (27.5, 25.0, 24.0)}
    rows |= {
        name: tuple(h * s for h, s in zip(FIVE[name], (0.75, 0.5, 0.9), strict=True))
        for name in ("L1", "L2", "L3", "L4")
    }
    rows = {name: rows[name] for name in ("T12", "L1", "L2", "L3", "L4", "L5")}
    found = read(rows)
    for name in ("T12", "L5"):
        assert any(name in other.reference for other in found.values())
        assert (found[name].genant_grade, found[name].fracture) == (0, "no"), found[name].reason
        assert "intact reference of" in found[name].reason
    assert all(found[name].fracture == "yes" for name in ("L1", "L2", "L3", "L4"))


def test_a_hollow_shape_below_grade_1_without_a_sign_is_no_deformity():
    hollow = {name: (row[0], 0.795 * row[2], row[2]) for name, row in FIVE.items()}
    found = read(hollow)
    assert all((f.genant_grade, f.deformity, f.fracture) == (0, "no", "no") for f in found.values())


def test_what_is_open_is_asked_of_a_reader_with_what_would_settle_it():
    fractures = grade_fractures(spine(vertebra(Level.L2)), settings=ONCE)
    (asked,) = questions(fractures)
    assert asked.level is Level.L2 and "is it fractured?" in asked.text and "MRI" in asked.text
    assert not questions(grade_fractures(stacked(FIVE), settings=ONCE))


def phantom_labels(**changes):
    levels = (Level.T12, Level.L1, Level.L2, Level.L3)
    return make_labels(PhantomSpec(**{"levels": levels, "field_mm": (90.0, 120.0), **changes}))


@pytest.fixture(scope="module")
def noded():
    labels, truth = phantom_labels(nodes={Level.L1: Node(area_mm2=65, depth_mm=4.5)}, tilt_deg=(5.0, 3.0, 0.0))
    return truth, {f.level: f for f in grade_fractures(locate_vertebrae(labels))}


def test_a_focal_node_is_a_finding_of_its_own_and_no_fracture(noded):
    found = noded[1]
    l1 = found[Level.L1]
    assert (l1.genant_grade, l1.deformity, l1.fracture) == (0, "no", "no")
    (node,) = l1.nodes
    assert node.plate == "upper" and node.area_mm2 == pytest.approx(65, rel=0.35)
    assert node.depth_mm == pytest.approx(4.5, abs=1)
    assert all(not other.nodes for level, other in found.items() if level is not Level.L1)


def test_heights_are_read_beside_the_node_and_in_it(noded):
    truth, found = noded
    l1, true = found[Level.L1], truth.levels[Level.L1]
    assert l1.heights.middle.value == pytest.approx(true.middle_mm, abs=0.7)
    assert l1.heights.within_node_mm[1] == pytest.approx(true.within_node_mm[1], abs=1.2)
    assert l1.heights.within_node_mm[1] < l1.heights.middle.value - 2
    codes = {(f.code, f.condition) for f in findings([l1])}
    assert ("endplate_node", "upper endplate") in codes and ("height_within_node", "middle") in codes


def thick(labels: LabelMap, count: int, offset: int) -> LabelMap:
    """Every so many slices of a label map."""
    affine = labels.grid.affine.copy()
    affine[:3, 3] = labels.grid.to_mm([0, 0, offset + count // 2])
    affine[:3, 2] *= count
    values = labels.labels[:, :, offset + count // 2 :: count]
    return LabelMap(grid=replace(labels.grid, shape=values.shape, affine=affine), labels=values, scheme=labels.scheme)


@pytest.fixture(scope="module")
def fine():
    return phantom_labels(deformities={Level.L1: Deformity(shape="wedge", loss=0.32)})


@pytest.mark.parametrize("offset", [0, 3])
def test_slices_of_5_mm_call_nothing_fractured_that_is_not_and_every_band_holds(fine, offset):
    labels, truth = fine
    fractures = grade_fractures(locate_vertebrae(thick(labels, 5, offset)))
    for fracture in fractures:
        true = truth.levels[fracture.level]
        assert fracture.fracture != "yes" or true.grade > 0
        for kind in ("anterior", "middle", "posterior"):
            measured: Measured = getattr(fracture.heights, kind)
            if measured.value is not None:
                error = abs(measured.value - getattr(true, f"{kind}_mm"))
                assert error <= 1.96 * measured.shown_sd, (fracture.level, kind)
        if fracture.height_loss.value is not None:
            assert abs(fracture.height_loss.value - true.loss) <= 1.96 * fracture.height_loss.shown_sd
    missing = {gap.reason for gap in gaps(fractures) if gap.code == "genant_grade"}
    assert any("slices of 5 mm cannot carry a grade" in reason for reason in missing)
    assert any("T12" in asked.text for asked in questions(fractures))


def test_bands_are_those_between_readers_and_repeatability_stands_beside_them():
    fracture = grade_fractures(stacked(FIVE))[1]
    found: dict[str, Finding] = {finding.code: finding for finding in findings([fracture])}
    height, repeat = found["anterior_height"], found["height_repeatability"]
    assert height.high - height.value >= 1.96 > repeat.value > 0
    assert "between readers" in height.method and "2,971" in height.method
    loss = fracture.height_loss
    assert loss.reader_sd == pytest.approx(np.hypot(loss.sd, 0.034))


@pytest.mark.parametrize(
    ("loss", "grade", "chance"),
    [(0.0, 0, 1.0), (0.20, 0, 0.5), (0.20, 1, 0.3413), (0.225, 1, 0.3829), (0.6, 3, 1.0)],
)
def test_confidence_is_the_chance_of_the_stated_grade(loss, grade, chance):
    assert chance_of_grade(Measured(value=loss, sd=0.03, reader_sd=0.05), grade) == pytest.approx(chance, abs=2e-3)


def test_confidence_can_sort_a_table_and_is_0_without_a_grade():
    rows = read(FIVE, FractureSettings()) | {"cut": grade_fractures(spine(replace(vertebra(), superior=None)))[0]}
    values = {n: next(f.value for f in findings([r]) if f.code == "reading_confidence") for n, r in rows.items()}
    assert values["cut"] == 0 and all(value > 0.9 for name, value in values.items() if name != "cut")


def test_an_angle_that_thick_slices_cannot_carry_is_a_gap():
    flat = replace(vertebra(Level.L2, plane(27, 27)), label_edges_mm=(1.0, 1.0, 6.0))
    (fracture,) = grade_fractures(spine(flat))
    assert fracture.heights.wedge_deg.value is None and "cannot carry an angle" in fracture.heights.wedge_deg.reason


def test_an_angle_read_from_blocks_is_a_gap():
    blocks = replace(vertebra(Level.L2, plane(27, 27)), label_edges_mm=(3.1, 3.1, 3.1))
    (fracture,) = grade_fractures(spine(blocks))
    assert fracture.heights.wedge_deg.reason.startswith("labels drawn in steps of 3.1 mm cannot carry an angle")


@pytest.mark.parametrize(
    ("loss", "sd", "reader_sd", "says"),
    [
        (0.02, 0.08, 0.09, ""),
        (0.024, 0.08, 0.09, "from 0% to 20%"),
        (0.02, 0.08, 0.0925, "from 0% to 20%"),
        (0.10, 0.08, 0.09, "from 0% to 28%"),
        (0.40, 0.10, 0.11, ""),
        (0.10, 0.06, 0.07, ""),
    ],
)
def test_a_loss_cannot_carry_a_grade_where_its_wide_band_holds_20_per_cent(loss, sd, reader_sd, says):
    coarse = replace(vertebra(Level.L2, plane(27, 27)), label_edges_mm=(1.0, 1.0, 4.0))
    heights = replace(
        grade_fractures(spine(coarse), settings=ONCE)[0].heights,
        **{kind: Measured(value=27.0, sd=1.8) for kind in ("anterior", "middle", "posterior")},
    )
    reason = too_coarse(Measured(value=loss, sd=sd, reader_sd=reader_sd), heights, coarse)
    assert (says in reason) if says else reason == ""


def test_t13_is_graded_by_the_trend_of_its_neighbours():
    rows = {"T11": (22.0, 21.2, 23.5), "T12": FIVE["T12"], "T13": (16.5, 20.0, 25.7)} | {
        name: FIVE[name] for name in ("L1", "L2", "L3")
    }
    t13 = read(rows)["T13"]
    assert (t13.genant_grade, t13.shape, t13.fracture) == (2, "wedge", "yes")
    assert "trend" in t13.reference and 0.25 < t13.height_loss.value < 0.4
    assert all(fracture.genant_grade == 0 for name, fracture in read(rows).items() if name != "T13")
