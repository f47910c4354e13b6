"""Volumes of a results folder on the grid that the segmentations are written on."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.dicom_export.source_series import SourceSeries, canonical, stored_order
from endplate.image.volume import Grid

ALIGNED_VOXELS = 0.02
"""How far voxel centres of two grids may lie apart, in voxels, to count as the same."""


def segmentation_grid(series: SourceSeries, labels: Grid) -> Grid:
    """Where segmentations lie: the images' own grid, or that of the labels where the scan was straightened."""
    return series.grid if canonical(series.grid).matches(labels, tolerance_mm=0.05) else labels


def placed(values: NDArray[Any], source: Grid, target: Grid) -> NDArray[Any]:
    """Values on another grid by the nearest voxel, exact where the two share their voxels; 0 where the source ends.

    Parameters
    ----------
    values : ndarray, shape of `source`
        In the axis order closest to LPS.
    source : Grid
        Where they lie.
    target : Grid
        Any axis order.

    Returns
    -------
    ndarray, shape of `target`
    """
    upright = canonical(target)
    matrix = np.linalg.inv(source.affine) @ upright.affine
    shift = np.rint(matrix[:3, 3]).astype(int)
    far = np.abs(matrix - np.eye(4) - np.pad(shift[:, None], ((0, 1), (3, 0))))
    reach = far[:3, :3] @ np.array(upright.shape) + far[:3, 3]
    out: NDArray[Any]
    if reach.max() <= ALIGNED_VOXELS * 10 and far[:3, 3].max() <= ALIGNED_VOXELS:
        out = np.zeros(upright.shape, values.dtype)
        low = np.maximum(0, -shift)
        high = np.minimum(upright.shape, np.array(values.shape) - shift)
        if (high > low).all():
            there = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
            here = tuple(slice(a + s, b + s) for a, b, s in zip(low, high, shift, strict=True))
            out[there] = values[here]
    else:
        out = ndimage.affine_transform(values, matrix[:3, :3], matrix[:3, 3], upright.shape, order=0, mode="constant")
    return stored_order(out, target)
