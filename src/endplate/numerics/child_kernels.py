"""Compiled kernels of the second level: each element acts through its eight children, so no matrix is stored.

The exact Galerkin matrix of a block of eight voxels is the sum over children of modulus times a constant matrix. Instead
of 300 numbers per element we keep eight moduli, and write the mode amplitudes of each child from those of the parent.
Vectors are (N, 3). Elements come in batches of BLOCK lanes.
"""

from __future__ import annotations

import numpy as np
from numba import njit, prange

BLOCK = 32
"""Elements of a batch: a multiple of every vector width, small enough for the first-level cache."""

FORCE = 24  # first row of the accumulated modal forces


@njit(cache=True)
def _gather(u, nodes, first, count, t):  # type: ignore[no-untyped-def]
    """Corner values of the batch into rows 3 * corner + component; lanes beyond `count` repeat the last."""
    for w in range(BLOCK):
        e = first + min(w, count - 1)
        for c in range(8):
            n = nodes[e, c]
            for x in range(3):
                t[(3 * c + x) * BLOCK + w] = u[n, x]


@njit(cache=True)
def _scatter(out, sign, nodes, first, count, t):  # type: ignore[no-untyped-def]
    """Add sign times corner forces to the nodes."""
    for w in range(count):
        for c in range(8):
            n = nodes[first + w, c]
            for x in range(3):
                out[n, x] += sign * t[(3 * c + x) * BLOCK + w]


@njit(cache=True)
def _transform(t, start, forward):  # type: ignore[no-untyped-def]
    """Walsh-Hadamard over the eight corners from row `start`, in place; modes to corners when not `forward`."""
    for axis in range(3):
        stride = 1 << axis
        for c in range(8):
            if c & stride == 0:
                for x in range(3):
                    a = (start + 3 * c + x) * BLOCK
                    b = (start + 3 * (c + stride) + x) * BLOCK
                    for w in range(BLOCK):
                        low, high = t[a + w], t[b + w]
                        if forward:
                            t[a + w] = low + high
                            t[b + w] = high - low
                        else:
                            t[a + w] = low - high
                            t[b + w] = low + high


@njit(cache=True, inline="always")
def _mode(t, m, x, w):  # type: ignore[no-untyped-def]
    return t[(3 * m + x) * BLOCK + w]


@njit(cache=True, inline="always")
def _down(t, x, w, hi, hj, hk):  # type: ignore[no-untyped-def]
    """Amplitudes 1 to 7 of one component in a child whose centre lies at (hi, hj, hk) = +-1/2 of the parent."""
    p1, p2, p3, p4 = _mode(t, 1, x, w), _mode(t, 2, x, w), _mode(t, 3, x, w), _mode(t, 4, x, w)
    p5, p6, p7 = _mode(t, 5, x, w), _mode(t, 6, x, w), _mode(t, 7, x, w)
    q3, q5, q6 = p3 + hi * p7, p5 + hj * p7, p6 + hk * p7
    a1 = (p1 + hi * p5) + hj * q3
    a2 = (p2 + hi * p6) + hk * q3
    a4 = (p4 + hj * p6) + hk * q5
    return a1, a2, q3, a4, q5, q6, p7


@njit(cache=True, inline="always")
def _up(t, x, w, hi, hj, hk, g1, g2, g3, g4, g5, g6, g7):  # type: ignore[no-untyped-def]
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


@njit(cache=True)
def _children(t, modulus, k):  # type: ignore[no-untyped-def]
    """Sum over children of (parent from child) K (child from parent), all in modes.

    `k` carries the powers of 1/2 that `_down` and `_up` leave out: 1/4, 1/16 and 1/64 for one, two and three axes.
    """
    k0, k1, k2, k3, k4, k5, k6, k7 = k[0], k[1], k[2], k[3], k[4], k[5], k[6], k[7]
    half = k5 - k6
    for child in range(8):
        hi, hj, hk = _half(k0, child >> 2), _half(k0, (child >> 1) & 1), _half(k0, child & 1)
        for w in range(BLOCK):
            e = modulus[child, w]
            x1, x2, x3, x4, x5, x6, x7 = _down(t, 0, w, hi, hj, hk)
            y1, y2, y3, y4, y5, y6, y7 = _down(t, 1, w, hi, hj, hk)
            z1, z2, z3, z4, z5, z6, z7 = _down(t, 2, w, hi, hj, hk)
            a, b = e * k0, e * k1
            xy, xz, yz = e * k2 * (x2 + y4), e * k2 * (x1 + z4), e * k2 * (y1 + z2)
            twist = e * k6 * (x3 + y5 + z6)
            h, p, q, s = e * half, e * k3, e * k4, e * k7
            _up(t, 0, w, hi, hj, hk, xz, xy, h * x3 + twist, a * x4 + b * (y2 + z1), p * x5 + q * y3,
                p * x6 + q * z3, s * x7)  # fmt: skip
            _up(t, 1, w, hi, hj, hk, yz, a * y2 + b * (x4 + z1), p * y3 + q * x5, xy, h * y5 + twist,
                p * y6 + q * z5, s * y7)  # fmt: skip
            _up(t, 2, w, hi, hj, hk, a * z1 + b * (x4 + y2), yz, p * z3 + q * x6, xz, p * z5 + q * y6,
                h * z6 + twist, s * z7)  # fmt: skip


@njit(cache=True, inline="always")
def _half(like, high):  # type: ignore[no-untyped-def]
    """+-1/2 in the precision of `like`."""
    return np.float32(0.5) if high else np.float32(-0.5)


@njit(cache=True)
def _range(u, out, sign, modulus, k, nodes, batch_first, batch_count, first, last):  # type: ignore[no-untyped-def]
    t = np.zeros(48 * BLOCK, dtype=u.dtype)
    for b in range(first, last):
        _gather(u, nodes, batch_first[b], batch_count[b], t)
        _transform(t, 0, True)
        t[FORCE * BLOCK :] = 0
        _children(t, modulus[b], k)
        _transform(t, FORCE, False)
        _scatter(out, sign, nodes, batch_first[b], batch_count[b], t[FORCE * BLOCK :])


@njit(cache=True)
def apply_serial(u, out, sign, modulus, k, nodes, batch_first, batch_count, chunk):  # type: ignore[no-untyped-def]
    """out += sign * K u on (N, 3) vectors with one thread."""
    _range(u, out, sign, modulus, k, nodes, batch_first, batch_count, 0, chunk[chunk.size - 1])


@njit(cache=True, parallel=True)
def apply_parallel(u, out, sign, modulus, k, nodes, batch_first, batch_count, chunk):  # type: ignore[no-untyped-def]
    """out += sign * K u: even chunks side by side, then the odd ones between them."""
    chunks = chunk.size - 1
    for parity in range(2):
        for half in prange((chunks + 1 - parity) // 2):
            c = 2 * half + parity
            _range(u, out, sign, modulus, k, nodes, batch_first, batch_count, chunk[c], chunk[c + 1])


@njit(cache=True)
def batches(elements, borders):  # type: ignore[no-untyped-def]
    """Cut elements into batches of BLOCK that do not cross the borders (C + 1,) of chunks.

    Returns first element and count of each batch, and first batch of each chunk.
    """
    room = elements // BLOCK + borders.size + 1
    first = np.empty(room, dtype=np.int32)
    count = np.empty(room, dtype=np.int32)
    chunk = np.zeros(borders.size, dtype=np.int32)
    b = 0
    for c in range(borders.size - 1):
        for e in range(borders[c], borders[c + 1], BLOCK):
            first[b] = e
            count[b] = min(BLOCK, borders[c + 1] - e)
            b += 1
        chunk[c + 1] = b
    return first[:b].copy(), count[:b].copy(), chunk


@njit(cache=True)
def spread_modulus(fine_modulus, parent, child, lane_of, out):  # type: ignore[no-untyped-def]
    """Moduli (E,) of the voxels into (batches, 8, BLOCK) by the lane of their parent."""
    out[:] = 0
    for e in range(parent.size):
        lane = lane_of[parent[e]]
        out[lane // BLOCK, child[e], lane % BLOCK] = fine_modulus[e]
