"""The wall between body and canal: where it is, and how far it has been pushed back."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.repair.bone import inside_body
from endplate.repair.pedicle import arch_of
from endplate.repair.result import Bone

BEHIND = cited(0.75, "1", "Own choice: the wall faces the canal in the last quarter of the body's depth", "design")
MOST_OF = cited(95.0, "%", "Own choice: percentile of the wall's moves, so that one loose crumb says nothing", "design")


def back_wall_mm(bone: Bone) -> NDArray[np.float64]:
    """Centres (n, 3) of the voxels in which the body ends towards the canal, model mm; without those under pedicles."""
    body = np.asarray(inside_body(bone.field) >= 0.5)
    rows = np.arange(body.shape[1])
    last = body.shape[1] - 1 - body[:, ::-1].argmax(axis=1)
    found = body & (rows[None, :, None] == last[:, None, :]) & ~np.roll(arch_of(bone), -1, axis=1)
    depth = np.flatnonzero(body.any(axis=(0, 2)))
    if depth.size:
        found &= (rows >= depth[0] + float(BEHIND) * (depth[-1] - depth[0]))[None, :, None]
    return np.asarray((np.argwhere(found) + 0.5) * float(bone.field.grid.spacing_mm[0]), dtype=np.float64)


def pushed_mm(before_mm: NDArray[np.float64], now_mm: NDArray[np.float64]) -> float | None:
    """How far points (n, 3) of the wall went back, negative for forward; None without any."""
    if not len(before_mm):
        return None
    return float(np.percentile(now_mm[:, 1] - before_mm[:, 1], float(MOST_OF)))
