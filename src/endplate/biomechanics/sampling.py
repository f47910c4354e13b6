"""Density and fill of a vertebra on the grid of its model: noise smoothed in HU before anything nonlinear."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.vertebra import Vertebra
from endplate.bone.result import Calibration
from endplate.cited import cited
from endplate.image.volume import Grid, Volume
from endplate.numerics.voxel.cell_means import cell_means
from endplate.short_repr import short_repr

MIN_TRUST = cited(1e-6, "1", "Below this smoothed weight no bone is near; avoids dividing by zero", "design")
MIN_WEIGHT = cited(1e-3, "1", "Below this smoothed fill a voxel holds no bone to average", "design")
ON_GRID = cited(0.01, "1", "Grids offset by less than a hundredth of a voxel count as one", "design")
MAX_POINTS_PER_EDGE = cited(3, "1", "27 sample points resolve partial volume to about 4 % of a voxel", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BoneField:
    """Bone on a grid: fill (0..1), share of the body in it, density of the filled part in mg/cm3 K2HPO4."""

    grid: Grid
    fill: NDArray[np.float32]
    body: NDArray[np.float32]
    density_mg_cm3: NDArray[np.float32]

    __repr__ = short_repr

    @property
    def in_body(self) -> NDArray[np.float32]:
        """(I, J, K) share of each voxel that lies inside the body's outer surface."""
        return np.clip(self.fill, 0, 1) * np.clip(self.body, 0, 1)


def sample_bone(
    vertebra: Vertebra, volume: Volume, calibration: Calibration, grid: Grid, smoothing_mm: float
) -> BoneField:
    """Sample a vertebra on a grid.

    HU are smoothed with weights that fall with the cube of the fill, so that neither what lies beyond the surface nor
    the half-soft voxels on it leak in: edge voxels take the density of the bone beside them, and their lesser amount of
    bone is counted once, by the fill. Only then are HU turned into density. Each model voxel is the mean of its points.
    """
    weight = vertebra.fill.astype(np.float32)
    hu = hu_on(vertebra.grid, volume)
    sigma = smoothing_mm / vertebra.grid.spacing_mm
    trust = weight**3
    smooth_trust = ndimage.gaussian_filter(trust, sigma)
    smooth_hu = ndimage.gaussian_filter(trust * hu, sigma) / np.maximum(smooth_trust, MIN_TRUST)
    density = calibration.to_mg_cm3(smooth_hu)
    body_weight = np.where(vertebra.body, weight, np.float32(0))
    # Voxels outside the mask with a partial fill belong to the nearest part.
    loose = (weight > 0) & ~vertebra.body & ~vertebra.arch
    if loose.any():
        nearest = ndimage.distance_transform_edt(
            ~(vertebra.body | vertebra.arch), return_distances=False, return_indices=True
        )
        body_weight[loose] = (weight * vertebra.body[tuple(nearest)])[loose]
    fields = _sample((weight, body_weight, weight * density), vertebra.grid, grid)
    fill, body, mass = fields
    safe = np.maximum(fill, np.float32(MIN_WEIGHT))
    return BoneField(grid=grid, fill=fill, body=np.divide(body, safe), density_mg_cm3=np.divide(mass, safe))


def hu_on(grid: Grid, volume: Volume) -> NDArray[np.float32]:
    """HU of a volume on another grid: the very voxels where the grid is a crop of it, else trilinear."""
    first = volume.grid.to_index(grid.affine[:3, 3])
    start = np.rint(first).astype(int)
    same = np.allclose(volume.grid.affine[:3, :3], grid.affine[:3, :3], atol=1e-4)
    inside = (start >= 0).all() and (start + np.array(grid.shape) <= np.array(volume.grid.shape)).all()
    if same and inside and np.allclose(first, start, atol=ON_GRID):
        box = tuple(slice(a, a + n) for a, n in zip(start, grid.shape, strict=True))
        return np.asarray(volume.hu[box], dtype=np.float32)
    index = volume.grid.to_index(grid.to_mm(np.moveaxis(np.indices(grid.shape), 0, -1)))
    return np.asarray(
        ndimage.map_coordinates(np.asarray(volume.hu, np.float32), np.moveaxis(index, -1, 0), order=1, mode="nearest")
    )


def _sample(fields: tuple[NDArray[np.float32], ...], source: Grid, target: Grid) -> list[NDArray[np.float32]]:
    """Means of fields over the voxels of a target grid, from trilinear values at regular points inside each."""
    ratio = float(target.spacing_mm.max() / source.spacing_mm.min())
    per_edge = int(np.clip(np.ceil(ratio), 1, MAX_POINTS_PER_EDGE))
    return cell_means(fields, np.linalg.inv(source.affine) @ target.affine, target.shape, per_edge)
