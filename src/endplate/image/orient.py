"""Bring an image of any axis order and direction to the order closest to LPS, without interpolating."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment


def closest_lps(array: NDArray[Any], affine: NDArray[np.float64]) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Permute and flip the axes so that i runs to the left, j to the back and k to the head as closely as can be.

    Parameters
    ----------
    array : (I, J, K) voxels.
    affine : (4, 4) index to LPS mm.

    Returns
    -------
    array : the same voxels, C-contiguous, never aliasing the input's memory order by accident.
    affine : (4, 4) index to LPS mm of the new order; every voxel keeps its place in the patient.
    """
    order, flips = axis_order(affine)
    moved = array.transpose(order)
    moved = moved[tuple(slice(None, None, -1) if flip else slice(None) for flip in flips)]
    return np.ascontiguousarray(moved), reoriented_affine(array.shape, affine, order, flips)


def empty_lps(
    shape: tuple[int, int, int], affine: NDArray[np.float64], kept: np.dtype[Any]
) -> tuple[NDArray[Any], NDArray[Any]]:
    """An array in the order closest to LPS, and a view of it in the stored order to be filled: no second copy.

    Parameters
    ----------
    shape : (I, J, K) as stored. affine : (4, 4) stored index to LPS mm. kept : type of the values.
    """
    order, flips = axis_order(affine)
    values: NDArray[Any] = np.empty(tuple(shape[axis] for axis in order), kept)
    flipped = values[tuple(slice(None, None, -1) if flip else slice(None) for flip in flips)]
    return values, flipped.transpose([order.index(axis) for axis in range(3)])


def axis_order(affine: NDArray[np.float64]) -> tuple[tuple[int, int, int], tuple[bool, bool, bool]]:
    """Which input axis runs along left, posterior and superior, and whether it must be reversed.

    The assignment that maximises the summed direction cosines is used, so that no axis is taken twice even where
    an oblique scan has two axes close to the same direction.
    """
    linear = affine[:3, :3]
    cosines = linear / np.linalg.norm(linear, axis=0)
    _, columns = linear_sum_assignment(-np.abs(np.round(cosines, 9)))
    i, j, k = (int(c) for c in columns)
    flips = tuple(bool(cosines[row, column] < 0) for row, column in enumerate((i, j, k)))
    return (i, j, k), (flips[0], flips[1], flips[2])


def reoriented_affine(
    shape: tuple[int, ...], affine: NDArray[np.float64], order: tuple[int, int, int], flips: tuple[bool, bool, bool]
) -> NDArray[np.float64]:
    """The affine (4, 4) after `order` and `flips` are applied to an array of the given shape."""
    moved = np.eye(4)
    moved[:3, 3] = affine[:3, 3]
    for axis, (source, flip) in enumerate(zip(order, flips, strict=True)):
        column = affine[:3, source]
        moved[:3, axis] = -column if flip else column
        if flip:
            moved[:3, 3] += column * (shape[source] - 1)
    return moved
