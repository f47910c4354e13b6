"""From the points back to the caller's voxels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from endplate.numerics.mpm.engine import Engine
from endplate.numerics.mpm.surface import Surface, inside_surface

SAMPLES = 3
"""Places along a voxel's edge at which it is asked whether it lies in a cavity: 27 of them, 4 % of a voxel each."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class VoxelFields:
    """What the voxels hold; identical to what the cloud was filled from when nothing has moved.

    Attributes
    ----------
    fill : (I, J, K) share of the voxel that material fills, 0..1. density_g_cm3 : (I, J, K) of that material.
    cavity : (I, J, K) share that lies inside a balloon and holds no material.
    came_from_mm : (I, J, K, 3) motion since the start of the material now in the voxel, NaN where there is none.
    hardening : (I, J, K) mean plastic strain. start_density_g_cm3 : (I, J, K) the same material's density at first.
    mass_mg : of all voxels together; what left the grid is missing.
    """

    fill: NDArray[np.float64]
    density_g_cm3: NDArray[np.float64]
    cavity: NDArray[np.float64]
    came_from_mm: NDArray[np.float64]
    hardening: NDArray[np.float64]
    start_density_g_cm3: NDArray[np.float64]
    mass_mg: float


def particles_to_voxels(engine: Engine) -> VoxelFields:
    """Share out every point, as the box that it stands for, over the voxels that the box overlaps.

    Where boxes overlap and a voxel would be more than full, its density is that of its mass: mass is never lost.
    """
    cloud, h = engine.particles, engine.spacing_mm
    moved = cloud.position - cloud.start
    values = np.column_stack(
        [
            cloud.volume,
            cloud.mass,
            cloud.volume * cloud.hardening,
            cloud.start_volume * 1.0,
            cloud.volume[:, None] * moved,
        ]
    )
    total = np.zeros((*engine.shape, values.shape[1]))
    _share_boxes(cloud.position / h, cloud.extent / h, values, total)
    volume, mass = total[..., 0], total[..., 1]
    filled = volume > 1e-9 * h**3
    safe = np.where(filled, volume, 1.0)
    full = np.minimum(volume, h**3)
    before = np.where(filled, total[..., 3], 1.0)
    return VoxelFields(
        fill=full / h**3,
        density_g_cm3=np.where(filled, mass / np.where(filled, full, 1.0), 0.0),
        cavity=np.minimum(cavity_share(engine), 1 - full / h**3),
        came_from_mm=np.where(filled[..., None], total[..., 4:] / safe[..., None], np.nan),
        hardening=np.where(filled, total[..., 2] / safe, 0.0),
        start_density_g_cm3=np.where(filled, mass / before, 0.0),
        mass_mg=float(mass.sum()),
    )


def cavity_share(engine: Engine) -> NDArray[np.float64]:
    """(I, J, K) share of each voxel inside a balloon."""
    out = np.zeros(engine.shape)
    at = (np.arange(SAMPLES) + 0.5) / SAMPLES
    places = np.stack(np.meshgrid(at, at, at, indexing="ij"), axis=-1).reshape(-1, 3)
    for balloon in engine.balloons:
        out += _inside_share(balloon.surface, places, engine.shape, engine.spacing_mm)
    return np.minimum(out, 1.0)


def _inside_share(
    surface: Surface, places: NDArray[np.float64], shape: tuple[int, int, int], spacing_mm: float
) -> NDArray[np.float64]:
    out = np.zeros(shape)
    low = np.maximum(np.floor(surface.vertices.min(axis=0) / spacing_mm).astype(int), 0)
    high = np.minimum(np.ceil(surface.vertices.max(axis=0) / spacing_mm).astype(int), shape)
    if (high <= low).any():
        return out
    size = tuple(int(n) for n in high - low)
    voxel = np.moveaxis(np.indices(size), 0, -1).reshape(-1, 1, 3) + low
    inside = inside_surface(surface, ((voxel + places) * spacing_mm).reshape(-1, 3))
    box = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    out[box] = inside.reshape(-1, len(places)).mean(axis=1).reshape(size)
    return out


@njit(cache=True)
def _share_boxes(centre, extent, values, out):  # type: ignore[no-untyped-def]
    """Add values (n, c) of boxes, all in voxels, to the voxels (I, J, K, c) by overlap; what lies outside is lost."""
    first, last = np.empty(3, dtype=np.int64), np.empty(3, dtype=np.int64)
    for p in range(centre.shape[0]):
        for d in range(3):
            # a box that ends on a border, but for rounding, does not reach beyond it
            first[d] = max(int(np.floor(centre[p, d] - 0.5 * extent[p, d] + 1e-9)), 0)
            last[d] = min(int(np.ceil(centre[p, d] + 0.5 * extent[p, d] - 1e-9)), out.shape[d])
        for i in range(first[0], last[0]):
            a = _overlap(centre[p, 0], extent[p, 0], i)
            for j in range(first[1], last[1]):
                b = a * _overlap(centre[p, 1], extent[p, 1], j)
                for k in range(first[2], last[2]):
                    share = b * _overlap(centre[p, 2], extent[p, 2], k)
                    for c in range(values.shape[1]):
                        out[i, j, k, c] += share * values[p, c]


@njit(cache=True)
def _overlap(centre, extent, index):  # type: ignore[no-untyped-def]
    """Share of an interval that lies in the voxel `index`."""
    low, high = max(centre - 0.5 * extent, float(index)), min(centre + 0.5 * extent, index + 1.0)
    return min(max(high - low, 0.0) / extent, 1.0)
