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

from endplate.numerics.plasticity.tresca_return import PACKED_ROWS, tresca_packed
from endplate.numerics.plasticity.tresca_return import ROOM as S

Criterion = Literal["tresca", "von_mises"]
VON_MISES, TRESCA = 0, 1
CODE: dict[str, int] = {"von_mises": VON_MISES, "tresca": TRESCA}


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
        tresca_packed(packed, count)
    else:
        for n in range(count):
            j2 = second_invariant(
                packed[n], packed[S + n], packed[2 * S + n], packed[3 * S + n], packed[4 * S + n], packed[5 * S + n]
            )
            keep = min(1.0, packed[6 * S + n] / math.sqrt(3.0 * j2))  # within the surface, and zero: as it is
            for c in range(6):
                packed[c * S + n] *= keep


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
    packed = np.full(PACKED_ROWS * S, yield_stress)
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
