"""Between eight nodes of a lattice: the cell that a place lies in, and a scalar there. Compiled."""

from __future__ import annotations

from typing import Any

from numba import njit


@njit(cache=True, inline="always")
def outside(shape: Any, p: float, q: float, r: float) -> bool:  # pragma: no cover - compiled
    """Whether a place, in steps of the lattice from its first node, lies beyond the outer nodes."""
    return p < 0 or q < 0 or r < 0 or p > shape[0] - 1 or q > shape[1] - 1 or r > shape[2] - 1


@njit(cache=True, inline="always")
def cell(shape: Any, p: float, q: float, r: float) -> Any:  # pragma: no cover - compiled
    """First node (i, j, k) of the cell about a place within the lattice, and the distances (a, b, c) from it, 0..1."""
    i, j, k = min(int(p), shape[0] - 2), min(int(q), shape[1] - 2), min(int(r), shape[2] - 2)
    return i, j, k, p - i, q - j, r - k


@njit(cache=True)
def scalar(field: Any, p: float, q: float, r: float, beyond: float) -> float:  # pragma: no cover - compiled
    """Value of a scalar at a place; `beyond` outside of the lattice."""
    if outside(field.shape, p, q, r):
        return beyond
    i, j, k, a, b, c = cell(field.shape, p, q, r)
    total = 0.0
    for di in range(2):
        for dj in range(2):
            for dk in range(2):
                part = (a if di else 1 - a) * (b if dj else 1 - b) * (c if dk else 1 - c)
                total += part * field[i + di, j + dj, k + dk]
    return total
