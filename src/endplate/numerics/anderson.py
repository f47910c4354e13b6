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
        self._moves = self._changes = np.zeros((0, 0), dtype=np.float32)
        self.restart()

    def restart(self) -> None:
        """Forget the past."""
        self._seen = 0
        self._products = np.zeros((self.depth, self.depth))
        self._last: tuple[NDArray[np.float64], NDArray[np.float32]] | None = None

    def next(self, x: NDArray[np.float64], correction: NDArray[np.floating]) -> NDArray[np.float64]:
        """The next iterate from the present one and its correction, both of any one shape."""
        now = np.ascontiguousarray(correction, dtype=np.float32).reshape(-1)
        flat = x.reshape(-1)
        if self._last is not None and self.depth:
            self._remember(flat, now)
        self._last = (flat, now)
        known = min(self._seen, self.depth)
        if not known:
            return (flat + now).reshape(x.shape)
        step = now - self._weights(now, known).astype(np.float32) @ self._moves[:known]
        return (flat + step).reshape(x.shape)

    def _remember(self, x: NDArray[np.float64], now: NDArray[np.float32]) -> None:
        """Put a pair in the place of the oldest, and its scalar products in the table."""
        if self._changes.shape != (self.depth, now.size):
            self._moves, self._changes = (np.empty((self.depth, now.size), dtype=np.float32) for _ in range(2))
        before, correction = self._last  # type: ignore[misc]
        place = self._seen % self.depth
        change, move = self._changes[place], self._moves[place]
        np.subtract(now, correction, out=change)
        np.subtract(x, before, out=move, casting="unsafe")
        move += change
        self._seen += 1
        known = min(self._seen, self.depth)
        self._products[place, :known] = self._products[:known, place] = self._changes[:known] @ change

    def _weights(self, correction: NDArray[np.float32], known: int) -> NDArray[np.float64]:
        """Least squares: the combination of past changes closest to the correction."""
        right = (self._changes[:known] @ correction).astype(np.float64)
        products = self._products[:known, :known]
        ridge = REGULARISATION * (float(np.trace(products)) or 1.0)
        return np.asarray(np.linalg.solve(products + ridge * np.eye(known), right))

    @property
    def nbytes(self) -> int:
        """Bytes of the stored past."""
        last = 0 if self._last is None else self._last[0].nbytes + self._last[1].nbytes
        return last + self._moves.nbytes + self._changes.nbytes
