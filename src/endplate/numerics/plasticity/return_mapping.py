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

Criterion = Literal["tresca", "von_mises"]
VON_MISES, TRESCA = 0, 1
CODE: dict[str, int] = {"von_mises": VON_MISES, "tresca": TRESCA}

ROOT_3 = math.sqrt(3.0)


@njit(cache=True, inline="always")
def second_invariant(xx, yy, zz, yz, xz, xy):  # type: ignore[no-untyped-def]
    """J2 of a deviator, half the square of its norm."""
    return 0.5 * (xx * xx + yy * yy + zz * zz) + yz * yz + xz * xz + xy * xy


@njit(cache=True)
def elastic_limit(yield_stress, criterion):  # type: ignore[no-untyped-def]
    """J2 below which a point is certainly elastic: sqrt(3 J2) <= Tresca stress <= 2 sqrt(J2)."""
    return 0.25 * yield_stress * yield_stress if criterion == TRESCA else yield_stress * yield_stress / 3.0


@njit(cache=True)
def return_von_mises(xx, yy, zz, yz, xz, xy, j2, yield_stress):  # type: ignore[no-untyped-def]
    """Radial return of a trial deviator beyond the cylinder; closest point in the elastic energy."""
    keep = yield_stress / math.sqrt(3.0 * j2)
    return keep * xx, keep * yy, keep * zz, keep * yz, keep * xz, keep * xy


@njit(cache=True)
def _spectrum(xx, yy, zz, yz, xz, xy, j2):  # type: ignore[no-untyped-def]
    """Eigenvalues of a deviator, largest first, by the trigonometric formula."""
    j3 = xx * (yy * zz - yz * yz) - xy * (xy * zz - yz * xz) + xz * (xy * yz - yy * xz)
    cosine = 1.5 * ROOT_3 * j3 / (j2 * math.sqrt(j2))
    angle = math.acos(min(1.0, max(-1.0, cosine))) / 3.0
    radius = 2.0 * math.sqrt(j2 / 3.0)
    first = radius * math.cos(angle)
    second = 0.5 * (radius * ROOT_3 * math.sin(angle) - first)
    return first, second, -first - second


@njit(cache=True)
def _hexagon(first, second, third, yield_stress):  # type: ignore[no-untyped-def]
    """Closest point of the Tresca hexagon: largest returned eigenvalue and the two divided differences."""
    half = 0.5 * (first - third - yield_stress)
    if first - half < second:  # the corner where the two largest meet
        return yield_stress / 3.0, 0.0, yield_stress / (second - third)
    if third + half > second:  # the corner where the two smallest meet
        return 2.0 * yield_stress / 3.0, yield_stress / (first - second), 0.0
    return first - half, 1.0 - half / (first - second), 1.0 - half / (second - third)


@njit(cache=True)
def return_tresca(xx, yy, zz, yz, xz, xy, j2, yield_stress):  # type: ignore[no-untyped-def]
    """Closest-point return of a trial deviator to the Tresca prism; unchanged when it lies inside."""
    first, second, third = _spectrum(xx, yy, zz, yz, xz, xy, j2)
    if first - third <= yield_stress:
        return xx, yy, zz, yz, xz, xy
    top, upper, lower = _hexagon(first, second, third, yield_stress)
    square = (upper - lower) / (first - third)
    linear = upper - square * (first + second)
    constant = top - upper * first + square * first * second
    return (
        constant + linear * xx + square * (xx * xx + xy * xy + xz * xz),
        constant + linear * yy + square * (xy * xy + yy * yy + yz * yz),
        constant + linear * zz + square * (xz * xz + yz * yz + zz * zz),
        linear * yz + square * (xy * xz + yy * yz + yz * zz),
        linear * xz + square * (xx * xz + xy * yz + xz * zz),
        linear * xy + square * (xx * xy + xy * yy + xz * yz),
    )


@njit(cache=True)
def return_deviator(xx, yy, zz, yz, xz, xy, j2, yield_stress, criterion):  # type: ignore[no-untyped-def]  # noqa: PLR0913
    """The chosen return; call it only where J2 passes `elastic_limit`."""
    if criterion == TRESCA:
        return return_tresca(xx, yy, zz, yz, xz, xy, j2, yield_stress)
    return return_von_mises(xx, yy, zz, yz, xz, xy, j2, yield_stress)


@njit(cache=True)
def _return_all(stress, yield_stress, criterion, out):  # type: ignore[no-untyped-def]
    for n in range(stress.shape[0]):
        mean = (stress[n, 0] + stress[n, 1] + stress[n, 2]) / 3.0
        xx, yy, zz = stress[n, 0] - mean, stress[n, 1] - mean, stress[n, 2] - mean
        yz, xz, xy = stress[n, 3], stress[n, 4], stress[n, 5]
        j2 = second_invariant(xx, yy, zz, yz, xz, xy)
        if j2 > elastic_limit(yield_stress, criterion):
            xx, yy, zz, yz, xz, xy = return_deviator(xx, yy, zz, yz, xz, xy, j2, yield_stress, criterion)
        out[n, 0], out[n, 1], out[n, 2] = xx + mean, yy + mean, zz + mean
        out[n, 3], out[n, 4], out[n, 5] = yz, xz, xy


def return_stress(
    trial_mpa: NDArray[np.float64], yield_mpa: float, criterion: Criterion = "tresca"
) -> NDArray[np.float64]:
    """Stresses (n, 6) after the return of trial stresses (n, 6), both as xx, yy, zz, yz, xz, xy in MPa.

    Source: closest-point projection, e.g. de Souza Neto, Peric & Owen 2008, chapters 7 and 8.
    """
    trial = np.ascontiguousarray(trial_mpa, dtype=np.float64)
    out = np.empty_like(trial)
    _return_all(trial, float(yield_mpa), CODE[criterion], out)
    return out


def equivalent_stress(stress_mpa: NDArray[np.float64], criterion: Criterion = "tresca") -> NDArray[np.float64]:
    """Tresca (largest difference of principal stresses) or von Mises stress (n,) of stresses (n, 6), MPa."""
    xx, yy, zz, yz, xz, xy = np.asarray(stress_mpa, float).T
    if criterion == "von_mises":
        shear = yz * yz + xz * xz + xy * xy
        return np.asarray(np.sqrt(0.5 * ((xx - yy) ** 2 + (yy - zz) ** 2 + (zz - xx) ** 2) + 3 * shear))
    tensor = np.stack([xx, xy, xz, xy, yy, yz, xz, yz, zz], axis=-1).reshape(-1, 3, 3)
    principal = np.linalg.eigvalsh(tensor)
    return principal[:, 2] - principal[:, 0]
