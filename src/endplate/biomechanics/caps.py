"""Layers over both endplates through which the body is loaded: flat outside, filling the endplate's shape inside."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.cited import cited

CAP_MM = cited(5.0, "mm", "PMMA layer over each endplate", "verified", cite="walle_2025")
ENDPLATE_DEPTH_MM = cited(
    5.0,
    "mm",
    "Columns that end deeper below the endplate's plane are body wall or overhang",
    "design",
)
RIM_MM = cited(3.0, "mm", "Outer columns left out of the plane fit, as rims and osteophytes tilt it", "design")


def add_cap(bone: NDArray[np.bool_], arch: NDArray[np.bool_], voxel_mm: float) -> NDArray[np.bool_]:
    """Voxels of a cap above the body (head side, large k), with a flat outer face.

    Parameters
    ----------
    bone : (I, J, K) body. arch : (I, J, K), never touched by the cap. voxel_mm : voxel edge.
    """
    surface = np.where(bone.any(axis=2), bone.shape[2] - 1 - np.argmax(bone[:, :, ::-1], axis=2), -1)
    columns = endplate_columns(surface, voxel_mm)
    top = surface[columns]
    outer = int(max(round(float(top.mean() + CAP_MM / voxel_mm)), top.max() + 1))
    k = np.arange(bone.shape[2])
    cap = columns[:, :, None] & (k > surface[:, :, None]) & (k <= outer)
    return np.asarray(cap & ~bone & ~ndimage.binary_dilation(arch))


def endplate_columns(surface: NDArray[np.int64], voxel_mm: float) -> NDArray[np.bool_]:
    """Columns (I, J) of the endplate, holes filled, from the height map of the body (-1 where there is none)."""
    footprint = surface >= 0
    core = ndimage.binary_erosion(footprint, iterations=max(1, round(RIM_MM / voxel_mm)))
    core = core if core.sum() > 3 else footprint
    i, j = np.nonzero(core)
    rows = np.stack([i, j, np.ones_like(i)], axis=1).astype(float)
    plane, *_ = np.linalg.lstsq(rows, surface[core].astype(float), rcond=None)
    ii, jj = np.indices(surface.shape)
    height = surface - (plane[0] * ii + plane[1] * jj + plane[2])
    near = footprint & (height > -ENDPLATE_DEPTH_MM / voxel_mm)
    labels, count = ndimage.label(near)
    if count > 1:
        near = labels == 1 + int(np.argmax(np.bincount(labels.ravel())[1:]))
    return np.asarray(ndimage.binary_fill_holes(near) & footprint)
