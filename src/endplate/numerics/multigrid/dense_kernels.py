"""Compiled kernels of elements with a matrix of their own, and of the nodal updates of the smoother."""

from __future__ import annotations

import numpy as np
from numba import njit

from endplate.numerics.multigrid.child_kernels import FORCE
from endplate.numerics.multigrid.element_batches import BLOCK, gather, scatter

PACKED = 300
"""Entries of the upper triangle of a symmetric 24 x 24 matrix."""


@njit(cache=True, nogil=True)
def _multiply(t, K):  # type: ignore[no-untyped-def]
    """Rows 24 to 47 = K times rows 0 to 23, lane by lane; K (PACKED, BLOCK) by rows of the upper triangle."""
    t[24 * BLOCK :] = 0
    at = 0
    for i in range(24):
        a, f = i * BLOCK, (24 + i) * BLOCK
        row = K[at]
        for w in range(BLOCK):
            t[f + w] += row[w] * t[a + w]
        for j in range(i + 1, 24):
            b, g = j * BLOCK, (24 + j) * BLOCK
            row = K[at + j - i]
            for w in range(BLOCK):
                t[f + w] += row[w] * t[b + w]
                t[g + w] += row[w] * t[a + w]
        at += 24 - i


@njit(cache=True, nogil=True)
def subtract_matrices(u, out, packed, nodes, first, count):  # type: ignore[no-untyped-def]
    """out -= sum over elements of their matrices (B, PACKED, BLOCK) times u."""
    t = np.zeros(48 * BLOCK, dtype=np.float32)
    for b in range(first.size):
        gather(u, nodes, first[b], count[b], t)
        _multiply(t, packed[b])
        scatter(out, np.float32(-1), nodes, first[b], count[b], t, FORCE)


@njit(cache=True, nogil=True)
def pack_matrices(matrices, first, count, out):  # type: ignore[no-untyped-def]
    """Upper triangles of (E, 24, 24) into (B, PACKED, BLOCK); lanes without an element stay zero."""
    for b in range(first.size):
        for w in range(count[b]):
            K = matrices[first[b] + w]
            at = 0
            for i in range(24):
                for j in range(i, 24):
                    out[b, at, w] = K[i, j]
                    at += 1


@njit(cache=True, nogil=True)
def unpack_matrices(packed, first, count):  # type: ignore[no-untyped-def]
    """(E, 24, 24) of upper triangles (B, PACKED, BLOCK)."""
    out = np.empty((count.sum(), 24, 24), dtype=packed.dtype)
    for b in range(first.size):
        for w in range(count[b]):
            at = 0
            for i in range(24):
                for j in range(i, 24):
                    out[first[b] + w, i, j] = out[first[b] + w, j, i] = packed[b, at, w]
                    at += 1
    return out


@njit(cache=True, nogil=True)
def sum_blocks(blocks, nodes, out):  # type: ignore[no-untyped-def]
    """Sum (E, 8, 9) diagonal blocks of elements at their nodes into (9, N)."""
    for e in range(nodes.shape[0]):
        for c in range(8):
            n = nodes[e, c]
            for x in range(9):
                out[x, n] += blocks[e, c, x]


@njit(cache=True, nogil=True)
def smooth_nodes(x, r, d, inverse, keep, gain, carry):  # type: ignore[no-untyped-def]
    """D = keep d + gain D^-1 r; x += d + carry times the d before, with 3 x 3 blocks `inverse` (9, N)."""
    for i in range(3):
        p, q, s = inverse[3 * i], inverse[3 * i + 1], inverse[3 * i + 2]
        a, b, c, e, f = r[0], r[1], r[2], d[i], x[i]
        for n in range(a.size):
            before = e[n]
            value = keep * before + gain * (p[n] * a[n] + q[n] * b[n] + s[n] * c[n])
            e[n] = value
            f[n] += value + carry * before


@njit(cache=True, nogil=True)
def smooth_rows(x, r, d, inverse, keep, gain, carry):  # type: ignore[no-untyped-def]
    """D = keep d + gain D^-1 r; x += d + carry times the d before, a scalar per degree of freedom, all (3, N)."""
    a, b, c, e = x.reshape(-1), r.reshape(-1), d.reshape(-1), inverse.reshape(-1)
    for i in range(a.size):
        before = c[i]
        value = keep * before + gain * e[i] * b[i]
        c[i] = value
        a[i] += value + carry * before
