"""Stress of a point after a finite move: rotation, elastic trial, return to the yield surface. Compiled.

Stresses are xx, yy, zz, yz, xz, xy. The strain is that of Hughes & Winget (Int J Numer Methods Eng 1980), taken at the
middle of the move, and the rotation is Cayley's, so a rotation of any size creates no stress.
"""

from __future__ import annotations

import math

from numba import njit

from endplate.numerics.mpm.foam import ELASTIC, FOAM

MIN_JACOBIAN = 0.02
"""A point turned inside out during iterations keeps a volume, so that the iteration can go back."""

NEWTON_STEPS = 12
"""F ** (-1/2) is nearly linear in the multiplier: three or four steps reach rounding."""

NEWTON_TOLERANCE = 1e-10
"""Relative, of the yield radius."""


@njit(cache=True)
def determinant(a, b, c, d, e, f, g, h, i):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    """Of a 3 x 3 matrix given by rows."""
    return a * (e * i - f * h) - b * (d * i - f * g) + c * (d * h - e * g)


@njit(cache=True)
def middle_gradient(g):  # type: ignore[no-untyped-def]
    """Gradient of the move with respect to the middle of the move: G (I + G / 2) ** -1, from the nine entries of G."""
    a, b, c = 1 + 0.5 * g[0], 0.5 * g[1], 0.5 * g[2]
    d, e, f = 0.5 * g[3], 1 + 0.5 * g[4], 0.5 * g[5]
    p, q, r = 0.5 * g[6], 0.5 * g[7], 1 + 0.5 * g[8]
    scale = 1 / max(determinant(a, b, c, d, e, f, p, q, r), MIN_JACOBIAN)
    m00, m01, m02 = (e * r - f * q) * scale, (c * q - b * r) * scale, (b * f - c * e) * scale
    m10, m11, m12 = (f * p - d * r) * scale, (a * r - c * p) * scale, (c * d - a * f) * scale
    m20, m21, m22 = (d * q - e * p) * scale, (b * p - a * q) * scale, (a * e - b * d) * scale
    return (
        g[0] * m00 + g[1] * m10 + g[2] * m20,
        g[0] * m01 + g[1] * m11 + g[2] * m21,
        g[0] * m02 + g[1] * m12 + g[2] * m22,
        g[3] * m00 + g[4] * m10 + g[5] * m20,
        g[3] * m01 + g[4] * m11 + g[5] * m21,
        g[3] * m02 + g[4] * m12 + g[5] * m22,
        g[6] * m00 + g[7] * m10 + g[8] * m20,
        g[6] * m01 + g[7] * m11 + g[8] * m21,
        g[6] * m02 + g[7] * m12 + g[8] * m22,
    )


@njit(cache=True)
def rotate(xx, yy, zz, yz, xz, xy, wx, wy, wz):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    """Q s Q^T with Cayley's Q of the axial vector w of the spin."""
    t = 1 / (1 + 0.25 * (wx * wx + wy * wy + wz * wz))
    half = 0.5 * t
    q00, q11, q22 = 1 - half * (wy * wy + wz * wz), 1 - half * (wx * wx + wz * wz), 1 - half * (wx * wx + wy * wy)
    q01, q10 = half * wx * wy - t * wz, half * wx * wy + t * wz
    q02, q20 = half * wx * wz + t * wy, half * wx * wz - t * wy
    q12, q21 = half * wy * wz - t * wx, half * wy * wz + t * wx
    a0, a1, a2 = q00 * xx + q01 * xy + q02 * xz, q00 * xy + q01 * yy + q02 * yz, q00 * xz + q01 * yz + q02 * zz
    b0, b1, b2 = q10 * xx + q11 * xy + q12 * xz, q10 * xy + q11 * yy + q12 * yz, q10 * xz + q11 * yz + q12 * zz
    c0, c1, c2 = q20 * xx + q21 * xy + q22 * xz, q20 * xy + q21 * yy + q22 * yz, q20 * xz + q21 * yz + q22 * zz
    return (
        a0 * q00 + a1 * q01 + a2 * q02,
        b0 * q10 + b1 * q11 + b2 * q12,
        c0 * q20 + c1 * q21 + c2 * q22,
        b0 * q20 + b1 * q21 + b2 * q22,
        a0 * q20 + a1 * q21 + a2 * q22,
        a0 * q10 + a1 * q11 + a2 * q12,
    )


@njit(cache=True)
def multiplier(deviator, mean, radius, shear, bulk, weight):  # type: ignore[no-untyped-def]
    """Chi >= 0 that brings (deviator / (1 + shear chi))^2 + weight (mean / (1 + bulk chi))^2 to radius^2.

    Newton on F ** (-1/2) - 1 / radius, which is concave and nearly straight in chi.
    """
    chi = 0.0
    target = 1 / radius
    for _ in range(NEWTON_STEPS):
        u, v = 1 / (1 + shear * chi), 1 / (1 + bulk * chi)
        first, second = (deviator * u) ** 2, weight * (mean * v) ** 2
        total = first + second
        root = 1 / math.sqrt(total)
        slope = (first * shear * u + second * bulk * v) * root / total
        miss = target - root
        chi += miss / slope
        if abs(miss) < NEWTON_TOLERANCE * target:
            break
    return max(chi, 0.0)


@njit(cache=True)
def return_point(xx, yy, zz, yz, xz, xy, strength, cohesion, modulus, kind, law):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    """Returned stress, equivalent plastic strain and secant share of stiffness of a trial stress."""
    poisson, weight, beta, friction = law[0], law[1], law[2], law[4]
    mean = (xx + yy + zz) / 3
    xx, yy, zz = xx - mean, yy - mean, zz - mean
    square = 1.5 * (xx * xx + yy * yy + zz * zz + 2 * (yz * yz + xz * xz + xy * xy))
    shift = 0.0
    if kind == FOAM:
        shift = 0.5 * (1 - cohesion) * strength * math.sqrt(beta / weight)
        strength *= 0.5 * (1 + cohesion)
    else:
        weight, beta = 0.0, 1.0
    radius = math.sqrt(beta) * strength
    moved = mean + shift
    if kind == ELASTIC or square + weight * moved * moved <= radius * radius:
        return xx + mean, yy + mean, zz + mean, yz, xz, xy, 0.0, 1.0
    shear, bulk = 1.5 * modulus / (1 + poisson), weight * modulus / (3 - 6 * poisson)
    chi = multiplier(math.sqrt(square), moved, radius, shear, bulk, weight)
    keep = 1 / (1 + shear * chi)
    mean = moved / (1 + bulk * chi) - shift
    if kind == FOAM and friction >= 0:
        most = max(2 * cohesion / (1 + cohesion) * 3 * strength - friction * mean, 0.0)
        now = keep * math.sqrt(square)
        if now > most:
            keep *= most / now
    strain = chi * beta * strength
    return keep * xx + mean, keep * yy + mean, keep * zz + mean, keep * yz, keep * xz, keep * xy, strain, keep


@njit(cache=True, inline="always")
def growth(packing, ratio, cohesion, law):  # type: ignore[no-untyped-def]
    """Factor on the strength when the packing changes by a ratio; its power differs above and below a packing of 1, and
    below it by how much of the cohesion is lost."""
    above, below = law[3], law[6]
    if above == below or (packing >= 1 and packing * ratio >= 1):
        return ratio**above
    if law[7] > law[8]:
        below = above + (below - above) * (law[7] - cohesion) / (law[7] - law[8])
    now = packing * ratio
    after = now**above if now >= 1 else now**below
    return after / (packing**above if packing >= 1 else packing**below)


@njit(cache=True)
def across_gap(n, strength, cohesion, opened, law):  # type: ignore[no-untyped-def]
    """The returned stress with what broken foam cannot carry across an open gap taken off: push and shear along the
    last axis, beyond the share of the strength that still touches."""
    gap = opened - law[10]
    if gap <= 0 or law[7] <= law[8]:
        return n
    lost = (law[7] - cohesion) / (law[7] - law[8])
    most = strength * (1 - lost + lost * (law[11] + (1 - law[11]) * math.exp(-gap / law[9])))
    zz, yz, xz = max(n[2], -most), min(max(n[3], -most), most), min(max(n[4], -most), most)
    secant = n[7] if zz == n[2] else n[7] * zz / n[2]
    return n[0], n[1], zz, yz, xz, n[5], n[6], secant


@njit(cache=True)
def tensile_share(cohesion, law):  # type: ignore[no-untyped-def]
    """Strength in tension along one axis over the yield stress, of foam with a cohesion."""
    weight, beta = law[1], law[2]
    half = (1 - cohesion) * math.sqrt(weight * beta) / 3
    return (math.sqrt(half * half + 4 * beta * beta * cohesion) - half) / (2 * beta)


@njit(cache=True)
def across_plane(xx, yy, zz, most, law):  # type: ignore[no-untyped-def]
    """Trial stresses on the three axes with the pull along the last one cut off at what crushed foam bears across it.

    The plane opens along that axis alone, so the pull on the other two falls by Poisson's share of what is cut off. The
    return to the ellipse that follows may bring some of the pull back.
    """
    aside = law[0] / (1 - law[0]) * (zz - most)
    return xx - aside, yy - aside, most


@njit(cache=True)
def update(g, s, strength, cap_ratio, cohesion, modulus, kind, law, packing=1.0, opened=0.0):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    """One point over one move.

    Parameters
    ----------
    g : the nine entries of the gradient of the move. s : the six stresses before. strength : Y at the density before.
    cap_ratio : largest further compaction that hardens. packing : density over the density at first, before the move.
    opened : logarithmic stretch along the last axis since then, before the move.
    The rest as for `return_point`.

    Returns
    -------
    stress (6), plastic strain, secant share, volume ratio J, and the work of the move per unit of middle volume (of
    stress, and of its plastic part).
    """
    jacobian = max(determinant(1 + g[0], g[1], g[2], g[3], 1 + g[4], g[5], g[6], g[7], 1 + g[8]), MIN_JACOBIAN)
    m = middle_gradient(g)
    exx, eyy, ezz = m[0], m[4], m[8]
    eyz, exz, exy = 0.5 * (m[5] + m[7]), 0.5 * (m[2] + m[6]), 0.5 * (m[1] + m[3])
    r = rotate(s[0], s[1], s[2], s[3], s[4], s[5], 0.5 * (m[7] - m[5]), 0.5 * (m[2] - m[6]), 0.5 * (m[3] - m[1]))
    side = law[12] if kind == FOAM else 1.0
    slant = math.sqrt(side)
    exx, eyy, exy, eyz, exz = exx * side, eyy * side, exy * side, eyz * slant, exz * slant
    r = (r[0] / side, r[1] / side, r[2], r[3] / slant, r[4] / slant, r[5] / side)
    twice, lame = modulus / (1 + law[0]), modulus * law[0] / ((1 + law[0]) * (1 - 2 * law[0])) * (exx + eyy + ezz)
    txx, tyy, tzz = r[0] + twice * exx + lame, r[1] + twice * eyy + lame, r[2] + twice * ezz + lame
    tyz, txz, txy = r[3] + twice * eyz, r[4] + twice * exz, r[5] + twice * exy
    if kind == FOAM:
        # what loosens is weaker from the next step on
        strength *= growth(packing, min(max(1 / jacobian, 1.0), cap_ratio), cohesion, law)
    whole, cut = cohesion, 1.0
    if kind == FOAM and law[13] > 0 and cohesion < law[7]:
        whole, most = law[7], strength * tensile_share(cohesion, law)
        if tzz > most:
            cut = most / tzz
            txx, tyy, tzz = across_plane(txx, tyy, tzz, most, law)
    n = return_point(txx, tyy, tzz, tyz, txz, txy, strength, whole, modulus, kind, law)
    if cut < 1:
        n = (n[0], n[1], n[2], n[3], n[4], n[5], n[6], n[7] * cut)
    if kind == FOAM and law[9] > 0:
        n = across_gap(n, strength, cohesion, opened + min(math.log(max(1 + g[8], MIN_JACOBIAN)), 0.0), law)
    m0, m1, m2 = 0.5 * (r[0] + n[0]), 0.5 * (r[1] + n[1]), 0.5 * (r[2] + n[2])
    m3, m4, m5 = 0.5 * (r[3] + n[3]), 0.5 * (r[4] + n[4]), 0.5 * (r[5] + n[5])
    work = m0 * exx + m1 * eyy + m2 * ezz + 2 * (m3 * eyz + m4 * exz + m5 * exy)
    # elastic part of the strain from the change of stress
    d0, d1, d2 = n[0] - r[0], n[1] - r[1], n[2] - r[2]
    trace = law[0] * (d0 + d1 + d2)
    elastic = m0 * ((1 + law[0]) * d0 - trace) + m1 * ((1 + law[0]) * d1 - trace) + m2 * ((1 + law[0]) * d2 - trace)
    shear = m3 * (n[3] - r[3]) + m4 * (n[4] - r[4]) + m5 * (n[5] - r[5])
    elastic = (elastic + 2 * (1 + law[0]) * shear) / modulus
    out = (n[0] * side, n[1] * side, n[2], n[3] * slant, n[4] * slant, n[5] * side)
    return out[0], out[1], out[2], out[3], out[4], out[5], n[6], n[7], jacobian, work, work - elastic
