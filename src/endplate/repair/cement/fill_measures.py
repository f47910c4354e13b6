"""What a fill is like: how even, and how much of each endplate it touches."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Vertebra
from endplate.cited import cited
from endplate.image.volume import Grid
from endplate.repair.cement.permeability import Pores

TOUCHES = cited(0.5, "1", "A voxel half filled counts as touched", "design")
CONTACT_MM = cited(2.0, "mm", "Cement this near the outer surface of an endplate bears on it", "design")


def right_share(volume_mm3: NDArray[np.float64], vertebra: Vertebra, grid: Grid) -> float:
    """Share of the cement in the right half of the body; 0.5 where there is none."""
    where = np.argwhere(volume_mm3 > 0)
    if not len(where):
        return 0.5
    amount = volume_mm3[tuple(where.T)]
    right = vertebra.to_local_mm(grid.to_mm(where))[:, 0] / float(grid.spacing_mm[0])
    # A voxel on the midline counts for both halves by its parts.
    return float((amount * np.clip(right + 0.5, 0, 1)).sum() / amount.sum())


def endplate_contact(saturation: NDArray[np.floating], pores: Pores, voxel_mm: float) -> dict[str, float]:
    """Share of each endplate's columns in which cement lies within `CONTACT_MM` of its surface."""
    inside = pores.inside > 0
    there = inside.any(axis=2)
    depth = max(round(CONTACT_MM / voxel_mm), 1)
    contact = {}
    for name, step in (("superior", -1), ("inferior", 1)):
        body, cement = inside[:, :, ::step], (saturation >= TOUCHES)[:, :, ::step]
        below = np.cumsum(body, axis=2)
        touched = (cement & body & (below <= depth)).any(axis=2)
        contact[name] = float(touched.sum() / max(int(there.sum()), 1))
    return contact


def posterior_quarter(pores: Pores, vertebra: Vertebra, grid: Grid) -> NDArray[np.bool_]:
    """(I, J, K) voxels in the posterior quarter of the body's depth."""
    where = np.argwhere(pores.inside > 0)
    anterior = vertebra.to_local_mm(grid.to_mm(where))[:, 1]
    limit = anterior.min() + (anterior.max() - anterior.min()) / 4
    quarter = np.zeros(grid.shape, bool)
    quarter[tuple(where[anterior <= limit].T)] = True
    return quarter
