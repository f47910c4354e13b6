"""A cavity that grows in a sphere, solved along the radius alone: an independent reference for the points.

Shells of material are followed with logarithmic strains; the return to the yield surface is found by bisection in the
two stresses of spherical symmetry, and equilibrium by Newton's method on the radii. Nothing is shared with the points
but the law.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.linalg import solve_banded

from endplate.errors import SolverError
from endplate.numerics.mpm.foam import FoamLaw

Double = NDArray[np.float64]

BISECTIONS = 44
"""Halvings of the bracket of the plastic multiplier: near rounding."""

TOLERANCE = 1e-6
"""Residual of the radial equilibrium over the force on the cavity's wall."""

NEWTON_STEPS = 40
"""Per increment of the radius, before it is halved."""

MAX_STRAIN = 0.015
"""Largest growth of the cavity's radius in one increment, relative."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RadialCourse:
    """Pressures (n,) MPa at the volumes asked for; radii (C,) mm and densities (C,) of the shells at the last."""

    pressure_mpa: Double
    radius_mm: Double
    density_g_cm3: Double


@dataclass(slots=True, eq=False)
class _Shells:
    """Nodes (C + 1,) mm; stresses (C, 2) radial and hoop, plastic strain, mass over 4 pi and first density (C,)."""

    radius: Double
    stress: Double
    hardening: Double
    mass: Double
    first: Double


class _Material:
    """The law at a point of spherical symmetry."""

    def __init__(self, law: FoamLaw, j2_mpa: tuple[float, float] | None) -> None:
        self.law, self.own = law, j2_mpa

    def stress(self, state: _Shells, radius: Double) -> tuple[Double, Double]:
        """Stresses (C, 2) and plastic strain of the increment (C,) when the nodes go to new radii."""
        law, before, hardening = self.law, state.radius, state.hardening
        radial = np.log(np.diff(radius) / np.diff(before))
        hoop = np.log((radius[1:] + radius[:-1]) / (before[1:] + before[:-1]))
        density, old = (state.mass / (np.diff(r**3) / 3) for r in (radius, before))
        modulus = law.modulus(old, hardening) if self.own is None else np.full(old.shape, self.own[0])
        lame = modulus * law.poisson / ((1 + law.poisson) * (1 - 2 * law.poisson)) * (radial + 2 * hoop)
        trial = state.stress + (modulus / (1 + law.poisson) * np.array([radial, hoop]) + lame).T
        if self.own is not None:
            none = np.zeros_like(modulus)
            return self._returned(trial, np.full(none.shape, self.own[1]), none, 0.0, modulus)
        k = law.cohesion_left(hardening)
        strength = law.strength(density, state.first, hardening)
        shift = 0.5 * (1 - k) * strength * np.sqrt(law.shape_factor / law.pressure_weight)
        return self._returned(trial, 0.5 * (1 + k) * strength, shift, law.pressure_weight, modulus)

    def _returned(
        self, trial: Double, strength: Double, shift: Double, weight: float, modulus: Double
    ) -> tuple[Double, Double]:
        poisson = self.law.poisson
        mean, deviator = trial @ [1 / 3, 2 / 3] + shift, trial[:, 0] - trial[:, 1]
        beta = 1 + weight / 9
        shear, bulk = 1.5 * modulus / (1 + poisson), weight * modulus / (3 - 6 * poisson)

        chi = _bisect(deviator, mean, shear, bulk, weight, np.sqrt(beta) * strength)
        mean, deviator = mean / (1 + bulk * chi) - shift, deviator / (1 + shear * chi)
        return np.stack([mean + 2 / 3 * deviator, mean - 1 / 3 * deviator], axis=1), chi * beta * strength


@njit(cache=True)
def _bisect(deviator, mean, shear, bulk, weight, radius):  # type: ignore[no-untyped-def]
    """Plastic multipliers (C,) that bring each cell to its ellipse; zero inside."""
    out = np.zeros(mean.size)
    for c in range(mean.size):
        low, high = 0.0, 0.0
        while _beyond(high, deviator[c], mean[c], shear[c], bulk[c], weight, radius[c]):
            low, high = high, max(2 * high, 1 / shear[c])
        for _ in range(BISECTIONS if high > 0 else 0):
            middle = 0.5 * (low + high)
            if _beyond(middle, deviator[c], mean[c], shear[c], bulk[c], weight, radius[c]):
                low = middle
            else:
                high = middle
        out[c] = 0.5 * (low + high)
    return out


@njit(cache=True)
def _beyond(chi, deviator, mean, shear, bulk, weight, radius):  # type: ignore[no-untyped-def]
    return (deviator / (1 + shear * chi)) ** 2 + weight * (mean / (1 + bulk * chi)) ** 2 > radius * radius


def _cell_forces(material: _Material, state: _Shells, radius: Double) -> Double:
    """(C, 2) N over 4 pi of each cell on its inner and outer node."""
    stress, _ = material.stress(state, radius)
    length, middle = np.diff(radius), 0.5 * (radius[1:] + radius[:-1])
    hoop = stress[:, 1] * middle * length
    return np.stack([-stress[:, 0] * middle**2 + hoop, stress[:, 0] * middle**2 + hoop], axis=1)


def _equilibrium(material: _Material, state: _Shells, wall: float, guess: Double) -> tuple[Double, float]:
    """Radii with the cavity's wall at `wall` and nothing on the outside, and the pressure on the wall.

    Raises
    ------
    SolverError : Newton's method found none.
    """
    radius = guess.copy()
    radius[0] = wall
    for _ in range(NEWTON_STEPS):
        cell = _cell_forces(material, state, radius)
        force = np.zeros_like(radius)
        force[:-1] += cell[:, 0]
        force[1:] += cell[:, 1]
        # stresses that carry nothing at first have no scale but that of the first yield
        scale = max(abs(cell[0, 0]), 1e-6 * wall**2)
        if np.abs(force[1:]).max() <= TOLERANCE * scale:
            return radius, float(cell[0, 0]) / wall**2
        radius = _newton_step(material, state, radius, cell, force)
        if (np.diff(radius) <= 0).any() or not np.isfinite(radius).all():
            break
    raise SolverError("the radial reference found no equilibrium", f"at a radius of {wall:.3f} mm", "use finer shells")


def _newton_step(material: _Material, state: _Shells, radius: Double, cell: Double, force: Double) -> Double:
    """Radii after one Newton step that moves no node past a third of its cell."""
    small = 1e-7 * float(np.diff(radius).min())
    low, high = radius.copy(), radius.copy()
    low[:-1] += small
    high[1:] += small
    # every cell depends on two nodes: moving its inner node alone, then its outer node alone
    inner, outer = np.empty_like(cell), np.empty_like(cell)
    for parity in (0, 1):
        moved = radius.copy()
        moved[parity::2] += small
        change = (_cell_forces(material, state, moved) - cell) / small
        inner[parity::2], outer[1 - parity :: 2] = change[parity::2], change[1 - parity :: 2]
    banded = np.zeros((3, radius.size))
    banded[1, :-1] += inner[:, 0]
    banded[1, 1:] += outer[:, 1]
    banded[0, 1:] = outer[:, 0]
    banded[2, :-1] = inner[:, 1]
    step = np.zeros_like(radius)
    try:
        step[1:] = solve_banded((1, 1), banded[:, 1:], -force[1:])
    except np.linalg.LinAlgError:
        return np.full_like(radius, np.nan)
    room = 0.3 * float(np.diff(radius).min())
    return radius + step * min(1.0, room / max(float(np.abs(np.diff(step)).max()), 1e-30))


def expand_cavity(
    law: FoamLaw,
    density_g_cm3: float,
    start_mm: float,
    outer_mm: float,
    volumes_mm3: Sequence[float],
    *,
    j2_mpa: tuple[float, float] | None = None,
    shells: int = 100,
) -> RadialCourse:
    """Pressures of a spherical cavity that grows in a sphere with a free outside.

    Parameters
    ----------
    start_mm, outer_mm : radii of cavity and sphere at first. volumes_mm3 : increasing volumes of the cavity.
    j2_mpa : modulus and yield stress of a body that yields by shape alone; None for the foam of the law.
    shells : of equal ratio of radii.

    Raises
    ------
    SolverError : an increment found no equilibrium however small.
    """
    radius = np.geomspace(start_mm, outer_mm, shells + 1)
    density = np.full(shells, density_g_cm3)
    state = _Shells(radius, np.zeros((shells, 2)), np.zeros(shells), density * np.diff(radius**3) / 3, density)
    material = _Material(law, j2_mpa)
    pressures = []
    for volume in volumes_mm3:
        goal = float(np.cbrt(3 * volume / (4 * np.pi)))
        pressure = 0.0
        while state.radius[0] < goal * (1 - 1e-12):
            pressure = _grow(material, state, min(goal, state.radius[0] * (1 + MAX_STRAIN)))
        pressures.append(pressure)
    middle = 0.5 * (state.radius[1:] + state.radius[:-1])
    return RadialCourse(
        pressure_mpa=np.array(pressures),
        radius_mm=middle,
        density_g_cm3=state.mass / (np.diff(state.radius**3) / 3),
    )


def _grow(material: _Material, state: _Shells, wall: float, halvings: int = 8) -> float:
    """Move the cavity's wall and take the new state; the pressure on it."""
    # incompressible flow is the first guess
    guess = np.cbrt(state.radius**3 + wall**3 - state.radius[0] ** 3)
    try:
        radius, pressure = _equilibrium(material, state, wall, guess)
    except SolverError:
        if halvings == 0:
            raise
        _grow(material, state, 0.5 * (state.radius[0] + wall), halvings - 1)
        return _grow(material, state, wall, halvings - 1)
    stress, strain = material.stress(state, radius)
    state.stress, state.radius = stress, radius
    state.hardening = state.hardening + strain
    return pressure
