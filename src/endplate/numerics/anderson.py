"""Anderson acceleration: the best step in the span of the last few corrections."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

REGULARISATION = 1e-9
"""Of the trace of the normal equations: keeps nearly parallel corrections from making large steps."""


class Anderson:
    """Accelerates x <- x + correction(x); depth 0 is the plain iteration.

    Source: Anderson 1965; Walker & Ni, SIAM J Numer Anal 2011 (type II, equivalent to GMRES on linear problems).
    """

    def __init__(self, depth: int) -> None:
        self.depth = depth
        self.restart()

    def restart(self) -> None:
        """Forget the past."""
        self._moves: list[NDArray[np.float32]] = []
        self._changes: list[NDArray[np.float32]] = []
        self._products = np.zeros((0, 0))
        self._last: tuple[NDArray[np.float64], NDArray[np.float32]] | None = None

    def next(self, x: NDArray[np.float64], correction: NDArray[np.floating]) -> NDArray[np.float64]:
        """The next iterate from the present one and its correction, both of any one shape."""
        now = np.ascontiguousarray(correction, dtype=np.float32).reshape(-1)
        if self._last is not None and self.depth:
            self._remember((x.reshape(-1) - self._last[0]).astype(np.float32), now - self._last[1])
        self._last = (x.reshape(-1), now)
        out = x.reshape(-1) + now
        for weight, move in zip(self._weights(now), self._moves, strict=True):
            out -= np.float32(weight) * move
        return out.reshape(x.shape)

    def _remember(self, step: NDArray[np.float32], change: NDArray[np.float32]) -> None:
        """Add a pair, drop the oldest beyond the depth, and extend the table of scalar products."""
        self._moves.append(step + change)
        self._changes.append(change)
        drop = len(self._changes) - self.depth
        if drop > 0:
            self._moves, self._changes = self._moves[drop:], self._changes[drop:]
            self._products = self._products[drop:, drop:]
        row = np.array([float(np.dot(other, change)) for other in self._changes])
        grown = np.zeros((len(row), len(row)))
        grown[:-1, :-1] = self._products
        grown[-1, :] = grown[:, -1] = row
        self._products = grown

    def _weights(self, correction: NDArray[np.float32]) -> NDArray[np.float64]:
        """Least squares: the combination of past changes closest to the correction."""
        if not self._changes:
            return np.zeros(0)
        right = np.array([float(np.dot(change, correction)) for change in self._changes])
        ridge = REGULARISATION * (float(np.trace(self._products)) or 1.0)
        return np.linalg.solve(self._products + ridge * np.eye(len(right)), right)

    @property
    def nbytes(self) -> int:
        """Bytes of the stored past at full depth."""
        one = self._last[0].nbytes if self._last else 0
        return 2 * one + self.depth * one  # last pair, then moves and changes in half the precision
