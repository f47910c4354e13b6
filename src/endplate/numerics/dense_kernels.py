"""Compiled kernels of the coarse levels, where each element has its own 24 x 24 matrix, and of the nodal updates."""

from __future__ import annotations

import numpy as np
from numba import njit


@njit(cache=True)
def apply_matrices(u, out, sign, matrices, nodes):  # type: ignore[no-untyped-def]
    """out += sign * sum over elements of their symmetric 24 x 24 matrices, on (N, 3) vectors."""
    f = np.empty(24, dtype=u.dtype)
    for e in range(nodes.shape[0]):
        f[:] = 0
        K = matrices[e]
        for c in range(8):
            n = nodes[e, c]
            for x in range(3):
                value = u[n, x]
                row = K[3 * c + x]
                for i in range(24):
                    f[i] += value * row[i]
        for c in range(8):
            n = nodes[e, c]
            for x in range(3):
                out[n, x] += sign * f[3 * c + x]


@njit(cache=True)
def sum_blocks(blocks, nodes, out):  # type: ignore[no-untyped-def]
    """Sum (E, 8, 3, 3) diagonal blocks of elements at their nodes into (N, 3, 3)."""
    for e in range(nodes.shape[0]):
        for c in range(8):
            n = nodes[e, c]
            for x in range(3):
                for y in range(3):
                    out[n, x, y] += blocks[e, c, x, y]


@njit(cache=True)
def smooth_nodes(x, r, d, inverse, keep, gain):  # type: ignore[no-untyped-def]
    """D = keep d + gain D^-1 r; x += d, with 3 x 3 blocks `inverse` (N, 3, 3)."""
    for n in range(x.shape[0]):
        a, b, c = r[n, 0], r[n, 1], r[n, 2]
        for i in range(3):
            value = keep * d[n, i] + gain * (inverse[n, i, 0] * a + inverse[n, i, 1] * b + inverse[n, i, 2] * c)
            d[n, i] = value
            x[n, i] += value


@njit(cache=True)
def smooth_rows(x, r, d, inverse, keep, gain):  # type: ignore[no-untyped-def]
    """D = keep d + gain D^-1 r; x += d, with a scalar per degree of freedom, all (3, N)."""
    a, b, c, e = x.reshape(-1), r.reshape(-1), d.reshape(-1), inverse.reshape(-1)
    for i in range(a.size):
        value = keep * c[i] + gain * e[i] * b[i]
        c[i] = value
        a[i] += value
