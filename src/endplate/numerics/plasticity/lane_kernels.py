"""Compiled internal forces of a yielding body, one batch of lanes at a time with vector instructions.

Strains at the eight Gauss points come from the eight tensor modes of the corner values (Walsh-Hadamard), so each is
two additions away from the mode coefficients. Every step is a loop over the lanes of a batch with a constant trip
count; points of a batch beyond the yield surface are packed together, returned in one such loop, and put back. A plane
of elements shares nodes only with the planes beside it: even planes run in parallel, then odd ones, which keeps the
sums the same for any number of threads.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

from endplate.numerics.plasticity.return_mapping import ROOM, WHOLE, elastic_limit, return_packed
from endplate.numerics.voxel.kernels import HIGH, LOW, ROWS, STRIDE, gather, inverse_lines, scatter
from endplate.numerics.voxel.simd_batches import WIDTH

GAUSS = 1.0 / math.sqrt(3.0)
"""Gauss points of the 2 x 2 x 2 rule in the element's own coordinates."""

S = STRIDE
POINT = 6 * STRIDE
"""Rows of one Gauss point: xx, yy, zz, yz, xz, xy."""


@njit(cache=True, nogil=True, error_model="numpy")
def planes(first, last, step, u, out, lanes, properties, law, plastic, committing):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    """Forces of every `step`-th plane from `first` up to `last`, all in the precision of `u`."""
    node, length, lane, batch, chunk = lanes
    twice_shear, bulk, strength = properties
    spacing, criterion, bbar = law
    t, m = np.zeros(ROWS * S, dtype=u.dtype), np.zeros(24 * S, dtype=u.dtype)
    e, packed = np.zeros(8 * POINT, dtype=u.dtype), np.ones(7 * ROOM, dtype=u.dtype)
    trial, mean = np.zeros(4 * S, dtype=u.dtype), np.zeros(8 * S, dtype=u.dtype)
    index = np.zeros(8 * WIDTH, dtype=np.int32)
    one = u.dtype.type(1.0)
    to_modes, to_forces = u.dtype.type(0.25 / spacing), u.dtype.type(0.03125 * spacing * spacing)
    for plane in range(first, last, step):
        for b in range(chunk[plane], chunk[plane + 1]):
            gather(u, node, length, lane, batch[b], batch[b + 1], t)
            _modes(t, to_modes, m)
            _strains(m, e)
            _prepare(m, strength[b], criterion, trial)
            count = np.int64(0)  # typed: a plain 0 would be a constant, and what takes it compiled for both
            for p in range(8):
                point = e[p * POINT : (p + 1) * POINT]
                if _trial(point, plastic[b, p], twice_shear[b], trial) > 0:
                    count = _beyond(trial, p, index, count)
                if not bbar:
                    for w in range(WIDTH):  # one slice set to another would bring the text of an error to compile
                        mean[p * S + w] = trial[2 * S + w]
            _return(e, packed, index, count, strength[b], twice_shear[b], criterion, plastic[b], committing)
            if committing:
                continue
            for p in range(8):
                dilatation = trial[S : S + WIDTH] if bbar else mean[p * S : p * S + WIDTH]
                _pressure(e[p * POINT : (p + 1) * POINT], bulk[b], dilatation)
            _nodal(e, to_forces, t)
            inverse_lines(t)
            scatter(out, one, node, length, lane, batch[b], batch[b + 1], t)


@njit(cache=True, error_model="numpy")
def _modes(t, scale, m):  # type: ignore[no-untyped-def]
    """Mode coefficients of the corner displacements times 2 / h: rows 8 * component + mode, bits i, j, k."""
    for d in range(3):
        low, to = t[4 * d * S : (4 * d + 4) * S], m[8 * d * S : (8 * d + 8) * S]
        for w in range(WIDTH):
            to[S + w] = scale * (low[w + 1] - low[w])
            to[2 * S + w] = scale * (low[S + w + 1] + low[S + w])
            to[3 * S + w] = scale * (low[S + w + 1] - low[S + w])
            to[4 * S + w] = scale * (low[2 * S + w + 1] + low[2 * S + w])
            to[5 * S + w] = scale * (low[2 * S + w + 1] - low[2 * S + w])
            to[6 * S + w] = scale * (low[3 * S + w + 1] + low[3 * S + w])
            to[7 * S + w] = scale * (low[3 * S + w + 1] - low[3 * S + w])


@njit(cache=True, error_model="numpy")
def _strains(m, e):  # type: ignore[no-untyped-def]
    """Strain at the Gauss points, rows 6 * point + component; a point's bits are its place along i, j, k."""
    _normal(m, e, 0, 4, 2, 1, 0)
    _normal(m, e, 8, 2, 4, 1, 1)
    _normal(m, e, 16, 1, 4, 2, 2)
    _shear(m, e, 8, 1, 16, 2, 4, 3)
    _shear(m, e, 0, 1, 16, 4, 2, 4)
    _shear(m, e, 0, 2, 8, 4, 1, 5)


# Inlined as code, so that offsets are constants in the vector loops. What they call is compiled once and then inlined.
@njit(inline="always")
def _normal(m, e, row, own, b, c, component):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """One normal strain: the gradient along `own`, constant along it, bilinear along `b` and `c`."""
    whole, gauss, third = m.dtype.type(1.0), m.dtype.type(GAUSS), m.dtype.type(GAUSS * GAUSS)
    for w in range(WIDTH):
        p, q, r, s = _quarters(m, row * S + w, own * S, b * S, c * S, whole, gauss, third)
        _put(
            e,
            component * S + w,
            own * POINT,
            c * POINT,
            b * POINT,
            p - r,
            p - r,
            p + r,
            p + r,
            q - s,
            q - s,
            q + s,
            q + s,
        )


@njit(inline="always")
def _shear(m, e, row1, own1, row2, own2, b, component):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Half the sum of two gradients along `own1` and `own2`: each bilinear along the other's axis and `b`."""
    half, gauss, sixth = m.dtype.type(0.5), m.dtype.type(0.5 * GAUSS), m.dtype.type(0.5 * GAUSS * GAUSS)
    for w in range(WIDTH):
        p1, q1, r1, s1 = _quarters(m, row1 * S + w, own1 * S, b * S, own2 * S, half, gauss, sixth)
        p2, q2, r2, s2 = _quarters(m, row2 * S + w, own2 * S, b * S, own1 * S, half, gauss, sixth)
        _put(e, component * S + w, own1 * POINT, own2 * POINT, b * POINT,
             (p1 - r1) + (p2 - r2), (p1 - r1) + (p2 + r2), (p1 + r1) + (p2 - r2), (p1 + r1) + (p2 + r2),
             (q1 - s1) + (q2 - s2), (q1 - s1) + (q2 + s2), (q1 + s1) + (q2 - s2), (q1 + s1) + (q2 + s2))  # fmt: skip


@njit(cache=True, forceinline=True)
def _quarters(m, at, own, b, c, one, gauss, third):  # type: ignore[no-untyped-def]  # pragma: no cover
    """A gradient along `own` in parts: less and more along `b`, constant and then linear along `c`."""
    x, y = one * m[at + own], gauss * m[at + own + b]
    z, both = gauss * m[at + own + c], third * m[at + 7 * S]
    return x - y, x + y, z - both, z + both


@njit(cache=True, forceinline=True)
def _put(e, at, i, j, k, v, vi, vj, vij, vk, vik, vjk, vijk):  # type: ignore[no-untyped-def]  # noqa: PLR0913  # pragma: no cover
    """One value to each of eight points, a step of `i`, `j` and `k` or none of them away."""
    e[at] = v
    e[at + i] = vi
    e[at + j] = vj
    e[at + (i + j)] = vij
    e[at + k] = vk
    e[at + (i + k)] = vik
    e[at + (j + k)] = vjk
    e[at + (i + j + k)] = vijk


@njit(cache=True, error_model="numpy")
def _prepare(m, strength, criterion, trial):  # type: ignore[no-untyped-def]
    """Row 1 of `trial`: the mean dilatation of each element; row 3: J2 below which a point is certainly elastic."""
    for w in range(WIDTH):
        trial[S + w] = m[4 * S + w] + m[10 * S + w] + m[17 * S + w]
        trial[3 * S + w] = elastic_limit(strength[w], criterion)


@njit(cache=True, error_model="numpy")
def _trial(point, plastic, twice_shear, trial):  # type: ignore[no-untyped-def]
    """Trial deviator in place of the strain; J2 in row 0 of `trial`, the point's dilatation in row 2.

    Returns the number of lanes that may yield.
    """
    count = 0
    a_third, half = point.dtype.type(1.0 / 3.0), point.dtype.type(0.5)
    for w in range(WIDTH):
        volume = point[w] + point[S + w] + point[2 * S + w]
        third = a_third * volume
        g = twice_shear[w]
        xx, yy = g * (point[w] - third - plastic[0, w]), g * (point[S + w] - third - plastic[1, w])
        zz = g * (point[2 * S + w] - third - plastic[2, w])
        yz = g * (point[3 * S + w] - plastic[3, w])
        xz = g * (point[4 * S + w] - plastic[4, w])
        xy = g * (point[5 * S + w] - plastic[5, w])
        point[w], point[S + w], point[2 * S + w] = xx, yy, zz
        point[3 * S + w], point[4 * S + w], point[5 * S + w] = yz, xz, xy
        j2 = half * (xx * xx + yy * yy + zz * zz) + yz * yz + xz * xz + xy * xy
        trial[w], trial[2 * S + w] = j2, volume
        count += 1 if j2 > trial[3 * S + w] else 0
    return count


@njit(cache=True, error_model="numpy")
def _beyond(trial, p, index, count):  # type: ignore[no-untyped-def]
    """Add the places, 64 * point + lane, of the lanes of a point that may yield; the number of places now."""
    for w in range(WIDTH):
        if trial[w] > trial[3 * S + w]:
            index[count] = p * WIDTH + w
            count += 1
    return count


@njit(cache=True, error_model="numpy")
def _return(e, packed, index, count, strength, twice_shear, criterion, plastic, committing):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    """Return the chosen points to the yield surface; the plastic strain follows when asked to."""
    for n in range(count):
        p, w = index[n] // WIDTH, index[n] % WIDTH
        for c in range(6):
            packed[c * ROOM + n] = e[p * POINT + c * S + w]
        packed[6 * ROOM + n] = strength[w]
    return_packed(packed, (count + WHOLE - 1) // WHOLE * WHOLE, criterion)
    for n in range(count):
        p, w = index[n] // WIDTH, index[n] % WIDTH
        for c in range(6):
            place, returned = p * POINT + c * S + w, packed[c * ROOM + n]
            if committing:
                plastic[p, c, w] += (e[place] - returned) / twice_shear[w]
            e[place] = returned


@njit(cache=True, error_model="numpy")
def _pressure(point, bulk, dilatation):  # type: ignore[no-untyped-def]
    """Add the elastic pressure to the normal stresses: of the element's mean dilatation, or of the point's own."""
    for w in range(WIDTH):
        pressure = bulk[w] * dilatation[w]
        point[w] += pressure
        point[S + w] += pressure
        point[2 * S + w] += pressure


@njit(cache=True, error_model="numpy")
def _nodal(e, scale, t):  # type: ignore[no-untyped-def]
    """Nodal forces of the Gauss-point stresses, back along k: the transposes of `_strains` and `_modes`."""
    _component(e, scale, t, 0, 0, 5, 4)
    _component(e, scale, t, 1, 5, 1, 3)
    _component(e, scale, t, 2, 4, 3, 2)


@njit(inline="always")
def _component(e, scale, t, d, along_i, along_j, along_k):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Forces of one component from the three stresses that work on its gradients."""
    gauss, third = e.dtype.type(GAUSS), e.dtype.type(GAUSS * GAUSS)
    one, two, four = np.int64(POINT), 2 * POINT, 4 * POINT
    for w in range(WIDTH):
        w4, w6, w5, w7 = _face(e, along_i * S + w, four, one, two, gauss, third)
        w2, a6, w3, a7 = _face(e, along_j * S + w, two, one, four, gauss, third)
        w1, a5, a3, b7 = _face(e, along_k * S + w, one, two, four, gauss, third)
        w3, w5, w6, w7 = w3 + a3, w5 + a5, w6 + a6, w7 + a7 + b7
        low, high = (LOW + 4 * d) * S + w, (HIGH + 4 * d) * S + w + 1
        t[low], t[high] = -scale * w1, scale * w1
        t[low + S], t[high + S] = scale * (w2 - w3), scale * (w2 + w3)
        t[low + 2 * S], t[high + 2 * S] = scale * (w4 - w5), scale * (w4 + w5)
        t[low + 3 * S], t[high + 3 * S] = scale * (w6 - w7), scale * (w6 + w7)


@njit(cache=True, forceinline=True)
def _face(e, at, pair, b, c, gauss, third):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """Four sums over points `pair` apart, `b` and `c` from each other: their sum, twists along `c`, `b` and both."""
    a0, a1 = e[at] + e[at + pair], e[at + b] + e[at + (b + pair)]
    a2, a3 = e[at + c] + e[at + (c + pair)], e[at + (b + c)] + e[at + (b + c + pair)]
    return a0 + a1 + a2 + a3, gauss * (a2 + a3 - a0 - a1), gauss * (a1 + a3 - a0 - a2), third * (a0 + a3 - a1 - a2)
