"""Least squares for a few terms over many points, in one compiled loop; points far off lose their weight (Tukey)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from endplate.cited import cited

TUKEY_CUT = cited(
    4.685, "1", "Tukey bisquare, 95 % efficiency for normal residuals", "knowledge", cite="beaton_tukey_1974"
)
MAD_TO_SD = cited(1.4826, "1", "Normal distribution: SD = 1.4826 MAD (closed form)", "recomputed", cite="nist_handbook")
RIDGE = 1e-9
"""Of each square on the diagonal: terms that no point tells apart stay near zero."""


def tukey_fit(terms: NDArray[np.float64], values: NDArray[np.float64], steps: int, least_sd: float) -> NDArray[Any]:
    """Coefficients (m,) of terms (m, n) by iteratively reweighted least squares.

    Parameters
    ----------
    terms, values : (m, n), (n,). steps : solutions, each with the weights of the one before.
    least_sd : the spread of residuals is taken no smaller.
    """
    return np.asarray(_tukey(terms, values, steps, float(least_sd), float(TUKEY_CUT), float(MAD_TO_SD)))


@njit(cache=True, nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz"})
def solved(terms: Any, values: Any, weight: Any, points: int) -> Any:  # pragma: no cover - compiled
    """Weighted least squares over the first points, by Cholesky's decomposition of the normal equations."""
    count = terms.shape[0]
    lower = np.empty((count, count))
    right = np.empty(count)
    weighted = np.empty(points)
    for a in range(count):
        for n in range(points):
            weighted[n] = weight[n] * terms[a, n]
        total = 0.0
        for n in range(points):
            total += weighted[n] * values[n]
        right[a] = total
        for b in range(a + 1):
            total = 0.0
            for n in range(points):
                total += weighted[n] * terms[b, n]
            lower[a, b] = total
        lower[a, a] += RIDGE * lower[a, a] + 1e-30
    return _cholesky_solved(lower, right)


@njit(cache=True, nogil=True, error_model="numpy")
def _cholesky_solved(lower: Any, right: Any) -> Any:  # pragma: no cover - compiled
    """Solve with a symmetric matrix given by its lower half, in place."""
    count = right.size
    for a in range(count):
        for b in range(a + 1):
            total = lower[a, b]
            for c in range(b):
                total -= lower[a, c] * lower[b, c]
            lower[a, b] = np.sqrt(max(total, 1e-30)) if a == b else total / lower[b, b]
        for b in range(a):
            right[a] -= lower[a, b] * right[b]
        right[a] /= lower[a, a]
    for a in range(count - 1, -1, -1):
        for b in range(a + 1, count):
            right[a] -= lower[b, a] * right[b]
        right[a] /= lower[a, a]
    return right


@njit(cache=True, nogil=True, error_model="numpy")
def _middle(values: Any) -> float:  # pragma: no cover - compiled
    """Median, by Hoare's selection in place: numba's own takes seconds to compile."""
    upper = values.size // 2
    first, last = 0, values.size - 1
    while first < last:
        pivot, low, high = values[(first + last) // 2], first, last
        while low <= high:
            while values[low] < pivot:
                low += 1
            while values[high] > pivot:
                high -= 1
            if low <= high:
                values[low], values[high] = values[high], values[low]
                low, high = low + 1, high - 1
        if upper <= high:
            last = high
        elif upper >= low:
            first = low
        else:
            break
    above = values[upper]
    if values.size % 2:
        return float(above)
    below = values[0]
    for n in range(1, upper):
        below = max(below, values[n])
    return float((below + above) / 2)


@njit(cache=True, nogil=True, error_model="numpy")
def _tukey(
    terms: Any, values: Any, steps: int, least: float, cut: float, to_sd: float
) -> Any:  # pragma: no cover - compiled
    """Solve, weigh by residuals, solve again."""
    weight, rest, size = np.empty(values.size), np.empty(values.size), np.empty(values.size)
    for n in range(values.size):
        weight[n] = 1
    fit = np.empty(terms.shape[0])
    for step in range(steps):
        fit = solved(terms, values, weight, values.size)
        if step == steps - 1:
            break
        for n in range(values.size):
            rest[n] = values[n]
        for a in range(fit.size):
            for n in range(values.size):
                rest[n] -= fit[a] * terms[a, n]
        for n in range(values.size):
            size[n] = abs(rest[n])
        far = cut * max(to_sd * _middle(size), least)
        for n in range(values.size):
            weight[n] = max(1 - (rest[n] / far) ** 2, 0.0) ** 2
    return fit
