"""Foam whose cohesion is lost across one axis alone: pulled apart along it with next to no force, whole elsewhere."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from endplate.numerics.mpm.foam import FOAM, FoamLaw
from endplate.numerics.mpm.return_mapping import tensile_share, update

LAW = FoamLaw(modulus_mpa=2980, modulus_power=1.05, strength_mpa=37.4, strength_power=1.39, weak_plane=True)
ALL_WAYS = replace(LAW, weak_plane=False)
E_MPA, Y_MPA, STRAIN = 100.0, 1.0, 0.02
X, Y, Z = 0, 1, 2


def pulled(axis: int, law: FoamLaw, cohesion: float, strain: float = STRAIN) -> tuple[float, ...]:
    """What `update` makes of a pull along one axis at constant width."""
    move = np.zeros(9)
    move[4 * axis] = strain
    return update(move, (0.0,) * 6, Y_MPA, 10.0, cohesion, E_MPA, FOAM, law.packed())


@pytest.mark.parametrize("cohesion", [0.9, 0.5, 0.03])
def test_the_tensile_strength_lies_on_the_ellipse(cohesion: float) -> None:
    share = tensile_share(cohesion, LAW.packed())
    shift = 0.5 * (1 - cohesion) * np.sqrt(1.5 / 4.5)
    assert share**2 + 4.5 * (share / 3 + shift) ** 2 == pytest.approx(1.5 * (0.5 * (1 + cohesion)) ** 2)


def test_crushed_foam_is_pulled_apart_along_the_weak_axis_by_next_to_nothing() -> None:
    out = pulled(Z, LAW, LAW.lost_cohesion)
    assert out[Z] == pytest.approx(tensile_share(LAW.lost_cohesion, LAW.packed()) * Y_MPA, rel=1e-6)
    assert out[Z] < 0.06
    # what only opens a plane neither crushes foam nor pulls on its width beyond what it bears
    assert out[6] == 0.0
    assert out[X] == pytest.approx(LAW.poisson / (1 - LAW.poisson) * out[Z], rel=1e-6)


def test_foam_that_thins_out_is_weaker_from_the_next_step_on() -> None:
    packed, thin = LAW.packed(), np.array([1 / (1 + STRAIN)])
    weaker = float(
        LAW.strength(thin, np.ones(1), np.zeros(1))[0] / LAW.strength(np.ones(1), np.ones(1), np.zeros(1))[0]
    )
    assert weaker == pytest.approx((1 + STRAIN) ** -LAW.growth, rel=1e-6)
    # within the step a squeeze hardens at once, which only steadies it
    squeezed, wide = (
        pulled(Z, LAW, LAW.cohesion, -0.2),
        pulled(Z, replace(LAW, compaction_power=0.0), LAW.cohesion, -0.2),
    )
    assert -squeezed[Z] > 1.2 * -wide[Z]
    assert tensile_share(LAW.lost_cohesion, packed) < tensile_share(LAW.cohesion, packed)


@pytest.mark.parametrize("axis", [X, Y])
def test_across_the_weak_axis_crushed_foam_bears_what_sound_foam_does(axis: int) -> None:
    crushed, sound = pulled(axis, LAW, LAW.lost_cohesion), pulled(axis, LAW, LAW.cohesion)
    assert crushed[axis] > 0.9 * sound[axis]
    assert crushed[axis] > 3 * pulled(axis, ALL_WAYS, LAW.lost_cohesion)[axis]


def test_a_push_along_the_weak_axis_is_that_of_sound_foam() -> None:
    for strain in (-0.002, -0.05):
        assert pulled(Z, LAW, LAW.lost_cohesion, strain) == pulled(Z, LAW, LAW.cohesion, strain)


def test_sound_foam_has_no_weak_plane() -> None:
    for axis in (X, Y, Z):
        assert pulled(axis, LAW, LAW.cohesion) == pulled(axis, ALL_WAYS, LAW.cohesion)


def test_foam_that_is_weaker_across_keeps_its_strength_along_and_its_ratio_of_moduli() -> None:
    share = 0.577
    law = replace(LAW, across=share)
    small = 1e-4
    moved = [
        pulled(axis, law, law.cohesion, small)[axis] / pulled(axis, ALL_WAYS, law.cohesion, small)[axis]
        for axis in (X, Z)
    ]
    assert moved == pytest.approx([share**2, 1.0], rel=1e-6)
    crushed = [-pulled(axis, law, law.cohesion, -0.2)[axis] for axis in (X, Z)]
    same = [-pulled(axis, ALL_WAYS, law.cohesion, -0.2)[axis] for axis in (X, Z)]
    assert crushed[1] == pytest.approx(same[1], rel=1e-9)
    assert crushed[0] == pytest.approx(share * same[0], rel=0.05)


def test_energy_of_weaker_foam_comes_back_when_nothing_yields() -> None:
    law = replace(LAW, across=0.577)
    rng = np.random.default_rng(11)
    move = 1e-5 * rng.standard_normal(9)
    out = update(move, (0.0,) * 6, Y_MPA, 10.0, law.cohesion, E_MPA, FOAM, law.packed())
    assert out[6] == 0.0 and out[9] > 0
    assert out[10] == pytest.approx(0.0, abs=1e-6 * out[9])


@pytest.mark.parametrize("bad", [0.0, 1.2])
def test_an_impossible_share_across_is_refused(bad: float) -> None:
    with pytest.raises(ValueError, match="across"):
        replace(LAW, across=bad)
