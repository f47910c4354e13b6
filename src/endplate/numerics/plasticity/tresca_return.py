"""The Tresca return of many points at once, in four short loops.

One long loop would be bound by the length of its chain of square roots and divisions: a processor looks ahead over less
than two of its turns. Short loops, with what they hand on kept in rows of the packed points, let it work on many.
"""

from __future__ import annotations

import math

from numba import njit

from endplate.numerics.voxel.simd_batches import WIDTH

WHOLE = 16
"""Points are returned in whole vectors; what earlier points left behind fills the last one, and nobody reads it."""

S = ROOM = 8 * WIDTH + WHOLE
"""Points from one row of packed points to the next: room for all points of a batch."""

PACKED_ROWS = 10
"""Rows of packed points: deviator xx, yy, zz, yz, xz, xy, yield stress, and three for what the loops hand on."""

ROOT_3 = math.sqrt(3.0)

COSINE = (
    0.8660254164, 0.1666650431, -0.04807735035, 0.02439238383, -0.01428956483,
    0.007664301754, -0.002922830501, 0.0005426077123,
)  # fmt: skip
"""cos(arccos(c) / 3) as a polynomial of c in [0, 1], the root of 4 x^3 - 3 x = c in [sqrt(3) / 2, 1]: to 1e-8, and one
step of Newton's method makes that 4e-16. Interpolated at the Chebyshev points of [0, 1]."""


@njit(cache=True, error_model="numpy")
def tresca_packed(packed, count):  # type: ignore[no-untyped-def]
    """Return `count` trial deviators in place; those within the yield surface, and zeros, stay as they are."""
    # constants in the precision of the points, so that single precision stays single
    real = packed.dtype.type
    none, half, one, two, three = real(0.0), real(0.5), real(1.0), real(2.0), real(3.0)
    four, twelve, third, root = real(4.0), real(12.0), real(1.0 / 3.0), real(ROOT_3)
    scale, per_root, least = real(1.5 * ROOT_3), real(2.0 / ROOT_3), real(1e-30)
    c0, c1, c2, c3 = real(COSINE[0]), real(COSINE[1]), real(COSINE[2]), real(COSINE[3])
    c4, c5, c6, c7 = real(COSINE[4]), real(COSINE[5]), real(COSINE[6]), real(COSINE[7])
    # row 7: cosine of three times the angle; row 8: radius of the spectrum with the sign of J3
    for n in range(count):
        xx, yy, zz = packed[n], packed[S + n], packed[2 * S + n]
        yz, xz, xy = packed[3 * S + n], packed[4 * S + n], packed[5 * S + n]
        j2 = half * (xx * xx + yy * yy + zz * zz) + yz * yz + xz * xz + xy * xy
        j3 = xx * (yy * zz - yz * yz) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz)
        root_j2 = math.sqrt(j2)
        radius = per_root * root_j2
        packed[7 * S + n] = min(one, scale * abs(j3) / max(j2 * root_j2, least))
        packed[8 * S + n] = radius if j3 >= none else -radius
    # row 7: cosine of the angle; row 9: its sine times the root of 3
    for n in range(count):
        cosine = packed[7 * S + n]
        x = c4 + cosine * (c5 + cosine * (c6 + cosine * c7))
        x = c0 + cosine * (c1 + cosine * (c2 + cosine * (c3 + cosine * x)))
        x -= (x * (four * x * x - three) - cosine) / (twelve * x * x - three)
        x = min(x, one)
        packed[7 * S + n] = x
        packed[9 * S + n] = root * math.sqrt(max(one - x * x, none))
    # rows 7, 8, 9: constant, linear and square coefficient
    for n in range(count):
        limit, signed = packed[6 * S + n], packed[8 * S + n]
        radius = abs(signed)
        largest = radius * packed[7 * S + n]
        middle = half * (radius * packed[9 * S + n] - largest)
        # a negative J3 is the mirrored spectrum: largest and smallest change places and sign
        first = largest if signed >= none else largest + middle
        second = middle if signed >= none else -middle
        last = -first - second
        gap = first - last
        excess = half * (gap - limit)
        inside = excess <= none
        upper_corner = first - excess < second
        lower_corner = last + excess > second
        wide_upper = first - second if first - second > none else gap
        wide_lower = second - last if second - last > none else gap
        top = third * limit if upper_corner else (two * third * limit if lower_corner else first - excess)
        upper = (limit if lower_corner else wide_upper - excess) / wide_upper
        lower = (limit if upper_corner else wide_lower - excess) / wide_lower
        upper, lower = none if upper_corner else upper, none if lower_corner else lower
        square = none if inside else (upper - lower) / gap
        packed[7 * S + n] = none if inside else top - upper * first + square * first * second
        packed[8 * S + n] = one if inside else upper - square * (first + second)
        packed[9 * S + n] = square
    for n in range(count):
        xx, yy, zz = packed[n], packed[S + n], packed[2 * S + n]
        yz, xz, xy = packed[3 * S + n], packed[4 * S + n], packed[5 * S + n]
        constant, linear, square = packed[7 * S + n], packed[8 * S + n], packed[9 * S + n]
        packed[n] = constant + linear * xx + square * (xx * xx + xy * xy + xz * xz)
        packed[S + n] = constant + linear * yy + square * (xy * xy + yy * yy + yz * yz)
        packed[2 * S + n] = constant + linear * zz + square * (xz * xz + yz * yz + zz * zz)
        packed[3 * S + n] = linear * yz + square * (xy * xz + yy * yz + yz * zz)
        packed[4 * S + n] = linear * xz + square * (xx * xz + xy * yz + xz * zz)
        packed[5 * S + n] = linear * xy + square * (xx * xy + xy * yy + xz * yz)
