"""Compiled distances from needles to wall points."""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit

from endplate.repair.access.access_walls import ENTRY


@njit(cache=True)
def _nearest(
    points: Any, kind: Any, tips: Any, back: Any, short: float, kinds: int
) -> Any:  # pragma: no cover - compiled
    """Squared distance (m, kinds) from each half-line to the nearest point of each kind, and that point's index."""
    least = np.full((tips.shape[0], kinds), np.inf)
    which = np.full((tips.shape[0], kinds), -1)
    for m in range(tips.shape[0]):
        tx, ty, tz = tips[m, 0], tips[m, 1], tips[m, 2]
        bx, by, bz = back[m, 0], back[m, 1], back[m, 2]
        for p in range(points.shape[0]):
            x, y, z = points[p, 0] - tx, points[p, 1] - ty, points[p, 2] - tz
            s = max(x * bx + y * by + z * bz, short)
            x -= s * bx
            y -= s * by
            z -= s * bz
            square = x * x + y * y + z * z
            k = kind[p]
            if square < least[m, k]:
                least[m, k] = square
                which[m, k] = p
    return least, which


def axis_distances(points: Any, kind: Any, tips: Any, back: Any, rounding_mm: float) -> tuple[Any, Any]:
    """Distance (m, 7) mm from needle axes to the nearest point of each wall, and that point's index (-1 without one).

    Parameters
    ----------
    points, kind : (n, 3) and (n,) wall points that count (none of kind ENTRY).
    tips, back : (m, 3) needle tips and unit directions from tip to hub.
    rounding_mm : radius of the round tip: the axis ends this far behind the tip.
    """
    square, which = _nearest(points, kind, tips, back, float(rounding_mm), ENTRY)
    return np.sqrt(square), which


@njit(cache=True)
def _spare(
    points: Any, kind: Any, reach: Any, tips: Any, back: Any, short: float, floor: float
) -> Any:  # pragma: no cover - compiled
    """Least of distance minus reach (m, kinds) over the points of each kind; a line at the floor is left at once."""
    out = np.full((tips.shape[0], reach.shape[0]), np.inf)
    for m in range(tips.shape[0]):
        tx, ty, tz = tips[m, 0], tips[m, 1], tips[m, 2]
        bx, by, bz = back[m, 0], back[m, 1], back[m, 2]
        for p in range(points.shape[0]):
            x, y, z = points[p, 0] - tx, points[p, 1] - ty, points[p, 2] - tz
            s = max(x * bx + y * by + z * bz, short)
            x -= s * bx
            y -= s * by
            z -= s * bz
            k = kind[p]
            square = x * x + y * y + z * z
            limit = out[m, k] + reach[k]
            if limit > 0 and square < limit * limit:
                out[m, k] = np.sqrt(square) - reach[k]
                if out[m, k] <= floor:
                    out[m] = -np.inf
                    break
    return out


def spare_of(
    points: Any, kind: Any, reach: Any, tips: Any, back: Any, rounding_mm: float, floor_mm: float = -np.inf
) -> Any:
    """What needle axes leave beyond the reach of each wall, (m, kinds) mm; minus infinity at or below the floor.

    Parameters
    ----------
    points, kind : (n, 3) and (n,) wall points. reach : (kinds,) what each wall wants from the axis: the radius and its
    clearance, mm. floor_mm : lines that leave no more than this to a wall are of no interest.
    """
    return _spare(points, kind, reach, tips, back, float(rounding_mm), float(floor_mm))
