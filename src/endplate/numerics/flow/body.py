"""A porous body as the flow solver sees it: capacity, and how well each face between two voxels conducts."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.numerics.flow.rheology import pore_viscosity

Field = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PorousBody:
    """Voxels padded by one empty layer and laid out flat; cell c has its next along axis a at c + stride[a].

    Attributes
    ----------
    shape : of the padded box. spacing_mm : edge of the cubes. exponent : n of the power law.
    capacity_mm3 : (N,) fluid that a voxel can take, zero in solid.
    face : (3, N) conductance factor of the face towards the next voxel along each axis: conductance for flow in
    mm3/s per MPa is face * |u|^(1 - n) / K. outlet : (N,) the same towards the outside at zero pressure.
    area_mm2 : (3, N) open area of those faces. mobility : (N,) k / mu at K = 1, mean over directions.
    """

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

    def flat(self, field: NDArray) -> NDArray:
        """A field on the unpadded voxels as (N,)."""
        return np.pad(field, 1).ravel()

    def unflat(self, flat: NDArray) -> NDArray:
        """A flat field (N,) on the unpadded voxels."""
        return flat.reshape(self.shape)[1:-1, 1:-1, 1:-1].copy()

    def flat_index(self, ijk: NDArray[np.int64]) -> NDArray[np.int64]:
        """Flat places (n,) of unpadded indices (n, 3)."""
        return np.ravel_multi_index(tuple((np.asarray(ijk) + 1).T), self.shape).astype(np.int64)

    def place(self, cells: NDArray[np.int64]) -> NDArray[np.float64]:
        """Unpadded indices (n, 3) of flat places, as floats."""
        return np.stack(np.unravel_index(cells, self.shape), axis=-1).astype(float) - 1


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
    filled, porosity, permeability = (np.asarray(f, float) for f in (filled, porosity, permeability_mm2))
    mean = permeability * float(np.prod(anisotropy)) ** (1 / 3)
    inside = (filled > 0) & (porosity > 0) & (permeability > 0)
    safe = np.where(inside, mean, 1.0)
    mobility = np.where(inside, safe / pore_viscosity(safe, np.where(inside, porosity, 1.0), exponent), 0.0)
    stretch = np.array(anisotropy) / float(np.prod(anisotropy)) ** (1 / 3)
    open_share = np.where(inside, np.clip(filled, 0, 1), 0.0)
    pad = [np.pad(f, 1) for f in (mobility, open_share)]
    face, area = np.zeros((2, 3, pad[0].size))
    for axis in range(3):
        here, there = (np.roll(pad[0], shift, axis).ravel() for shift in (0, -1))
        both = np.minimum(pad[1], np.roll(pad[1], -1, axis)).ravel()
        mean_mobility = 2 * here * there / np.where(here + there > 0, here + there, 1)
        area[axis] = both * spacing_mm**2
        face[axis] = stretch[axis] * mean_mobility * area[axis] / spacing_mm
    opened = np.zeros_like(filled) if opened_mm2 is None else np.asarray(opened_mm2, float)
    i, j, k = (n + 2 for n in filled.shape)
    return PorousBody(
        shape=(i, j, k),
        spacing_mm=spacing_mm,
        exponent=exponent,
        capacity_mm3=np.pad(open_share * porosity * uptake * spacing_mm**3, 1).ravel(),
        face=face,
        # From the voxel's centre to the opening is half an edge.
        outlet=2 * pad[0].ravel() * np.pad(opened, 1).ravel() / spacing_mm,
        area_mm2=area,
        mobility=pad[0].ravel(),
    )
