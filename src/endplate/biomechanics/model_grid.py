"""The cubes that a model stands on: along the vertebra's own axes, or the scan's own voxels."""

from __future__ import annotations

import numpy as np

from endplate.anatomy.vertebra import Vertebra
from endplate.biomechanics.caps import CAP_MM
from endplate.cited import cited
from endplate.errors import OptionError
from endplate.image.volume import Grid

SAME_SIZE_MM = cited(0.01, "mm", "Voxel edges that differ by less make cubes for this purpose", "design")


def own_grid(vertebra: Vertebra, voxel_mm: float) -> Grid:
    """Cubes along the vertebra's own axes (left, posterior, superior) that hold it and its layers."""
    axes = np.array([-vertebra.axes[0], -vertebra.axes[1], vertebra.axes[2]])
    inside = vertebra.grid.to_mm(np.argwhere(vertebra.fill > 0)) - vertebra.centroid_mm
    local = inside @ axes.T
    margin = float(vertebra.grid.spacing_mm.max()) + voxel_mm
    pad = np.array([margin, margin, margin + 2 * CAP_MM])
    # Whole numbers of voxels from the centroid, so that the model does not hang on the crop.
    first = np.floor((local.min(axis=0) - pad) / voxel_mm)
    last = np.ceil((local.max(axis=0) + pad) / voxel_mm)
    affine = np.eye(4)
    affine[:3, :3] = axes.T * voxel_mm
    affine[:3, 3] = vertebra.centroid_mm + (first * voxel_mm) @ axes
    i, j, k = (int(n) for n in last - first + 1)
    return Grid(shape=(i, j, k), affine=affine)


def scan_grid(vertebra: Vertebra, voxel_mm: float) -> Grid:
    """The scan's own voxels around the vertebra, padded for the layers.

    Raises
    ------
    OptionError : they are not cubes of that size.
    """
    spacing = vertebra.grid.spacing_mm
    if np.abs(spacing - voxel_mm).max() > SAME_SIZE_MM:
        size = " x ".join(f"{s:.2f}" for s in spacing)
        raise OptionError(
            f"the scan's voxels are {size} mm", "the model needs cubes", "let the model follow the vertebra's own axes"
        )
    pad = np.array([1, 1, int(np.ceil(2 * CAP_MM / voxel_mm))])
    return vertebra.grid.crop(-pad, np.array(vertebra.grid.shape) + pad)
