"""Expected heights: from intact neighbours, by level ratios, without the deformed ones."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endplate.fracture.expected import Row, expected_heights, neighbours
from endplate.fracture.grade import genant_grade
from endplate.fracture.normals import front_to_back, has_normal, normal_depth, normal_heights
from endplate.level import Level

LEVELS = [Level(name) for name in ("T9", "T10", "T11", "T12", "L1", "L2", "L3", "L4", "L5")]


def rows_of(losses: dict[str, tuple[float, float, float]], *, size: float = 27.0, levels=LEVELS) -> list[Row]:
    rows = []
    for level in levels:
        lost = np.array(losses.get(level.value, (0.0, 0.0, 0.0)))
        rows.append(Row(level=level, heights_mm=tuple(size * np.array(normal_heights(level)) * (1 - lost))))
    return rows


def loss_at(rows: list[Row], name: str) -> tuple[float, float, float]:
    expected, _ = expected_heights(rows)
    row = next(row for row in rows if row.level is Level(name))
    return expected[row.level].loss(row.heights_mm)


def test_growth_from_t9_to_l1_is_the_published_one():
    for upper, lower in pairwise(LEVELS[:5]):
        for sex, growth in (("female", 1.0663), ("male", 1.0648)):
            ratio = normal_heights(lower, sex)[2] / normal_heights(upper, sex)[2]
            assert ratio == pytest.approx(growth, abs=1e-9)


def test_unknown_sex_grows_by_the_mean():
    ratio = normal_heights(Level.T12)[2] / normal_heights(Level.T11)[2]
    assert ratio == pytest.approx(1 + (0.0663 + 0.0648) / 2, abs=1e-9)


def test_below_l1_and_above_t9_the_table_rules():
    assert normal_heights(Level.L2)[2] / normal_heights(Level.L1)[2] == pytest.approx(27.5 / 26.5)
    assert normal_heights(Level.T6)[2] / normal_heights(Level.T8)[2] == pytest.approx(19.5 / 20.5)
    assert normal_heights(Level.L5)[0] / normal_heights(Level.L5)[2] == pytest.approx(1.15)


def test_men_are_a_little_more_wedged():
    assert front_to_back(Level.L1, "male") == pytest.approx(0.95 * 0.982)
    assert normal_depth(Level.T11) == pytest.approx(30)


@pytest.mark.parametrize("level", [Level.C5, Level.T3, Level.S1])
def test_levels_without_normals_have_none(level):
    assert not has_normal(level)
    with pytest.raises(ValueError):
        normal_heights(level)


@pytest.mark.parametrize("loss", [0.10, 0.19, 0.25, 0.5])
def test_an_interpolated_loss_is_the_true_one(loss):
    found = loss_at(rows_of({"L1": (loss, 0.0, 0.0)}), "L1")
    assert found == pytest.approx((loss, 0, 0), abs=1e-9)


def test_a_deformed_level_is_no_reference_for_its_neighbour():
    rows = rows_of({"L1": (0.5, 0.5, 0.5)})
    expected, deformed = expected_heights(rows)
    assert deformed == {Level.L1}
    assert expected[Level.L2].loss(rows[5].heights_mm) == pytest.approx((0, 0, 0), abs=1e-9)
    assert "L1" not in expected[Level.L2].reference.split(" with")[0].replace("intact", "").split(", ")


def test_two_deformed_neighbours_do_not_vouch_for_each_other():
    rows = rows_of({"T12": (0.3, 0.3, 0.1), "L1": (0.3, 0.3, 0.1)})
    _, deformed = expected_heights(rows)
    assert deformed == {Level.T12, Level.L1}
    assert loss_at(rows, "L1") == pytest.approx((0.3, 0.3, 0.1), abs=1e-9)


@pytest.mark.parametrize(("loss", "excluded"), [(0.149, False), (0.151, True)])
def test_suspicious_levels_are_left_out_from_fifteen_points(loss, excluded):
    _, deformed = expected_heights(rows_of({"L2": (0.0, 0.0, loss)}))
    assert (Level.L2 in deformed) is excluded


def test_at_the_end_of_the_field_the_level_ratios_are_used():
    rows = rows_of({"T9": (0.22, 0, 0)})
    expected, _ = expected_heights(rows)
    assert loss_at(rows, "T9")[0] == pytest.approx(0.22, abs=1e-9)
    assert not expected[Level.T9].interpolated


def test_a_run_of_deformed_levels_at_the_end_is_read_against_the_nearest_normal_or_own_posterior():
    rows = rows_of({"T9": (0.0, 0.21, 0.0), "T10": (0.0, 0.21, 0.0)})
    expected, _ = expected_heights(rows)
    assert "RDES230" in expected[Level.T9].reference
    nearest, own = rows[2].heights_mm, rows[0].heights_mm
    assert expected[Level.T9].heights_mm[1] == pytest.approx(max(nearest[1], own[2]))
    assert expected[Level.T9].heights_mm[2] == pytest.approx(own[2])
    assert expected[Level.T9].sd_mm > expected[Level.L2].sd_mm


def test_an_intact_level_beside_such_a_run_keeps_the_level_ratios():
    expected, _ = expected_heights(rows_of({"T9": (0.0, 0.3, 0.0), "T10": (0.0, 0.3, 0.0)}))
    assert "RDES230" not in expected[Level.T11].reference


def test_a_lone_body_is_read_against_its_own_posterior_height():
    rows = rows_of({"L2": (0.3, 0.0, 0.0)}, levels=[Level.L2])
    expected, _ = expected_heights(rows)
    assert expected[Level.L2].own and "own posterior" in expected[Level.L2].reference
    assert expected[Level.L2].loss(rows[0].heights_mm) == pytest.approx((0.3, 0, 0), abs=1e-9)


def test_cut_and_transitional_levels_are_never_references():
    rows = rows_of({})
    rows[5] = Row(level=Level.L2, heights_mm=(5.0, 5.0, 5.0), usable=False)
    above, below = neighbours(Level.L1, rows, ())
    assert [row.level for row in above] == [Level.T12, Level.T11]
    assert [row.level for row in below] == [Level.L3, Level.L4]
    transitional = Row(level=Level.T13, heights_mm=(5.0, 5.0, 5.0))
    assert all(row.level is not Level.T13 for row in neighbours(Level.L1, [*rows, transitional], ())[0])


def test_references_are_at_most_two_a_side_and_four_levels_away():
    rows = [row for row in rows_of({}) if row.level.value in ("T9", "L1", "L5")]
    assert [r.level for r in neighbours(Level.L1, rows, ())[0]] == [Level.T9]
    rows = [row for row in rows_of({}) if row.level.value in ("T9", "L2")]
    assert neighbours(Level.L2, rows, ()) == ([], [])


def test_more_references_and_nearer_ones_make_the_expected_height_surer():
    expected, _ = expected_heights(rows_of({}))
    assert expected[Level.L1].sd_mm < expected[Level.L5].sd_mm
    assert 0.1 < expected[Level.L1].sd_mm < 1.5


def test_a_transitional_level_is_expected_by_the_trend_of_its_neighbours():
    rows = [*rows_of({}), Row(level=Level.L6, heights_mm=(25.0, 25.0, 25.0))]
    there = expected_heights(rows)[0][Level.L6]
    assert "trend" in there.reference and there.by and Level.L6 not in there.by
    usual = expected_heights(rows)[0][Level.L5]
    assert there.sd_mm > usual.sd_mm
    assert all(Level.L6 not in other.by for other in expected_heights(rows)[0].values())


def test_t13_is_sized_between_its_neighbours():
    rows = rows_of({})
    place = next(i for i, row in enumerate(rows) if row.level is Level.L1)
    with_t13 = [*rows[:place], Row(level=Level.T13, heights_mm=(25.0, 25.0, 25.0)), *rows[place:]]
    there = expected_heights(with_t13)[0][Level.T13].heights_mm
    above, below = (next(r.heights_mm for r in rows if r.level is one) for one in (Level.T12, Level.L1))
    assert min(above[2], below[2]) <= there[2] <= max(above[2], below[2])


def test_a_transitional_level_alone_is_not_expected():
    assert expected_heights([Row(level=Level.L6, heights_mm=(25.0, 25.0, 25.0))])[0] == {}


losses = st.tuples(*[st.floats(0, 0.6)] * 3)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from([level.value for level in LEVELS]), losses, max_size=4), st.floats(0.6, 1.6))
def test_the_size_of_a_person_changes_no_loss(collapses, scale):
    rows = rows_of(collapses)
    larger = [Row(level=row.level, heights_mm=tuple(scale * np.array(row.heights_mm))) for row in rows]
    one, other = expected_heights(rows), expected_heights(larger)
    assert one[1] == other[1]
    for row, big in zip(rows, larger, strict=True):
        assert one[0][row.level].loss(row.heights_mm) == pytest.approx(
            other[0][row.level].loss(big.heights_mm), abs=1e-9
        )


@settings(max_examples=60, deadline=None)
@given(st.sampled_from([level.value for level in LEVELS[2:7]]), losses)
def test_one_collapse_between_intact_levels_gets_its_true_grade(name, loss):
    rows = rows_of({name: loss})
    found = max(loss_at(rows, name))
    assert found == pytest.approx(max(loss), abs=1e-9)
    for cut in (0.20, 0.25, 0.40):
        if abs(max(loss) - cut) < 1e-6:
            return
    assert genant_grade(found) == genant_grade(max(loss))


@pytest.mark.parametrize("scale", [0.625, 1.0, 1.37])
def test_a_loss_at_the_limit_is_suspicious_at_every_size(scale):
    rows = [
        Row(level=row.level, heights_mm=tuple(scale * np.array(row.heights_mm)))
        for row in rows_of({"T9": (0.0, 0.0, 0.15)})
    ]
    assert Level.T9 in expected_heights(rows)[1]
