"""Compiled kernels of the second level: each element acts through its eight children, so no matrix is stored.

The exact Galerkin matrix of a block of eight voxels is the sum over children of modulus times a constant matrix. In
place of 300 numbers per element we keep eight moduli, and write the mode amplitudes of each child from its parent's.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from endplate.numerics.multigrid.element_batches import BLOCK, gather, scatter

FORCE = np.int64(24)  # first row of the accumulated modal forces

X, Y, Z = np.int64(0), np.int64(1), np.int64(2)
"""Components. Typed, as `FORCE` is: a plain number is a constant, and what takes it is compiled for each of them."""


@njit(cache=True, nogil=True)
def _to_modes(t):  # type: ignore[no-untyped-def]
    """Walsh-Hadamard over the eight corners in rows 0 to 23, in place."""
    for axis in range(3):
        size = 3 * BLOCK << axis
        for pair in range(4 >> axis):
            low, high = t[2 * pair * size :][:size], t[(2 * pair + 1) * size :][:size]
            for w in range(size):
                a, b = low[w], high[w]
                low[w] = a + b
                high[w] = b - a


@njit(cache=True, nogil=True)
def _to_corners(t):  # type: ignore[no-untyped-def]
    """Transpose of `_to_modes`, on the rows of forces."""
    f = t[FORCE * BLOCK :]
    for axis in range(3):
        size = 3 * BLOCK << axis
        for pair in range(4 >> axis):
            low, high = f[2 * pair * size :][:size], f[(2 * pair + 1) * size :][:size]
            for w in range(size):
                even, odd = low[w], high[w]
                low[w] = even - odd
                high[w] = even + odd


@njit(inline="always")
def _mode(t, m, x, w):  # type: ignore[no-untyped-def]
    return t[(3 * m + x) * BLOCK + w]


@njit(cache=True, forceinline=True)
def _down(t, x, w, hi, hj, hk):  # type: ignore[no-untyped-def]
    """Amplitudes 1 to 7 of one component in a child whose centre lies at (hi, hj, hk) = +-1/2 of the parent."""
    p1, p2, p3, p4 = _mode(t, 1, x, w), _mode(t, 2, x, w), _mode(t, 3, x, w), _mode(t, 4, x, w)
    p5, p6, p7 = _mode(t, 5, x, w), _mode(t, 6, x, w), _mode(t, 7, x, w)
    q3, q5, q6 = p3 + hi * p7, p5 + hj * p7, p6 + hk * p7
    a1 = (p1 + hi * p5) + hj * q3
    a2 = (p2 + hi * p6) + hk * q3
    a4 = (p4 + hj * p6) + hk * q5
    return a1, a2, q3, a4, q5, q6, p7


@njit(cache=True, forceinline=True)
def _up(t, x, w, hi, hj, hk, g1, g2, g3, g4, g5, g6, g7):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    """Add a child's modal forces of one component to its parent's: the transpose of `_down`."""
    r3 = g3 + hj * g1 + hk * g2
    r5 = g5 + hk * g4
    t[(FORCE + 3 + x) * BLOCK + w] += g1
    t[(FORCE + 6 + x) * BLOCK + w] += g2
    t[(FORCE + 9 + x) * BLOCK + w] += r3
    t[(FORCE + 12 + x) * BLOCK + w] += g4
    t[(FORCE + 15 + x) * BLOCK + w] += r5 + hi * g1
    t[(FORCE + 18 + x) * BLOCK + w] += g6 + hi * g2 + hj * g4
    t[(FORCE + 21 + x) * BLOCK + w] += g7 + hi * r3 + hj * r5 + hk * g6


@njit(cache=True, nogil=True)
def _children(t, modulus, k):  # type: ignore[no-untyped-def]
    """Sum over children of (parent from child) K (child from parent), all in modes.

    `k` carries the powers of 1/2 that `_down` and `_up` leave out: 1/4, 1/16 and 1/64 for one, two and three axes.
    """
    k0, k1, k2, k3, k4, k5, k6, k7 = k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7]
    half = k5 - k6
    for child in range(8):
        hi, hj, hk = _half(child >> 2), _half((child >> 1) & 1), _half(child & 1)
        for w in range(BLOCK):
            e = modulus[child, w]
            x1, x2, x3, x4, x5, x6, x7 = _down(t, X, w, hi, hj, hk)
            y1, y2, y3, y4, y5, y6, y7 = _down(t, Y, w, hi, hj, hk)
            z1, z2, z3, z4, z5, z6, z7 = _down(t, Z, w, hi, hj, hk)
            a, b = e * k0, e * k1
            xy, xz, yz = e * k2 * (x2 + y4), e * k2 * (x1 + z4), e * k2 * (y1 + z2)
            twist = e * k6 * (x3 + y5 + z6)
            h, p, q, s = e * half, e * k3, e * k4, e * k7
            _up(t, X, w, hi, hj, hk, xz, xy, h * x3 + twist, a * x4 + b * (y2 + z1), p * x5 + q * y3,
                p * x6 + q * z3, s * x7)  # fmt: skip
            _up(t, Y, w, hi, hj, hk, yz, a * y2 + b * (x4 + z1), p * y3 + q * x5, xy, h * y5 + twist,
                p * y6 + q * z5, s * y7)  # fmt: skip
            _up(t, Z, w, hi, hj, hk, a * z1 + b * (x4 + y2), yz, p * z3 + q * x6, xz, p * z5 + q * y6,
                h * z6 + twist, s * z7)  # fmt: skip


@njit(cache=True, forceinline=True)
def _half(high):  # type: ignore[no-untyped-def]
    return np.float32(0.5) if high else np.float32(-0.5)


@njit(cache=True, nogil=True)
def subtract(u, out, modulus, k, nodes, first, count, start, stop):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    """out -= K u over batches `start` to `stop`, which share nodes with no other thread's."""
    t = np.zeros(48 * BLOCK, dtype=np.float32)
    for b in range(start, stop):
        gather(u, nodes, first[b], count[b], t)
        _to_modes(t)
        t[FORCE * BLOCK :] = 0
        _children(t, modulus[b], k)
        _to_corners(t)
        scatter(out, np.float32(-1), nodes, first[b], count[b], t, FORCE)


@njit(cache=True, nogil=True)
def spread_modulus(fine_modulus, parent, child, lane, out):  # type: ignore[no-untyped-def]
    """Moduli (E,) of the voxels into (B, 8, BLOCK) by the lane of their parent."""
    out[:] = 0
    for e in range(parent.size):
        place = lane[parent[e]]
        out[place // BLOCK, child[e], place % BLOCK] = fine_modulus[e]
