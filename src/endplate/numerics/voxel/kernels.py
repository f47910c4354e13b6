"""Compiled kernels of the finest level: out += or -= K u, cube by cube in tensor modes, without a matrix.

Vectors are (3, N), one row per component, so that lines along k are contiguous. Work happens in a scratch array of rows
of STRIDE lanes: 12 rows of node values (component, edge line), then 24 rows of forces (low and high end along k).
"""

from __future__ import annotations

import numpy as np
from numba import njit

from endplate.numerics.voxel.simd_batches import WIDTH

STRIDE = WIDTH + 16  # one lane more is read and written than there are lanes; the rest keeps rows aligned
LOW = 12  # first row of forces at the low end
HIGH = 24  # first row of forces at the high end, shifted by one lane
ROWS = 36


@njit(cache=True, nogil=True)
def gather(u, node, length, lane, first, last, t):  # type: ignore[no-untyped-def]
    """Node lines of the batch, transformed over i and j: rows 4 * component + mode with modes 1, j, i, ij."""
    for p in range(first, last):
        n = length[p] + 1
        for x in range(3):
            line0, line1 = u[x, node[p, 0] : node[p, 0] + n], u[x, node[p, 1] : node[p, 1] + n]
            line2, line3 = u[x, node[p, 2] : node[p, 2] + n], u[x, node[p, 3] : node[p, 3] + n]
            row = t[4 * x * STRIDE + lane[p] : (4 * x + 3) * STRIDE + lane[p] + n]
            for w in range(n):
                a, b, d, e = line0[w], line1[w], line2[w], line3[w]
                f, g, h, s = a + b, b - a, d + e, e - d
                row[w] = f + h
                row[STRIDE + w] = g + s
                row[2 * STRIDE + w] = h - f
                row[3 * STRIDE + w] = s - g


@njit(cache=True, nogil=True)
def scatter(out, sign, node, length, lane, first, last, t):  # type: ignore[no-untyped-def]
    """Add sign times rows component * 4 + line to the node lines of the batch."""
    for p in range(first, last):
        n = length[p] + 1
        for line in range(4):
            a = node[p, line]
            for c in range(3):
                target = out[c, a : a + n]
                row = t[(4 * c + line) * STRIDE + lane[p] : (4 * c + line) * STRIDE + lane[p] + n]
                for w in range(n):
                    target[w] += sign * row[w]


@njit(cache=True, nogil=True)
def inverse_lines(t):  # type: ignore[no-untyped-def]
    """Join low and high forces at each node plane and transform modes over i and j back to the four lines."""
    for c in range(3):
        o = 4 * c * STRIDE
        lo, hi = o + LOW * STRIDE, o + HIGH * STRIDE
        for w in range(WIDTH):
            p = t[lo + w] + t[hi + w]
            q = t[lo + STRIDE + w] + t[hi + STRIDE + w]
            r = t[lo + 2 * STRIDE + w] + t[hi + 2 * STRIDE + w]
            s = t[lo + 3 * STRIDE + w] + t[hi + 3 * STRIDE + w]
            a, b, d, e = p - r, p + r, q - s, q + s
            t[o + w] = a - d
            t[o + STRIDE + w] = a + d
            t[o + 2 * STRIDE + w] = b - e
            t[o + 3 * STRIDE + w] = b + e


@njit(cache=True, nogil=True)
def _modal_forces(t, modulus, k):  # type: ignore[no-untyped-def]
    """Forces of all lanes from node rows: transform along k, multiply the 45 entries, transform back along k."""
    S = STRIDE
    k0, k1, k2, k3, k4, k5, k6, k7 = k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7]
    for w in range(WIDTH):
        e = modulus[w]
        # x1 is the amplitude of component x in mode 1 (along k); 2: j, 4: i, 3: jk, 5: ik, 6: ij, 7: ijk
        x1 = e * (t[w + 1] - t[w])
        x2 = e * (t[S + w + 1] + t[S + w])
        x3 = e * (t[S + w + 1] - t[S + w])
        x4 = e * (t[2 * S + w + 1] + t[2 * S + w])
        x5 = e * (t[2 * S + w + 1] - t[2 * S + w])
        x6 = e * (t[3 * S + w + 1] + t[3 * S + w])
        x7 = e * (t[3 * S + w + 1] - t[3 * S + w])
        y1 = e * (t[4 * S + w + 1] - t[4 * S + w])
        y2 = e * (t[5 * S + w + 1] + t[5 * S + w])
        y3 = e * (t[5 * S + w + 1] - t[5 * S + w])
        y4 = e * (t[6 * S + w + 1] + t[6 * S + w])
        y5 = e * (t[6 * S + w + 1] - t[6 * S + w])
        y6 = e * (t[7 * S + w + 1] + t[7 * S + w])
        y7 = e * (t[7 * S + w + 1] - t[7 * S + w])
        z1 = e * (t[8 * S + w + 1] - t[8 * S + w])
        z2 = e * (t[9 * S + w + 1] + t[9 * S + w])
        z3 = e * (t[9 * S + w + 1] - t[9 * S + w])
        z4 = e * (t[10 * S + w + 1] + t[10 * S + w])
        z5 = e * (t[10 * S + w + 1] - t[10 * S + w])
        z6 = e * (t[11 * S + w + 1] + t[11 * S + w])
        z7 = e * (t[11 * S + w + 1] - t[11 * S + w])
        xy, xz, yz = k2 * (x2 + y4), k2 * (x1 + z4), k2 * (y1 + z2)
        twist = k6 * (x3 + y5 + z6)
        half = k5 - k6
        _store(t, w, 0, 0 * e, xz)
        _store(t, w, 1, xy, half * x3 + twist)
        _store(t, w, 2, k0 * x4 + k1 * (y2 + z1), k3 * x5 + k4 * y3)
        _store(t, w, 3, k3 * x6 + k4 * z3, k7 * x7)
        _store(t, w, 4, 0 * e, yz)
        _store(t, w, 5, k0 * y2 + k1 * (x4 + z1), k3 * y3 + k4 * x5)
        _store(t, w, 6, xy, half * y5 + twist)
        _store(t, w, 7, k3 * y6 + k4 * z5, k7 * y7)
        _store(t, w, 8, 0 * e, k0 * z1 + k1 * (x4 + y2))
        _store(t, w, 9, yz, k3 * z3 + k4 * x6)
        _store(t, w, 10, xz, k3 * z5 + k4 * y6)
        _store(t, w, 11, half * z6 + twist, k7 * z7)


@njit(inline="always")
def _store(t, w, row, even, odd):  # type: ignore[no-untyped-def]
    """Forces at the low and high end along k from the even and odd amplitude."""
    t[(LOW + row) * STRIDE + w] = even - odd
    t[(HIGH + row) * STRIDE + w + 1] = even + odd


@njit(cache=True, nogil=True)
def apply(u, out, sign, modulus, k, node, length, lane, batch, first, last):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    """out += sign * K u over batches `first` to `last`, which share nodes with no other thread's."""
    t = np.zeros(ROWS * STRIDE, dtype=u.dtype)
    for b in range(first, last):
        gather(u, node, length, lane, batch[b], batch[b + 1], t)
        _modal_forces(t, modulus[b], k)
        inverse_lines(t)
        scatter(out, sign, node, length, lane, batch[b], batch[b + 1], t)


@njit(cache=True, nogil=True)
def sum_modulus(modulus, node, length, lane, batch, out):  # type: ignore[no-untyped-def]
    """Add each element's modulus to its eight nodes."""
    for b in range(batch.size - 1):
        for p in range(batch[b], batch[b + 1]):
            for line in range(4):
                for step in range(length[p]):
                    e = modulus[b, lane[p] + step]
                    out[node[p, line] + step] += e
                    out[node[p, line] + step + 1] += e
