"""Power-law fluid in pores, in a pipe and round a point: closed forms in mm, s and MPa.

A fluid of consistency K (MPa s^n) and exponent n moves through pores of permeability k (mm2) and porosity phi as
|u|^n = (k / mu) |grad p|, mu = (K / 12) (9 + 3 / n)^n (150 k phi)^((1 - n) / 2) (Christopher and Middleman 1965).
With n = 1 this is Darcy's law and mu is the viscosity.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def pore_viscosity(
    permeability_mm2: NDArray[np.float64], porosity: NDArray[np.float64], exponent: float
) -> NDArray[np.float64]:
    """mu / K of the porous power law, mm^(1 - n), same shape as the permeability."""
    shape = (9 + 3 / exponent) ** exponent / 12
    return np.asarray(shape * (150 * permeability_mm2 * porosity) ** ((1 - exponent) / 2))


def radial_drop_mpa(resistance: float, flow_mm3_s: float, exponent: float, inner_mm: float, outer_mm: float) -> float:
    """Pressure drop of radial flow from a point between two radii, MPa.

    Parameters
    ----------
    resistance : mu / k, MPa s^n / mm^(1 + n).
    flow_mm3_s : volume flow through every sphere about the point.
    """
    speed_at_1_mm = (flow_mm3_s / (4 * math.pi)) ** exponent
    return float(resistance * speed_at_1_mm * float(_radial_integral(np.array(outer_mm), inner_mm, exponent)))


def _radial_integral(outer_mm: NDArray[np.float64], inner_mm: float, exponent: float) -> NDArray[np.float64]:
    """Integral of r^(-2n) from the inner to the outer radius."""
    power = 1 - 2 * exponent
    if abs(power) < 1e-9:
        return np.asarray(np.log(outer_mm / inner_mm))
    return np.asarray((outer_mm**power - inner_mm**power) / power)


def radial_profile_mpa(
    resistance: float, flow_mm3_s: float, exponent: float, inner_mm: float, outer_mm: NDArray[np.float64]
) -> NDArray[np.float64]:
    """`radial_drop_mpa` to many outer radii (n,)."""
    speed_at_1_mm = (flow_mm3_s / (4 * math.pi)) ** exponent
    return np.asarray(resistance * speed_at_1_mm * _radial_integral(outer_mm, inner_mm, exponent))


def pipe_drop_mpa(
    consistency_mpa_s: float, exponent: float, flow_mm3_s: float, length_mm: float, diameter_mm: float
) -> float:
    """Pressure drop of a power-law fluid along a round pipe, MPa (Rabinowitsch; Hagen-Poiseuille at n = 1)."""
    radius = diameter_mm / 2
    rate = (3 + 1 / exponent) * flow_mm3_s / (math.pi * radius**3)
    return float(2 * length_mm / radius * consistency_mpa_s * rate**exponent)
