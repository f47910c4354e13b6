"""How the shell of a body was counted, in words for the report."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited

ENDS = cited(0.2, "1", "Own choice: share of the height at either end where caps hold the bone", "design")
OVER = cited(3, "1", "Own choice: layers of voxels that yield together", "design")
AS_SAMPLED = "shell as the scan's blur and the smoothing leave it"
NOT_LOOKED_FOR = "the mineral that the sampled shell lacks was asked for and not added: this bone was made without it"


def not_seen(reason: str) -> str:
    """The note of a model whose scan does not show the shell."""
    return f"the mineral that the sampled shell lacks was asked for and not added: {reason}"


def added(
    body: NDArray[np.bool_], without_mpa: NDArray[np.float32], with_mpa: NDArray[np.float32], excess_mg_cm3_mm: float
) -> str:
    """The note of a model whose shell was given what its sampled density lacks.

    Parameters
    ----------
    body : (I, J, K). without_mpa, with_mpa : (I, J, K) yield stress as sampled, and with the mineral.
    excess_mg_cm3_mm : median of what was added.
    """
    gain = _weakest(body, with_mpa) / max(_weakest(body, without_mpa), 1e-9) - 1
    return (
        f"the shell holds the mineral that sampling lost ({excess_mg_cm3_mm:.0f} mg/cm3 times mm in the median), as a "
        f"layer; it lets the weakest section carry {100 * gain:.0f} % more than the shell as sampled does"
    )


def _weakest(body: NDArray[np.bool_], yield_mpa: NDArray[np.float32]) -> float:
    """Least sum of yield stress over the cross-sections (layers along k) away from the caps."""
    k = np.flatnonzero(body.any(axis=(0, 1)))
    low, high = np.quantile(k, (float(ENDS), 1 - float(ENDS))).astype(int)
    layers = np.where(body, yield_mpa, 0).sum(axis=(0, 1), dtype=float)[low : high + 1]
    over = min(int(OVER), len(layers))
    return float(np.convolve(layers, np.full(over, 1 / over), "valid").min())
