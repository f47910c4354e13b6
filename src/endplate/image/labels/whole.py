"""Labels are whole numbers: read as such, counted and placed in one pass, whatever the file holds."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.errors import LabelError
from endplate.image.limits import DEFAULT, RAISE, Limits

MAX_LABEL = 2**16 - 1
NEAR_WHOLE = cited(
    0.05, "1", "a map of 25 labels saved with an 8-bit scaling is 0.049 off; interpolation gives any fraction", "design"
)
_SLAB_VOXELS = 2**22


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Whole:
    """Labels (I, J, K) uint16, those present in order, and what had to be rounded."""

    numbers: NDArray[np.uint16]
    present: list[int]
    notes: tuple[str, ...]


def whole_labels(values: NDArray[Any], name: str, limits: Limits = DEFAULT.limits) -> Whole:
    """Labels as whole numbers.

    Parameters
    ----------
    values : (I, J, K) as stored; overwritten where the labels fit into its memory, which saves a second copy.
    name : of the file, for messages. limits : the most different labels.

    Raises
    ------
    LabelError : empty, NaN, fractions, negative or too large values, or more different ones than labels have.
    """
    numbers = _room_for(values)
    counts = np.zeros(MAX_LABEL + 1, np.int64)
    off = 0.0
    for place in _slabs(values):
        slab = values[place].copy() if np.shares_memory(values, numbers) else values[place]
        if not slab.any():
            numbers[place] = 0
            continue
        _check_range(slab, name)
        if slab.dtype.kind == "f":
            rounded = np.rint(slab)
            off = max(off, float(np.abs(slab - rounded).max()))
            slab = rounded
        if off > float(NEAR_WHOLE):
            raise LabelError(
                f"{name} has labels that are not whole numbers (up to {off:.2g} beside them)",
                "a probability map, or labels resampled with interpolation, look like this",
                "resample labels with nearest neighbour",
            )
        numbers[place] = slab
        counts += np.bincount(numbers[place].ravel(), minlength=MAX_LABEL + 1)
    present = [int(label) for label in np.flatnonzero(counts[1:]) + 1]
    if not present:
        raise LabelError(f"{name} is empty", "no voxel has a label", "give the map with the vertebrae")
    if len(present) > limits.labels:
        raise LabelError(
            f"{name} has {len(present)} different values", f"a label map has at most {limits.labels}", RAISE
        )
    notes = (f"label values up to {off:.1g} beside whole numbers were rounded",) if off else ()
    return Whole(numbers=numbers, present=present, notes=notes)


def whole_of(numbers: NDArray[np.uint16]) -> Whole:
    """The same for labels that are known to be whole numbers."""
    counts = sum((np.bincount(numbers[place].ravel(), minlength=MAX_LABEL + 1) for place in _slabs(numbers)),
                 start=np.zeros(MAX_LABEL + 1, np.int64))  # fmt: skip
    return Whole(numbers=numbers, present=[int(label) for label in np.flatnonzero(counts[1:]) + 1], notes=())


def label_centroids(found: Whole) -> dict[int, NDArray[np.float64]]:
    """Each label's centroid as a fractional index (3,)."""
    most = found.present[-1] + 1
    counts, sums = np.zeros(most), np.zeros((3, most))
    for place in _slabs(found.numbers):
        slab = found.numbers[place]
        index = np.nonzero(slab)
        labels = slab[index]
        counts += np.bincount(labels, minlength=most)
        for axis in range(3):
            offset = place.start if axis == 0 else 0
            sums[axis] += np.bincount(labels, weights=index[axis] + offset, minlength=most)
    return {label: sums[:, label] / counts[label] for label in found.present}


def _slabs(values: NDArray[Any]) -> Iterator[slice]:
    """Slices of the first axis that hold some millions of voxels each."""
    thick = max(1, _SLAB_VOXELS // max(values[0].size, 1))
    return (slice(first, min(first + thick, len(values))) for first in range(0, len(values), thick))


def _room_for(values: NDArray[Any]) -> NDArray[np.uint16]:
    """Memory for the labels: that of the values themselves where each is two bytes or more, else new."""
    if values.dtype.itemsize < 2 or not values.flags.c_contiguous or not values.flags.writeable:
        return np.zeros(values.shape, np.uint16)
    return values.reshape(-1).view(np.uint16)[: values.size].reshape(values.shape)


def _check_range(slab: NDArray[Any], name: str) -> None:
    low, high = slab.min(), slab.max()
    if slab.dtype.kind == "f" and not (np.isfinite(low) and np.isfinite(high)):
        raise LabelError(f"{name} has labels that are NaN or infinite", "", "write whole numbers, 0 for background")
    if low < -float(NEAR_WHOLE) or high > MAX_LABEL:
        raise LabelError(
            f"{name} has values from {low:g} to {high:g}",
            f"labels are whole numbers from 0 to {MAX_LABEL}",
            "give the label map, not the CT",
        )
