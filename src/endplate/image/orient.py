"""Bring an image of any axis order and direction to the order closest to LPS, without interpolating."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import linear_sum_assignment

LPS_RAS = np.diag([-1.0, -1.0, 1.0, 1.0])
"""From LPS to RAS coordinates, and from RAS to LPS: it undoes itself."""


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredAxes:
    """How the axes lay in the file: what brings an array in the order closest to LPS back to the file's own order.

    Parameters
    ----------
    order : tuple of int
        Which stored axis runs along left, posterior and superior.
    flips : tuple of bool
        Which of those three run the other way in the file.
    """

    order: tuple[int, int, int] = (0, 1, 2)
    flips: tuple[bool, bool, bool] = (False, False, False)

    def as_stored(self, array: NDArray[Any]) -> NDArray[Any]:
        """A view of an array (I, J, K) in the order closest to LPS, in the order of the file."""
        flipped = array[tuple(slice(None, None, -1) if flip else slice(None) for flip in self.flips)]
        return flipped.transpose([self.order.index(axis) for axis in range(3)])

    def stored_shape(self, shape: tuple[int, int, int]) -> tuple[int, int, int]:
        """The shape in the file of an array of a shape in the order closest to LPS."""
        i, j, k = (shape[self.order.index(axis)] for axis in range(3))
        return i, j, k

    def stored_affine(self, shape: tuple[int, int, int], affine: NDArray[np.float64]) -> NDArray[np.float64]:
        """The affine (4, 4) of the file from that of an array of a shape in the order closest to LPS."""
        stored = np.eye(4)
        stored[:3, 3] = affine[:3, 3]
        for axis, (source, flip) in enumerate(zip(self.order, self.flips, strict=True)):
            column = affine[:3, axis]
            stored[:3, source] = -column if flip else column
            if flip:
                stored[:3, 3] += column * (shape[axis] - 1)
        return stored

    def stored_start(
        self, shape: tuple[int, int, int], start: tuple[int, int, int], size: tuple[int, int, int]
    ) -> tuple[int, int, int]:
        """Where in the file a box begins that begins at `start` and has `size` in an array of `shape` in LPS order."""
        first = [shape[axis] - start[axis] - size[axis] if self.flips[axis] else start[axis] for axis in range(3)]
        i, j, k = (first[self.order.index(axis)] for axis in range(3))
        return i, j, k


LPS_AXES = StoredAxes()
"""Axes in the order closest to LPS, as DICOM series and arrays made here have them."""


def stored_axes(affine: NDArray[np.float64]) -> StoredAxes:
    """The axes of a file by its affine (4, 4), index to LPS mm."""
    order, flips = axis_order(affine)
    return StoredAxes(order=order, flips=flips)


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
