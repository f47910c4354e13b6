"""Whole spines: every level read, with its answers, findings and gaps."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.shapes import plane, spine, stacked, vertebra

from endplate.anatomy.vertebra import Endplate, Spine, Vertebra
from endplate.finding import Gap, catalogue
from endplate.fracture import FractureSettings, HeightSettings, findings, gaps, grade_fractures, measure_alignment
from endplate.level import Level
from endplate.patient import PatientRecord

ONCE = FractureSettings(heights=HeightSettings(repeat=False))
NORMAL = {"T12": (23.25, 23.0, 25.0), "L1": (25.2, 24.7, 26.5), "L2": (26.7, 26.0, 27.5), "L3": (27.5, 26.2, 27.5)}


@pytest.fixture(scope="module")
def broken() -> Spine:
    return stacked(NORMAL | {"L1": (25.2 * 0.66, 24.7 * 0.8, 26.5)})


@pytest.fixture(scope="module")
def broken_read(broken):
    return grade_fractures(broken)


def test_intact_levels_are_grade_0_and_not_fractured():
    for fracture in grade_fractures(stacked(NORMAL), settings=ONCE):
        assert (fracture.genant_grade, fracture.deformity, fracture.fracture) == (0, "no", "no")
        assert fracture.shape == "none"


def test_a_wedge_of_a_third_is_grade_2_and_a_fracture(broken_read):
    l1 = broken_read[1]
    assert (l1.level, l1.genant_grade, l1.shape, l1.worst) == (Level.L1, 2, "wedge", "anterior")
    assert l1.height_loss.value == pytest.approx(0.34, abs=0.02)
    assert (l1.deformity, l1.fracture) == ("yes", "yes")
    assert all(other.genant_grade == 0 for other in broken_read if other.level is not Level.L1)


def test_the_band_of_the_grade_holds_the_grade(broken_read):
    for fracture in broken_read:
        assert fracture.grade_low <= fracture.genant_grade <= fracture.grade_high


def test_each_result_has_its_level_in_order(broken_read):
    assert [fracture.level.value for fracture in broken_read] == ["T12", "L1", "L2", "L3"]


def test_sex_moves_the_expected_height_a_little():
    record = PatientRecord(age_yr=70, sex="male")
    female = PatientRecord(age_yr=70, sex="female")
    case = stacked({"T12": NORMAL["T12"], "L1": NORMAL["L1"]})
    man, woman = (grade_fractures(case, who, ONCE)[1].expected_mm for who in (record, female))
    assert man[2] != woman[2] and man[2] == pytest.approx(woman[2], rel=0.01)


def test_a_short_vertebra_is_a_deformity_and_whether_it_broke_is_left_open():
    short = stacked(NORMAL | {"L1": tuple(0.785 * h for h in NORMAL["L1"])})
    l1 = grade_fractures(short, settings=ONCE)[1]
    assert (l1.genant_grade, l1.deformity, l1.fracture) == (1, "yes", "indeterminate")
    assert "variant or crush" in l1.reason


FIVE = {"T11": (22.0, 21.2, 23.5)} | NORMAL
SHARES = {"wedge": (0.7, 0.85, 1.0), "biconcave": (1.0, 0.7, 1.0), "crush": (0.7, 0.7, 0.7)}


def collapsed(shares, levels, field=FIVE):
    made = {n: tuple(h * s for h, s in zip(field[n], shares, strict=True)) if n in levels else field[n] for n in field}
    return {str(f.level): f for f in grade_fractures(stacked(made), settings=ONCE)}


@pytest.mark.parametrize("shape", SHARES)
def test_three_broken_levels_of_five_do_not_define_the_normal(shape):
    broken = ("T12", "L1", "L2")
    read = collapsed(SHARES[shape], broken)
    for name, fracture in read.items():
        assert fracture.height_loss.value == pytest.approx(0.3 if name in broken else 0.0, abs=0.06), name
        assert (fracture.fracture == "no") is (name not in broken)


@pytest.mark.parametrize("shape", ["wedge", "biconcave"])
@pytest.mark.parametrize("field", [tuple(FIVE), ("T12", "L1"), ("L1",)])
def test_levels_that_all_broke_are_told_by_their_own_shape(shape, field):
    read = collapsed(SHARES[shape], field, {name: FIVE[name] for name in field})
    for fracture in read.values():
        assert fracture.genant_grade >= 1 and fracture.fracture == "yes"
        assert abs(fracture.height_loss.value - 0.3) <= 1.96 * fracture.height_loss.sd
        assert "own posterior" in fracture.reference


@pytest.mark.parametrize("field", [tuple(FIVE), ("T12", "L1"), ("L1",)])
def test_levels_that_all_crushed_evenly_are_left_open(field):
    for share in (0.7, 0.55):
        for fracture in collapsed((share,) * 3, field, {name: FIVE[name] for name in field}).values():
            assert fracture.genant_grade is None and fracture.fracture == "indeterminate"
            assert "no intact level to compare with" in fracture.reason


def test_a_lone_body_of_normal_shape_is_never_surely_intact():
    (l1,) = collapsed((1, 1, 1), (), {"L1": FIVE["L1"]}).values()
    assert (l1.deformity, l1.fracture) == ("indeterminate", "indeterminate") and "even crush" in l1.reason
    assert l1.grade_high > 0


def test_physiological_wedging_everywhere_is_not_called_a_fracture():
    wedged = {"T11": (18.8, 22, 23.5), "T12": (20.0, 23, 25), "L1": (21.2, 24.5, 26.5), "L2": (22, 25.5, 27.5)}
    for fracture in grade_fractures(stacked(wedged), settings=ONCE):
        assert fracture.fracture != "yes"


def test_a_cut_body_is_a_gap_and_not_a_zero():
    case = stacked(NORMAL)
    first = replace(case.vertebrae[0], superior=None, cut_by_field=True)
    cut = spine(first, *case.vertebrae[1:])
    fractures = grade_fractures(cut, settings=ONCE)
    assert fractures[0].genant_grade is None and fractures[0].fracture == "indeterminate"
    named = {gap.code for gap in gaps(fractures) if gap.level is Level.T12}
    assert {"anterior_height", "height_loss", "genant_grade", "fracture", "posterior_wall_involvement"} <= named
    assert not [found for found in findings(fractures) if found.level is Level.T12 and found.code == "genant_grade"]


def test_a_cut_body_whose_endplates_are_seen_is_read_but_is_no_reference():
    case = stacked(NORMAL)
    low = replace(stacked(NORMAL | {"T12": (10, 10, 10)}).vertebrae[0], cut_by_field=True)
    fractures = grade_fractures(spine(low, *case.vertebrae[1:]), settings=ONCE)
    assert fractures[0].genant_grade == 3
    assert "T12" not in fractures[1].reference


def test_a_level_with_unreliable_labels_is_a_gap_and_no_reference():
    case = stacked(NORMAL)
    doubt = Gap(code="vertebra", level=Level.L1, reason="two levels in one body")
    fractures = grade_fractures(replace(case, gaps=(doubt,)), settings=ONCE)
    assert fractures[1].genant_grade is None and "two levels in one body" in fractures[1].reason
    assert all("L1" not in other.reference for other in fractures if other.level is not Level.L1)
    angles = measure_alignment(replace(case, gaps=(doubt,)))
    assert angles.local_deg[Level.L2].value is None and angles.local_deg[Level.L3].value is not None


def test_a_flipped_scan_gives_no_grade_at_all():
    doubt = Gap(code="vertebra", reason="labels are mirrored against the CT")
    fractures = grade_fractures(replace(stacked(NORMAL), gaps=(doubt,)), settings=ONCE)
    assert all(f.genant_grade is None and "mirrored" in f.reason for f in fractures)


def test_findings_are_in_the_catalogue_with_band_method_and_source(broken, broken_read):
    found = findings(broken_read, measure_alignment(broken, [f.heights for f in broken_read]))
    codes = {finding.code for finding in found}
    assert codes >= {
        *("anterior_height", "middle_height", "posterior_height", "expected_height", "height_loss", "wedge_angle"),
        *("genant_grade", "deformity_shape", "deformity", "fracture", "posterior_wall_involvement"),
        *("regional_kyphosis", "local_kyphosis"),
    }
    for finding in found:
        assert finding.unit == catalogue()[finding.code].unit
        assert finding.method and finding.source
        if isinstance(finding.value, float):
            assert finding.low is not None and finding.low <= finding.value <= finding.high
            assert "band" in finding.method


def test_nothing_is_both_found_and_missing(broken, broken_read):
    alignment = measure_alignment(broken, [f.heights for f in broken_read])
    found = {(f.code, f.level) for f in findings(broken_read, alignment)}
    missing = {(g.code, g.level) for g in gaps(broken_read, alignment)}
    assert not found & missing
    assert ("regional_kyphosis", Level.T12) in missing and ("regional_kyphosis", Level.L1) in found


def _mirrored(one: Vertebra) -> Vertebra:
    """The left-right mirror image of an upright vertebra at the middle of its grid."""

    def plate(it: Endplate) -> Endplate:
        return replace(it, superior_mm=it.superior_mm[::-1], breach=it.breach[::-1], right_mm=-it.right_mm[::-1])

    return replace(
        one,
        body=one.body[::-1].copy(),
        arch=one.arch[::-1].copy(),
        superior=plate(one.superior),
        inferior=plate(one.inferior),
    )


def test_a_mirrored_spine_has_the_same_heights_and_grades():
    def lopsided(front, back):
        straight = plane(front, back)
        return lambda x, y: straight(x, y) + 0.04 * x

    bodies, top = [], 0.0
    for name, (front, _, back) in (NORMAL | {"L1": (17.5, 0, 26.5)}).items():
        top -= 40
        bodies.append(vertebra(Level(name), lopsided(front, back), at_mm=(0, 0, top)))
    one = grade_fractures(spine(*bodies))
    other = grade_fractures(spine(*map(_mirrored, bodies)))
    for here, there in zip(one, other, strict=True):
        assert (here.genant_grade, here.shape, here.fracture) == (there.genant_grade, there.shape, there.fracture)
        for kind in ("anterior", "middle", "posterior"):
            assert getattr(here.heights, kind).value == pytest.approx(getattr(there.heights, kind).value, abs=1e-6)


def test_a_lone_vertebra_is_read_against_itself():
    l2 = grade_fractures(spine(vertebra(Level.L2, plane(17, 27))), settings=ONCE)[0]
    assert l2.genant_grade == 2 and "own posterior" in l2.reference
    assert "no expected posterior height" in l2.posterior_wall_fraction.reason


def test_a_transitional_level_has_heights_and_a_named_gap():
    l6 = grade_fractures(spine(vertebra(Level.L6)), settings=ONCE)[0]
    assert l6.heights.anterior.value == pytest.approx(27, abs=0.2)
    assert l6.genant_grade is None and "level ratios" in l6.reason


def test_no_number_is_infinite(broken_read):
    for finding in findings(broken_read):
        if isinstance(finding.value, float):
            assert np.isfinite([finding.value, finding.low, finding.high]).all()
