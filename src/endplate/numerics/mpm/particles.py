"""The cloud of material points: what each carries along."""

from __future__ import annotations

from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

from endplate.numerics.mpm.foam import ELASTIC, FOAM, J2, FoamLaw
from endplate.numerics.mpm.surface import Surface, inside_surface

PER_EDGE = 2
"""Points along each edge of a voxel."""

NEVER = 1e30
"""MPa: the yield stress of what never yields."""


@dataclass(slots=True, kw_only=True, eq=False)
class Particles:
    """Material points in C order of their voxels, eight to a voxel.

    Attributes
    ----------
    position, start : (n, 3) mm now and at first, from the outer corner of voxel 0.
    volume, start_volume : (n,) mm3. mass : (n,) mg. stress : (n, 6) MPa as xx, yy, zz, yz, xz, xy.
    hardening : (n,) equivalent plastic strain so far. extent : (n, 3) mm edges of the box that a point stands for.
    factor_e, factor_y : (n,) on modulus and yield. kind : (n,) int8, ELASTIC, FOAM or J2.
    opened : (n,) logarithmic stretch along the last axis since the start.
    own_modulus, own_yield : (n,) MPa of points that are not foam. voxel : (n,) flat number of the voxel of origin.
    """

    position: NDArray[np.float64]
    start: NDArray[np.float64]
    volume: NDArray[np.float64]
    start_volume: NDArray[np.float64]
    mass: NDArray[np.float64]
    stress: NDArray[np.float64]
    hardening: NDArray[np.float64]
    opened: NDArray[np.float64]
    extent: NDArray[np.float64]
    factor_e: NDArray[np.float64]
    factor_y: NDArray[np.float64]
    kind: NDArray[np.int8]
    own_modulus: NDArray[np.float64]
    own_yield: NDArray[np.float64]
    voxel: NDArray[np.int64]

    @property
    def size(self) -> int:
        """Number of points."""
        return int(self.volume.size)

    def density(self) -> NDArray[np.float64]:
        """(n,) g/cm3 now."""
        return self.mass / self.volume

    def start_density(self) -> NDArray[np.float64]:
        """(n,) g/cm3 at first."""
        return self.mass / self.start_volume

    def modulus(self, law: FoamLaw) -> NDArray[np.float64]:
        """(n,) MPa now."""
        foam = law.modulus(self.density(), self.hardening) * self.factor_e
        return np.where(self.kind == FOAM, foam, self.own_modulus)

    def strength(self, law: FoamLaw) -> NDArray[np.float64]:
        """(n,) MPa now: crushing strength of foam, yield stress of the rest."""
        foam = law.strength(self.density(), self.start_density(), self.hardening) * self.factor_y
        return np.where(self.kind == FOAM, foam, self.own_yield)

    def stored(self, law: FoamLaw, modulus: NDArray[np.float64] | None = None) -> float:
        """Elastic energy, N mm."""
        side = np.where(self.kind == FOAM, law.across, 1.0)[:, None]
        s = self.stress / np.hstack([side, side, np.ones_like(side), np.sqrt(side), np.sqrt(side), side])
        trace = s[:, 0] + s[:, 1] + s[:, 2]
        square = (s[:, :3] ** 2).sum(axis=1) + 2 * (s[:, 3:] ** 2).sum(axis=1)
        stiff = self.modulus(law) if modulus is None else modulus
        return float(np.sum(self.volume * ((1 + law.poisson) * square - law.poisson * trace**2) / (2 * stiff)))

    def inside(self, surface: Surface) -> NDArray[np.bool_]:
        """(n,) whether a point lies inside a closed surface."""
        return inside_surface(surface, self.position)

    def keep(self, mask: NDArray[np.bool_]) -> Particles:
        """The points of a mask (n,)."""
        return Particles(**{f.name: np.ascontiguousarray(getattr(self, f.name)[mask]) for f in fields(self)})

    def copy(self) -> Particles:
        """The same points with arrays of their own."""
        return Particles(**{f.name: getattr(self, f.name).copy() for f in fields(self)})

    @property
    def nbytes(self) -> int:
        """Bytes held."""
        return sum(getattr(self, f.name).nbytes for f in fields(self))


def fill_cloud(  # noqa: PLR0913
    density_g_cm3: NDArray[np.floating],
    fill: NDArray[np.floating],
    spacing_mm: float,
    *,
    kind: NDArray[np.integer] | None = None,
    factor_e: NDArray[np.floating] | None = None,
    factor_y: NDArray[np.floating] | None = None,
    modulus_mpa: NDArray[np.floating] | None = None,
    yield_mpa: NDArray[np.floating] | None = None,
    per_edge: int = PER_EDGE,
) -> Particles:
    """Eight points in every voxel that holds anything, each with an eighth of what is in it.

    Parameters
    ----------
    density_g_cm3 : (I, J, K) of what fills the voxel. fill : (I, J, K) share of the voxel that is filled.
    kind : (I, J, K) codes, foam where absent. factor_e, factor_y : (I, J, K) on E and Y, 1 where absent.
    modulus_mpa, yield_mpa : (I, J, K) of voxels that are not foam; without yield they never yield.
    per_edge : points along an edge of a voxel.

    Raises
    ------
    ValueError : arrays of different shape, nothing filled, foam without density, or another kind without modulus.
    """
    shape = np.shape(fill)
    given = (density_g_cm3, kind, factor_e, factor_y, modulus_mpa, yield_mpa)
    if len(shape) != 3 or any(a is not None and np.shape(a) != shape for a in given):
        raise ValueError(f"all arrays must have the three-dimensional shape of fill, {shape}")
    voxel = np.flatnonzero(np.asarray(fill) > 0)
    if voxel.size == 0:
        raise ValueError("no voxel is filled")
    kinds = np.full(voxel.size, FOAM, np.int8) if kind is None else np.asarray(kind).ravel()[voxel].astype(np.int8)
    density = _taken(density_g_cm3, voxel, 0.0)
    modulus, strength = _taken(modulus_mpa, voxel, 0.0), np.minimum(_taken(yield_mpa, voxel, NEVER), NEVER)
    if not (np.isin(kinds, (ELASTIC, FOAM, J2)).all() and np.isfinite(density).all() and (density >= 0).all()):
        raise ValueError("kinds must be known and densities finite and not negative")
    if (density[kinds == FOAM] <= 0).any() or (modulus[kinds != FOAM] <= 0).any():
        raise ValueError("foam needs a positive density and every other kind a positive modulus")
    each = per_edge**3
    place = (np.array(np.unravel_index(voxel, shape)).T[:, None, :] + _places(per_edge)) * spacing_mm
    volume = np.repeat(_taken(fill, voxel, 1.0) * spacing_mm**3 / each, each)
    position = np.ascontiguousarray(place.reshape(-1, 3))
    edge = np.cbrt(volume)
    return Particles(
        position=position,
        start=position.copy(),
        volume=volume,
        start_volume=volume.copy(),
        mass=volume * np.repeat(density, each),
        stress=np.zeros((volume.size, 6)),
        hardening=np.zeros(volume.size),
        opened=np.zeros(volume.size),
        extent=np.repeat(edge[:, None], 3, axis=1),
        factor_e=np.repeat(_taken(factor_e, voxel, 1.0), each),
        factor_y=np.repeat(_taken(factor_y, voxel, 1.0), each),
        kind=np.repeat(kinds, each),
        own_modulus=np.repeat(modulus, each),
        own_yield=np.repeat(strength, each),
        voxel=np.repeat(voxel, each),
    )


def _taken(values: NDArray[np.generic] | None, voxel: NDArray[np.int64], default: float) -> NDArray[np.float64]:
    """The values of some voxels, or a default for all."""
    if values is None:
        return np.full(voxel.size, default)
    return np.asarray(values, dtype=np.float64).ravel()[voxel]


def _places(per_edge: int) -> NDArray[np.float64]:
    """(n, 3) places of the points within a voxel."""
    at = (np.arange(per_edge) + 0.5) / per_edge
    return np.stack(np.meshgrid(at, at, at, indexing="ij"), axis=-1).reshape(-1, 3)
