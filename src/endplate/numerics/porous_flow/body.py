"""A porous body as the flow solver sees it: capacity, and how well each face between two voxels conducts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.numerics.porous_flow.rheology import pore_viscosity
from endplate.numerics.voxel.bounding_box import bounding_box

ONE_VOXEL = (slice(0, 1), slice(0, 1), slice(0, 1))

Field = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PorousBody:
    """The box of voxels with pores, padded by one empty layer and laid out flat.

    Cell c has its next along axis a at c + stride[a].

    Attributes
    ----------
    whole : (I, J, K) shape that the body was given on. first : index in it of the box's first voxel.
    shape : of the padded box. spacing_mm : edge of the cubes. exponent : n of the power law.
    capacity_mm3 : (N,) fluid that a voxel can take, zero in solid.
    face : (3, N) conductance factor of the face towards the next voxel along each axis: conductance for flow in
    mm3/s per MPa is face * |u|^(1 - n) / K. outlet : (N,) the same towards the outside at zero pressure.
    area_mm2 : (3, N) open area of those faces. mobility : (N,) k / mu at K = 1, mean over directions.
    """

    whole: tuple[int, int, int]
    first: tuple[int, int, int]
    shape: tuple[int, int, int]
    spacing_mm: float
    exponent: float
    capacity_mm3: Field
    face: Field
    outlet: Field
    area_mm2: Field
    mobility: Field

    @property
    def stride(self) -> NDArray[np.int64]:
        """(3,) flat distance to the next voxel along each axis."""
        return np.array([self.shape[1] * self.shape[2], self.shape[2], 1], dtype=np.int64)

    @property
    def _box(self) -> tuple[slice, ...]:
        return tuple(slice(a, a + n - 2) for a, n in zip(self.first, self.shape, strict=True))

    def flat(self, field: NDArray[Any]) -> NDArray[Any]:
        """A field (I, J, K) as (N,)."""
        return np.pad(field[self._box], 1).ravel()

    def unflat(self, flat: NDArray[Any]) -> NDArray[Any]:
        """A flat field (N,) as (I, J, K), zero outside the box."""
        field = np.zeros(self.whole, flat.dtype)
        field[self._box] = flat.reshape(self.shape)[1:-1, 1:-1, 1:-1]
        return field

    def holds(self, ijk: NDArray[np.int64]) -> NDArray[np.bool_]:
        """(n,) whether indices (n, 3) lie in the box."""
        own = np.asarray(ijk) - self.first
        return np.asarray(((own >= 0) & (own < np.array(self.shape) - 2)).all(axis=1))

    def flat_index(self, ijk: NDArray[np.int64]) -> NDArray[np.int64]:
        """Flat places of those of the indices (n, 3) that the box holds."""
        own = np.asarray(ijk)[self.holds(ijk)] - self.first + 1
        return np.asarray(np.ravel_multi_index(tuple(own.T), self.shape).astype(np.int64))

    def place(self, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """Indices (n, 3) of flat places, as floats."""
        return np.stack(np.unravel_index(cells, self.shape), axis=-1).astype(float) - 1 + self.first


def porous_body(
    *,
    spacing_mm: float,
    exponent: float,
    filled: NDArray[np.floating],
    porosity: NDArray[np.floating],
    uptake: NDArray[np.floating],
    permeability_mm2: NDArray[np.floating],
    anisotropy: tuple[float, float, float] = (1.0, 1.0, 1.0),
    opened_mm2: NDArray[np.floating] | None = None,
) -> PorousBody:
    """Lay a body out for the solver.

    Parameters
    ----------
    filled : (I, J, K) fraction of each voxel inside the body, 0 for solid and outside.
    porosity : (I, J, K) pores per volume inside. uptake : (I, J, K) share of the pores that the fluid can displace.
    permeability_mm2 : (I, J, K) along the axis whose `anisotropy` is 1. anisotropy : factors for the three axes.
    opened_mm2 : (I, J, K) area of the voxel that lies open to the outside; none when absent.
    """
    filled, porosity, uptake, permeability = (
        np.asarray(f, float) for f in (filled, porosity, uptake, permeability_mm2)
    )
    opened = np.zeros_like(filled) if opened_mm2 is None else np.asarray(opened_mm2, float)
    inside = (filled > 0) & (porosity > 0) & (permeability > 0)
    box = bounding_box(inside) or ONE_VOXEL
    inside, filled, porosity, uptake, permeability, opened = (
        np.pad(f[box], 1) for f in (inside, filled, porosity, uptake, permeability, opened)
    )
    mean_factor = float(np.prod(anisotropy)) ** (1 / 3)
    safe = np.where(inside, permeability * mean_factor, 1.0)
    mobility = np.where(inside, safe / pore_viscosity(safe, np.where(inside, porosity, 1.0), exponent), 0.0)
    share = np.where(inside, np.clip(filled, 0, 1), 0.0)
    face, area = _faces(mobility, share, np.array(anisotropy) / mean_factor, spacing_mm)
    i, j, k = filled.shape
    a, b, c = np.shape(permeability_mm2)
    return PorousBody(
        whole=(a, b, c),
        first=(box[0].start, box[1].start, box[2].start),
        shape=(i, j, k),
        spacing_mm=spacing_mm,
        exponent=exponent,
        capacity_mm3=(share * porosity * uptake * spacing_mm**3).ravel(),
        face=face,
        # From the voxel's centre to the opening is half an edge.
        outlet=(2 * mobility * opened / spacing_mm).ravel(),
        area_mm2=area,
        mobility=mobility.ravel(),
    )


def _faces(mobility: Field, share: Field, stretch: Field, spacing_mm: float) -> tuple[Field, Field]:
    """Conductance factors (3, N), from harmonic means of the mobility, and open areas (3, N) of all faces."""
    face, area = np.zeros((2, 3, mobility.size))
    for axis in range(3):
        here, there = mobility.ravel(), np.roll(mobility, -1, axis).ravel()
        between = 2 * here * there / np.where(here + there > 0, here + there, 1)
        area[axis] = np.minimum(share, np.roll(share, -1, axis)).ravel() * spacing_mm**2
        face[axis] = stretch[axis] * between * area[axis] / spacing_mm
    return face, area
