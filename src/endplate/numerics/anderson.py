"""Anderson acceleration: the best step in the span of the last few corrections."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

REGULARISATION = 1e-10
"""Of the trace of the normal equations: keeps nearly parallel corrections from making large steps."""


class Anderson:
    """Accelerates x <- x + correction(x); depth 0 is the plain iteration.

    Source: Anderson 1965; Walker & Ni, SIAM J Numer Anal 2011 (type II, equivalent to GMRES on linear problems).
    """

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self._steps: list[NDArray[np.float32]] = []
        self._changes: list[NDArray[np.float32]] = []
        self._last: tuple[NDArray[np.float64], NDArray[np.float64]] | None = None

    def restart(self) -> None:
        """Forget the past."""
        self._steps, self._changes, self._last = [], [], None

    def next(self, x: NDArray[np.float64], correction: NDArray[np.float64]) -> NDArray[np.float64]:
        """The next iterate from the present one and its correction, any shape."""
        if self._last is not None and self.depth:
            self._steps.append((x - self._last[0]).astype(np.float32).ravel())
            self._changes.append((correction - self._last[1]).astype(np.float32).ravel())
            self._steps, self._changes = self._steps[-self.depth :], self._changes[-self.depth :]
        self._last = (x.copy(), correction.copy())
        if not self._changes:
            return x + correction
        weights = self._weights(correction.astype(np.float32).ravel())
        mixed = correction.copy()
        for weight, step, change in zip(weights, self._steps, self._changes, strict=True):
            mixed -= (weight * (step + change)).reshape(x.shape)
        return x + mixed

    def _weights(self, correction: NDArray[np.float32]) -> NDArray[np.float64]:
        """Least squares: the combination of past changes closest to the correction."""
        changes = self._changes
        normal = np.array([[float(np.dot(a, b)) for b in changes] for a in changes])
        right = np.array([float(np.dot(a, correction)) for a in changes])
        normal += REGULARISATION * (np.trace(normal) or 1.0) * np.eye(len(right))
        return np.linalg.solve(normal, right)

    @property
    def nbytes(self) -> int:
        """Bytes of the stored past at full depth."""
        one = self._last[0].nbytes if self._last else 0
        return 2 * one + self.depth * one
