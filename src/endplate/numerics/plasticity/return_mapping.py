"""Return to the yield surface of elastic-perfectly plastic bodies: von Mises and Tresca, small strain.

Both return deviatoric stress only; pressure stays elastic. Tresca needs no eigenvectors: the returned deviator is a
quadratic polynomial of the trial deviator with coefficients from its eigenvalues (Newton form on the spectrum), which
stays accurate where two eigenvalues meet.
"""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
from numba import njit
from numpy.typing import NDArray

from endplate.numerics.voxel.simd_batches import WIDTH

Criterion = Literal["tresca", "von_mises"]
VON_MISES, TRESCA = 0, 1
CODE: dict[str, int] = {"von_mises": VON_MISES, "tresca": TRESCA}

ROOT_3 = math.sqrt(3.0)

WHOLE = 16
"""Points are returned in whole vectors; what earlier points left behind fills the last one, and nobody reads it."""

S = ROOM = 8 * WIDTH + WHOLE
"""Points from one row of packed points to the next: room for all points of a batch."""


@njit(cache=True, inline="always")
def second_invariant(xx, yy, zz, yz, xz, xy):  # type: ignore[no-untyped-def]
    """J2 of a deviator, half the square of its norm."""
    return 0.5 * (xx * xx + yy * yy + zz * zz) + yz * yz + xz * xz + xy * xy


@njit(cache=True)
def elastic_limit(yield_stress, criterion):  # type: ignore[no-untyped-def]
    """J2 below which a point is certainly elastic: sqrt(3 J2) <= Tresca stress <= 2 sqrt(J2)."""
    return 0.25 * yield_stress * yield_stress if criterion == TRESCA else yield_stress * yield_stress / 3.0


@njit(cache=True, error_model="numpy")
def return_packed(packed, count, criterion):  # type: ignore[no-untyped-def]
    """Return `count` trial deviators in place: rows xx, yy, zz, yz, xz, xy and yield stress, ROOM points apart.

    Without a branch or a transcendental function, so that a compiler can use vector instructions; to be called only
    where J2 passes `elastic_limit`. Tresca: the coefficients come from the closest point of the hexagon, at whose
    corners the two largest or the two smallest eigenvalues meet.
    """
    if criterion == TRESCA:
        _tresca_packed(packed, count)
    else:
        for n in range(count):
            j2 = second_invariant(
                packed[n], packed[S + n], packed[2 * S + n], packed[3 * S + n], packed[4 * S + n], packed[5 * S + n]
            )
            keep = packed[6 * S + n] / math.sqrt(3.0 * j2)
            for c in range(6):
                packed[c * S + n] *= keep


@njit(cache=True, error_model="numpy")
def _tresca_packed(packed, count):  # type: ignore[no-untyped-def]
    # constants in the precision of the points, so that single precision stays single
    real = packed.dtype.type
    none, half, one, two, three = real(0.0), real(0.5), real(1.0), real(2.0), real(3.0)
    four, twelve, third, root = real(4.0), real(12.0), real(1.0 / 3.0), real(ROOT_3)
    scale, cubic = real(1.5 * ROOT_3), (real(0.8660254037844386), real(0.16622), real(0.03225))
    for n in range(count):
        xx, yy, zz = packed[n], packed[S + n], packed[2 * S + n]
        yz, xz, xy, limit = packed[3 * S + n], packed[4 * S + n], packed[5 * S + n], packed[6 * S + n]
        j2 = half * (xx * xx + yy * yy + zz * zz) + yz * yz + xz * xz + xy * xy
        j3 = xx * (yy * zz - yz * yz) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz)
        # a negative J3 is the mirrored spectrum: largest and smallest change places and sign
        cosine = min(one, scale * abs(j3) / (j2 * math.sqrt(j2)))
        radius = two * math.sqrt(third * j2)
        # cos(arccos(c) / 3) for c in [0, 1]: the root of 4 x^3 - 3 x = c in [sqrt(3) / 2, 1], by Newton's method
        x = cubic[0] + cosine * (cubic[1] - cosine * cubic[2])
        x -= (x * (four * x * x - three) - cosine) / (twelve * x * x - three)
        x -= (x * (four * x * x - three) - cosine) / (twelve * x * x - three)
        x -= (x * (four * x * x - three) - cosine) / (twelve * x * x - three)
        x = min(x, one)
        largest = radius * x
        middle = half * (radius * root * math.sqrt(max(one - x * x, none)) - largest)
        first = largest if j3 >= none else largest + middle
        second = middle if j3 >= none else -middle
        last = -first - second
        gap = first - last
        excess = half * (gap - limit)
        inside = excess <= none
        upper_corner = first - excess < second
        lower_corner = last + excess > second
        wide_upper = first - second if first - second > none else gap
        wide_lower = second - last if second - last > none else gap
        top = third * limit if upper_corner else (two * third * limit if lower_corner else first - excess)
        upper = none if upper_corner else (limit / wide_upper if lower_corner else one - excess / wide_upper)
        lower = limit / wide_lower if upper_corner else (none if lower_corner else one - excess / wide_lower)
        square = none if inside else (upper - lower) / gap
        linear = one if inside else upper - square * (first + second)
        constant = none if inside else top - upper * first + square * first * second
        packed[n] = constant + linear * xx + square * (xx * xx + xy * xy + xz * xz)
        packed[S + n] = constant + linear * yy + square * (xy * xy + yy * yy + yz * yz)
        packed[2 * S + n] = constant + linear * zz + square * (xz * xz + yz * yz + zz * zz)
        packed[3 * S + n] = linear * yz + square * (xy * xz + yy * yz + yz * zz)
        packed[4 * S + n] = linear * xz + square * (xx * xz + xy * yz + xz * zz)
        packed[5 * S + n] = linear * xy + square * (xx * xy + xy * yy + xz * yz)


def return_stress(
    trial_mpa: NDArray[np.float64], yield_mpa: float, criterion: Criterion = "tresca"
) -> NDArray[np.float64]:
    """Stresses (n, 6) after the return of trial stresses (n, 6), both as xx, yy, zz, yz, xz, xy in MPa.

    Source: closest-point projection, e.g. de Souza Neto, Peric & Owen 2008, chapters 7 and 8.
    """
    out = np.array(trial_mpa, dtype=np.float64)
    mean = out[:, :3].mean(axis=1, keepdims=True)
    out[:, :3] -= mean
    _return_all(out, float(yield_mpa), CODE[criterion])
    out[:, :3] += mean
    return out


@njit(cache=True)
def _return_all(deviator, yield_stress, criterion):  # type: ignore[no-untyped-def]
    packed = np.full(7 * S, yield_stress)
    for n in range(deviator.shape[0]):
        for c in range(6):
            packed[c * S] = deviator[n, c]
        d = deviator[n]
        if second_invariant(d[0], d[1], d[2], d[3], d[4], d[5]) > elastic_limit(yield_stress, criterion):
            return_packed(packed, 1, criterion)
        for c in range(6):
            deviator[n, c] = packed[c * S]


def equivalent_stress(stress_mpa: NDArray[np.float64], criterion: Criterion = "tresca") -> NDArray[np.float64]:
    """Tresca (largest difference of principal stresses) or von Mises stress (n,) of stresses (n, 6), MPa."""
    xx, yy, zz, yz, xz, xy = np.asarray(stress_mpa, float).T
    if criterion == "von_mises":
        shear = yz * yz + xz * xz + xy * xy
        return np.asarray(np.sqrt(0.5 * ((xx - yy) ** 2 + (yy - zz) ** 2 + (zz - xx) ** 2) + 3 * shear))
    tensor = np.stack([xx, xy, xz, xy, yy, yz, xz, yz, zz], axis=-1).reshape(-1, 3, 3)
    principal = np.linalg.eigvalsh(tensor)
    return principal[:, 2] - principal[:, 0]
