"""Density laws: each with the density it was written for, never below the floor."""

from __future__ import annotations

import numpy as np
import pytest

from endplate.bone.material import LAWS, MODULUS_FLOOR_MPA, convert_density, density_law
from endplate.errors import OptionError

RHO = np.array([60.0, 100.0, 200.0, 800.0])


def test_kopperdahl_takes_k2hpo4_density_as_it_is() -> None:
    modulus, strength = density_law("kopperdahl").properties(RHO)
    np.testing.assert_allclose(modulus, 2980 * (RHO / 1000) ** 1.05)
    np.testing.assert_allclose(strength, 37.4 * (RHO / 1000) ** 1.39)


def test_default_yield_strain_is_that_of_the_reference() -> None:
    modulus, strength = density_law("kopperdahl").properties(np.array([100.0]))
    assert strength[0] / modulus[0] == pytest.approx(0.0057, abs=1e-4)


def test_morgan_law_receives_apparent_density_and_keller_ash() -> None:
    ash = 1.06 * RHO / 1000 + 0.0389
    np.testing.assert_allclose(density_law("morgan").properties(RHO)[0], 4730 * (ash / 0.6) ** 1.56)
    np.testing.assert_allclose(density_law("keller").properties(RHO)[0], 10500 * ash**2.29)


def test_keller_is_2_3_times_softer_than_kopperdahl_at_90_mg() -> None:
    soft, stiff = (density_law(name).properties(np.array([90.0]))[0][0] for name in ("keller", "kopperdahl"))
    assert stiff / soft == pytest.approx(2.3, abs=0.1)


@pytest.mark.parametrize("name", sorted(LAWS))
def test_every_law_rises_and_keeps_its_floor(name: str) -> None:
    density = np.linspace(-200, 1500, 400)
    modulus, strength = LAWS[name].properties(density)
    assert modulus.min() >= MODULUS_FLOOR_MPA and strength.min() > 0
    assert (np.diff(modulus) >= 0).all() and (np.diff(strength) >= 0).all()
    np.testing.assert_array_equal(modulus[density <= 0], LAWS[name].properties(np.zeros(1))[0][0])


def test_conversion_to_apparent_goes_through_ash() -> None:
    np.testing.assert_allclose(convert_density(RHO / 1000, "apparent") * 0.6, convert_density(RHO / 1000, "ash"))


def test_unknown_law_names_those_known() -> None:
    with pytest.raises(OptionError, match="kopperdahl"):
        density_law("carter")
