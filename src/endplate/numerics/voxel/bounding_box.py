"""The smallest box of voxels that holds a mask."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def bounding_box(mask: NDArray[np.bool_], margin: int = 0) -> tuple[slice, slice, slice] | None:
    """The smallest box that holds all of a mask, and voxels round it where the array has them; None where it is empty.

    Parameters
    ----------
    mask : ndarray of bool, shape (I, J, K)
        What the box is to hold.
    margin : int, default 0
        Voxels round it.

    Returns
    -------
    tuple of slice or None
        One slice along each axis, within the array.
    """
    if not mask.any():
        return None
    spans = (np.flatnonzero(mask.any(axis=axes)) for axes in ((1, 2), (0, 2), (0, 1)))
    i, j, k = (
        slice(max(0, int(span[0]) - margin), min(count, int(span[-1]) + margin + 1))
        for span, count in zip(spans, mask.shape, strict=True)
    )
    return i, j, k
