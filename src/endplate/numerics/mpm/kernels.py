"""Forces and state of all points over one move, in one pass each. Compiled.

Points are handed over in slabs of planes; slabs of one parity share no node, so threads may take them side by side, and
since the slabs do not depend on the number of threads, neither does any sum.

Fields live on the mesh's nodes, and `number` (nodes of the box) tells the place of each. The mesh counts along the last
axis first, so the three nodes that a point touches along it follow each other.
"""

from __future__ import annotations

import numpy as np
from numba import njit

from endplate.numerics.mpm.return_mapping import update
from endplate.numerics.mpm.splines import base_and_offset, fill_slopes, fill_weights

SLAB = 4
"""Planes of a slab; a spline reaches two planes beyond, so slabs of one parity stay apart."""


@njit(cache=True)
def sort_slabs(x, inverse_spacing, first, planes, start, order):  # type: ignore[no-untyped-def]
    """Stable order of points by slab; start (S + 1,) becomes the first place of each slab."""
    start[:] = 0
    slab = np.empty(x.shape[0], dtype=np.int32)
    for p in range(x.shape[0]):
        base, _ = base_and_offset(x[p, 0] * inverse_spacing - first)
        slab[p] = min(max(base, 0), planes - 3) // SLAB
        start[slab[p] + 1] += 1
    for s in range(start.size - 1):
        start[s + 1] += start[s]
    place = start[:-1].copy()
    for p in range(x.shape[0]):
        order[place[slab[p]]] = p
        place[slab[p]] += 1


@njit(cache=True)
def _weights(x, p, dims, inverse_spacing, first, base, w, d):  # type: ignore[no-untyped-def]
    for axis in range(3):
        base[axis], offset = base_and_offset(x[p, axis] * inverse_spacing - first)
        fill_weights(offset, w[axis])
        fill_slopes(offset, inverse_spacing, d[axis])


@njit(cache=True)
def _gradient(du, number, dims, base, w, d):  # type: ignore[no-untyped-def]
    """The nine entries du_c / dx_axis, row c."""
    xx = xy = xz = yx = yy = yz = zx = zy = zz = 0.0
    w0, w1, w2, d0, d1, d2 = w[2, 0], w[2, 1], w[2, 2], d[2, 0], d[2, 1], d[2, 2]
    for a in range(3):
        for b in range(3):
            row = number[((base[0] + a) * dims[1] + base[1] + b) * dims[2] + base[2]]
            u0, u1, u2 = du[row, 0], du[row + 1, 0], du[row + 2, 0]
            v0, v1, v2 = du[row, 1], du[row + 1, 1], du[row + 2, 1]
            t0, t1, t2 = du[row, 2], du[row + 1, 2], du[row + 2, 2]
            uw, ud = w0 * u0 + w1 * u1 + w2 * u2, d0 * u0 + d1 * u1 + d2 * u2
            vw, vd = w0 * v0 + w1 * v1 + w2 * v2, d0 * v0 + d1 * v1 + d2 * v2
            tw, td = w0 * t0 + w1 * t1 + w2 * t2, d0 * t0 + d1 * t1 + d2 * t2
            dx, dy, dz = d[0, a] * w[1, b], w[0, a] * d[1, b], w[0, a] * w[1, b]
            xx += dx * uw
            xy += dy * uw
            xz += dz * ud
            yx += dx * vw
            yy += dy * vw
            yz += dz * vd
            zx += dx * tw
            zy += dy * tw
            zz += dz * td
    return xx, xy, xz, yx, yy, yz, zx, zy, zz


@njit(cache=True)
def _cofactor(g):  # type: ignore[no-untyped-def]
    """J F ** -T of F = I + G, by rows."""
    a, b, c, d, e, f, p, q, r = 1 + g[0], g[1], g[2], g[3], 1 + g[4], g[5], g[6], g[7], 1 + g[8]
    return (
        e * r - f * q, f * p - d * r, d * q - e * p,
        c * q - b * r, a * r - c * p, b * p - a * q,
        b * f - c * e, c * d - a * f, a * e - b * d,
    )  # fmt: skip


@njit(cache=True, nogil=True)
def forces(first_slab, last_slab, parity, slabs, cloud, fresh, grid, law, du, out, secant):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    """Add minus the internal forces of the slabs of one parity to `out` (nodes, 3); note the secant shares."""
    start, order = slabs
    x, volume, stress, kind = cloud
    strength, cap_ratio, cohesion, modulus, packing, opened = fresh
    dims, inverse_spacing, first, number = grid
    w, d, base = np.empty((3, 3)), np.empty((3, 3)), np.empty(3, dtype=np.int64)
    for slab in range(first_slab, last_slab):
        if slab & 1 != parity:
            continue
        for place in range(start[slab], start[slab + 1]):
            p = order[place]
            _weights(x, p, dims, inverse_spacing, first, base, w, d)
            g = _gradient(du, number, dims, base, w, d)
            before = (stress[p, 0], stress[p, 1], stress[p, 2], stress[p, 3], stress[p, 4], stress[p, 5])
            s = update(
                g, before, strength[p], cap_ratio[p], cohesion[p], modulus[p], kind[p], law, packing[p], opened[p]
            )
            secant[p] = s[7]
            c, v = _cofactor(g), volume[p]
            pxx = v * (s[0] * c[0] + s[5] * c[3] + s[4] * c[6])
            pxy = v * (s[0] * c[1] + s[5] * c[4] + s[4] * c[7])
            pxz = v * (s[0] * c[2] + s[5] * c[5] + s[4] * c[8])
            pyx = v * (s[5] * c[0] + s[1] * c[3] + s[3] * c[6])
            pyy = v * (s[5] * c[1] + s[1] * c[4] + s[3] * c[7])
            pyz = v * (s[5] * c[2] + s[1] * c[5] + s[3] * c[8])
            pzx = v * (s[4] * c[0] + s[3] * c[3] + s[2] * c[6])
            pzy = v * (s[4] * c[1] + s[3] * c[4] + s[2] * c[7])
            pzz = v * (s[4] * c[2] + s[3] * c[5] + s[2] * c[8])
            for a in range(3):
                for b in range(3):
                    row = number[((base[0] + a) * dims[1] + base[1] + b) * dims[2] + base[2]]
                    dx, dy, dz = d[0, a] * w[1, b], w[0, a] * d[1, b], w[0, a] * w[1, b]
                    ax, bx = dx * pxx + dy * pxy, dz * pxz
                    ay, by = dx * pyx + dy * pyy, dz * pyz
                    az, bz = dx * pzx + dy * pzy, dz * pzz
                    for e in range(3):
                        we, de = w[2, e], d[2, e]
                        out[row + e, 0] -= we * ax + de * bx
                        out[row + e, 1] -= we * ay + de * by
                        out[row + e, 2] -= we * az + de * bz


@njit(cache=True, nogil=True)
def advance(first, last, cloud, fresh, grid, law, du, hardening, extent, work):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    """Move the points first..last and take their new state; work (n, 2) becomes that of stress and its plastic part."""
    x, volume, stress, kind = cloud
    strength, cap_ratio, cohesion, modulus, packing, opened = fresh
    dims, inverse_spacing, origin, number = grid
    w, d, base = np.empty((3, 3)), np.empty((3, 3)), np.empty(3, dtype=np.int64)
    for p in range(first, last):
        _weights(x, p, dims, inverse_spacing, origin, base, w, d)
        g = _gradient(du, number, dims, base, w, d)
        before = (stress[p, 0], stress[p, 1], stress[p, 2], stress[p, 3], stress[p, 4], stress[p, 5])
        s = update(g, before, strength[p], cap_ratio[p], cohesion[p], modulus[p], kind[p], law, packing[p], opened[p])
        for c in range(6):
            stress[p, c] = s[c]
        hardening[p] += s[6]
        opened[p] += np.log(max(1 + g[8], 0.02))
        middle = 0.5 * volume[p] * (1 + s[8])
        work[p, 0], work[p, 1] = s[9] * middle, s[10] * middle
        volume[p] *= s[8]
        for axis in range(3):
            extent[p, axis] *= max(1 + g[4 * axis], 0.5)
        for axis in range(3):
            total = 0.0
            for a in range(3):
                for b in range(3):
                    row = number[((base[0] + a) * dims[1] + base[1] + b) * dims[2] + base[2]]
                    ab = w[0, a] * w[1, b]
                    for e in range(3):
                        total += ab * w[2, e] * du[row + e, axis]
            x[p, axis] += total


@njit(cache=True)
def deposit_stiffness(x, weight, dims, inverse_spacing, first, out):  # type: ignore[no-untyped-def]
    """Sums (cells) of point values by splines centred in the cells; dims of the cells."""
    w, base = np.empty((3, 3)), np.empty(3, dtype=np.int64)
    for p in range(x.shape[0]):
        for axis in range(3):
            base[axis], offset = base_and_offset(x[p, axis] * inverse_spacing - first - 0.5)
            base[axis] = min(max(base[axis], 0), dims[axis] - 3)
            fill_weights(offset, w[axis])
        for a in range(3):
            for b in range(3):
                row = ((base[0] + a) * dims[1] + base[1] + b) * dims[2] + base[2]
                ab = w[0, a] * w[1, b] * weight[p]
                for e in range(3):
                    out[row + e] += ab * w[2, e]
