"""The ensemble: a balanced design, main effects that can be read, bands that hold every member, failures named."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from endplate.errors import OptionError
from endplate.repair.rehearsal.design import NAMES, SIZES, ParameterSet, balanced_design, corner, unknowns
from endplate.repair.rehearsal.effects import bands, carried, drivers, main_effects


@pytest.mark.parametrize("members", SIZES)
def test_every_unknown_is_as_often_low_as_high_within_each_half_of_every_other(members: int) -> None:
    design = balanced_design(members, 4711).astype(int)
    assert design.shape == (members, len(NAMES))
    assert not design.sum(axis=0).any()
    np.testing.assert_array_equal(design.T @ design, members * np.eye(len(NAMES), dtype=int))


@pytest.mark.parametrize("members", [16, 32])
def test_with_sixteen_members_no_pair_of_unknowns_hides_behind_a_third(members: int) -> None:
    design = balanced_design(members, 1879).astype(int)
    triples = np.einsum("ra,rb,rc->abc", design, design, design)
    for a in range(len(NAMES)):
        for b in range(len(NAMES)):
            for c in range(len(NAMES)):
                if len({a, b, c}) == 3:
                    assert triples[a, b, c] == 0


def test_the_seed_decides_the_design_and_the_same_seed_gives_the_same() -> None:
    np.testing.assert_array_equal(balanced_design(16, 4711), balanced_design(16, 4711))
    assert (balanced_design(16, 4711) != balanced_design(16, 4713)).any()


def test_a_size_without_a_balanced_design_is_refused() -> None:
    with pytest.raises(OptionError, match="8, 16, 32"):
        balanced_design(10, 4711)


@given(st.lists(st.floats(-5, 5), min_size=7, max_size=7), st.integers(0, 1000))
@settings(max_examples=25, deadline=None)
def test_main_effects_of_a_linear_result_are_exact(slopes: list[float], seed: int) -> None:
    signs = balanced_design(16, 2 * seed + 1)
    runs = [{"k": {"x": 3.0 + float(row @ np.array(slopes))}} for row in signs]
    effects = dict(main_effects(signs, runs, "k", "x"))
    for name, slope in zip(NAMES, slopes, strict=True):
        assert effects[name] == pytest.approx(2 * slope, abs=1e-9)
    sizes = [abs(effect) for _, effect in main_effects(signs, runs, "k", "x")]
    assert sizes == sorted(sizes, reverse=True)


def test_a_product_of_two_unknowns_moves_neither_alone() -> None:
    signs = balanced_design(16, 4711)
    runs = [{"k": {"x": 1.0 + 0.4 * float(row[0] * row[3])}} for row in signs]
    assert max(abs(effect) for _, effect in main_effects(signs, runs, "k", "x")) < 1e-12


def test_a_missing_member_costs_no_answer() -> None:
    signs = balanced_design(16, 4711)
    runs: list = [{"k": {"x": 2.0 + 1.5 * float(row[4])}} for row in signs]
    runs[5] = None
    name, effect = main_effects(signs, runs, "k", "x")[0]
    assert name == NAMES[4] and effect == pytest.approx(3.0)
    assert drivers(signs, [None] * 16, {"k": {"x": 2.0}}) == {}


def test_members_enter_by_their_ratio_or_distance_to_the_nominal_on_their_own_grid() -> None:
    assert carried("strength_n", 1100.0, 1000.0, 2000.0) == pytest.approx(2200.0)
    assert carried("cured_anterior_mm", 1.0, 3.0, 2.5) == pytest.approx(0.5)
    assert carried("leaked_ml", 0.4, 0.0, 0.0) == pytest.approx(0.4)
    assert carried("right_share", 0.9, 0.5, 0.7) == 1.0
    assert carried("cement_ml", 0.0, 4.0, 5.0) == 0.0
    assert carried("openings", 1.0, 2.0, 3.0) == 2.0


@pytest.mark.parametrize(
    ("name", "fine", "coarse", "member", "most", "expected"),
    [
        ("cement_ml", 5.0, 0.5, 4.0, 5.0, 5.0),
        ("cement_ml", 2.0, 0.5, 1.5, 5.0, 3.0),
        ("cement_ml", 3.0, 3.0, 6.0, 5.0, 6.0),
        ("leaked_ml", 0.015, 1e-5, 0.01, 5.0, 0.02499),
        ("leaked_ml", 0.0, 0.4, 0.1, 5.0, 0.0),
        ("balloon_volume_ml", 3.0, 1.0, 4.0, 4.0, 4.0),
        ("cavity_ml", 3.0, 2.0, 1.0, 8.0, 1.5),
        ("balloon_pressure_mpa", 2.5, 1.0, 2.0, 2.76, 2.76),
    ],
)
def test_a_carried_amount_is_never_more_than_there_can_be(
    name: str, fine: float, coarse: float, member: float, most: float, expected: float
) -> None:
    assert carried(name, member, coarse, fine, most) == pytest.approx(expected)


@given(*[st.floats(0, 8)] * 4)
def test_carried_volumes_keep_within_nothing_and_the_most(
    fine: float, coarse: float, member: float, most: float
) -> None:
    value = carried("cement_ml", member, coarse, fine, most)
    assert 0 <= value <= max(most, member)
    if member == coarse:
        assert value == pytest.approx(min(fine, max(most, member)))


def test_a_band_holds_the_nominal_and_every_member() -> None:
    nominal = {"k": {"strength_n": 2000.0, "only_nominal_mm": 1.0, "cement_ml": 5.0}}
    coarse = {"k": {"strength_n": 1000.0, "cement_ml": 0.5}}
    members = [{"k": {"strength_n": value, "cement_ml": value / 300}} for value in (900.0, 1300.0)] + [{}]
    found = bands(nominal, coarse, members, {"k": {"cement_ml": 5.0}})["k"]
    assert (found["strength_n"].low, found["strength_n"].high) == pytest.approx((1800.0, 2600.0))
    assert found["strength_n"].members == 2 and found["only_nominal_mm"].members == 0
    assert (found["cement_ml"].low, found["cement_ml"].high) == (5.0, 5.0)
    assert found["only_nominal_mm"].low is None and found["only_nominal_mm"].reason


def test_the_ends_of_a_design_are_the_ends_that_are_told() -> None:
    told = {unknown.name: (unknown.low, unknown.high) for unknown in unknowns(9.0, ParameterSet())}
    for sign, place in ((-1, 0), (1, 1)):
        draw = corner(np.full(len(NAMES), sign, np.int8))
        values = (
            9.0 * draw.density_sd, draw.permeability, draw.interface, float(draw.mobility == "mobile"),
            draw.preload_n, draw.spring_n_per_mm, draw.viscosity,
        )  # fmt: skip
        assert values == pytest.approx([told[name][place] for name in NAMES])
