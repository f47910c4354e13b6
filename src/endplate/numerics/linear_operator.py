"""An operation on nodal vectors as an operator for SciPy, with supports as rows of the identity."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from scipy.sparse.linalg import LinearOperator

Double = NDArray[np.float64]


def masked_operator(apply: Callable[[Double], Double], free: NDArray[np.bool_]) -> LinearOperator:
    """The symmetric operator P A P + (I - P), where P keeps what is free.

    Parameters
    ----------
    apply : (N, 3) to (N, 3), the operation A; symmetric.
    free : (3, N) where displacements are unknown.

    Returns
    -------
    LinearOperator
        (3N, 3N), unknowns ordered 3 * node + component.
    """
    keep = np.ascontiguousarray(free.T)

    def product(vector: Double) -> Double:
        values = np.asarray(vector, dtype=np.float64).reshape(keep.shape)
        out = np.where(keep, apply(np.where(keep, values, 0.0)), values)
        return np.ascontiguousarray(out).ravel()

    size = keep.size
    return LinearOperator((size, size), matvec=product, rmatvec=product, dtype=np.float64)
