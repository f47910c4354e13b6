"""Pieces of a mask that hang together by faces."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage


def largest_piece(active: ArrayLike) -> tuple[NDArray[np.bool_], int]:
    """The largest face-connected piece of an (I, J, K) mask, and how many voxels were dropped.

    Pieces that touch only by an edge or corner are hinges or float free: they make the stiffness singular.
    """
    mask = np.asarray(active, dtype=np.bool_)
    labels, count = ndimage.label(mask)
    if count <= 1:
        return mask.copy(), 0
    sizes = np.bincount(labels.ravel())[1:]
    keep = labels == 1 + int(np.argmax(sizes))
    return keep, int(sizes.sum() - sizes.max())
