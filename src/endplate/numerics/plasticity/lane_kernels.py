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


# Inlined as code, so that offsets are constants in the vector loops and nothing is compiled a second time.
@njit(inline="always")
def _normal(m, e, row, own, b, c, component):  # type: ignore[no-untyped-def]  # pragma: no cover - compiled
    """One normal strain: the gradient along `own`, constant along it, bilinear along `b` and `c`."""
    to = component * S
    gauss, third = m.dtype.type(GAUSS), m.dtype.type(GAUSS * GAUSS)
    for w in range(WIDTH):
        first, along_b = m[(row + own) * S + w], gauss * m[(row + own + b) * S + w]
        along_c, both = gauss * m[(row + own + c) * S + w], third * m[(row + 7) * S + w]
        p, q, r, s = first - along_b, first + along_b, along_c - both, along_c + both
        e[to + w] = p - r
        e[to + own * POINT + w] = p - r
        e[to + c * POINT + w] = p + r
        e[to + (own + c) * POINT + w] = p + r
        e[to + b * POINT + w] = q - s
        e[to + (own + b) * POINT + w] = q - s
        e[to + (b + c) * POINT + w] = q + s
        e[to + 7 * POINT + w] = q + s


@njit(inline="always")
def _shear(m, e, row1, own1, row2, own2, b, component):  # type: ignore[no-untyped-def]  # pragma: no cover
    """Half the sum of two gradients along `own1` and `own2`: each bilinear along the other's axis and `b`."""
    to = component * S
    half, gauss, sixth = m.dtype.type(0.5), m.dtype.type(0.5 * GAUSS), m.dtype.type(0.5 * GAUSS * GAUSS)
    for w in range(WIDTH):
        x, y = half * m[(row1 + own1) * S + w], gauss * m[(row1 + own1 + b) * S + w]
        z, both = gauss * m[(row1 + own1 + own2) * S + w], sixth * m[(row1 + 7) * S + w]
        p1, q1, r1, s1 = x - y, x + y, z - both, z + both
        x, y = half * m[(row2 + own2) * S + w], gauss * m[(row2 + own2 + b) * S + w]
        z, both = gauss * m[(row2 + own2 + own1) * S + w], sixth * m[(row2 + 7) * S + w]
        p2, q2, r2, s2 = x - y, x + y, z - both, z + both
        e[to + w] = (p1 - r1) + (p2 - r2)
        e[to + own1 * POINT + w] = (p1 - r1) + (p2 + r2)
        e[to + own2 * POINT + w] = (p1 + r1) + (p2 - r2)
        e[to + (own1 + own2) * POINT + w] = (p1 + r1) + (p2 + r2)
        e[to + b * POINT + w] = (q1 - s1) + (q2 - s2)
        e[to + (own1 + b) * POINT + w] = (q1 - s1) + (q2 + s2)
        e[to + (own2 + b) * POINT + w] = (q1 + s1) + (q2 - s2)
        e[to + 7 * POINT + w] = (q1 + s1) + (q2 + s2)


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
    i, j, k = along_i * S, along_j * S, along_k * S
    gauss, third = e.dtype.type(GAUSS), e.dtype.type(GAUSS * GAUSS)
    for w in range(WIDTH):
        a0, a1 = e[i + w] + e[i + 4 * POINT + w], e[i + POINT + w] + e[i + 5 * POINT + w]
        a2, a3 = e[i + 2 * POINT + w] + e[i + 6 * POINT + w], e[i + 3 * POINT + w] + e[i + 7 * POINT + w]
        w4, w6 = a0 + a1 + a2 + a3, gauss * (a2 + a3 - a0 - a1)
        w5, w7 = gauss * (a1 + a3 - a0 - a2), third * (a0 + a3 - a1 - a2)
        a0, a1 = e[j + w] + e[j + 2 * POINT + w], e[j + POINT + w] + e[j + 3 * POINT + w]
        a2, a3 = e[j + 4 * POINT + w] + e[j + 6 * POINT + w], e[j + 5 * POINT + w] + e[j + 7 * POINT + w]
        w2, w3 = a0 + a1 + a2 + a3, gauss * (a1 + a3 - a0 - a2)
        w6 += gauss * (a2 + a3 - a0 - a1)
        w7 += third * (a0 + a3 - a1 - a2)
        a0, a1 = e[k + w] + e[k + POINT + w], e[k + 2 * POINT + w] + e[k + 3 * POINT + w]
        a2, a3 = e[k + 4 * POINT + w] + e[k + 5 * POINT + w], e[k + 6 * POINT + w] + e[k + 7 * POINT + w]
        w1 = a0 + a1 + a2 + a3
        w5 += gauss * (a2 + a3 - a0 - a1)
        w3 += gauss * (a1 + a3 - a0 - a2)
        w7 += third * (a0 + a3 - a1 - a2)
        low, high = (LOW + 4 * d) * S + w, (HIGH + 4 * d) * S + w + 1
        t[low], t[high] = -scale * w1, scale * w1
        t[low + S], t[high + S] = scale * (w2 - w3), scale * (w2 + w3)
        t[low + 2 * S], t[high + 2 * S] = scale * (w4 - w5), scale * (w4 + w5)
        t[low + 3 * S], t[high + 3 * S] = scale * (w6 - w7), scale * (w6 + w7)
