"""The posterior wall: how much of its height is lost, or bulges back behind its own corners."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Vertebra
from endplate.cited import cited
from endplate.finding import BAND_SD
from endplate.fracture.height.coarse import EVEN_SD
from endplate.fracture.height.extent import Extent, body_field, reach_from
from endplate.fracture.height.morphometry import drawn_in
from endplate.fracture.height.plate import MAD_TO_SD
from endplate.fracture.result import Measured

BULGE_MM = cited(1, "mm", "Own choice: a bulge that a 1 mm scan shows; a normal wall is hollow", "design")
CORNER_INSET = cited(
    0.125, "1", "Own choice: corners read as far from the endplates as heights are from the walls", "design"
)
CORNER_STEPS = cited(0.75, "1", "Own choice: a corner is read clear of the slice in which the endplate lies", "design")
ROWS = cited(15, "1", "Own choice: rows about 1.5 mm apart", "design")
SIDE_MM = cited(
    2.5, "mm", "own algorithm, docs/theory.md, morphometry step 5: slices of the band lie 2.5 mm apart", "design"
)
MIN_SLICES = cited(
    10, "1", "Own choice: a wall seen in fewer slices shows their steps as bulges (healthy levels at 3 mm)", "design"
)
WIDEST_MM = cited(3, "mm", "Own choice: a wall known no better than this cannot show a usual bulge", "design")
LINE_ERROR = cited(
    1.5,
    "1",
    "Variance of a wall point less that of the line between two corners (closed form)",
    "recomputed",
    cite="nist_handbook",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Bulge:
    """Share of the wall's height that bulges, with its 95 % band, and the threshold that voxels and wander ask for."""

    share: float
    low: float
    high: float
    threshold_mm: float


def wall_involvement(
    vertebra: Vertebra, extent: Extent | None, posterior_mm: float, loss: float | None, loss_sd: float | None
) -> Measured:
    """Fraction of the posterior wall that is lost in height or bulges back, whichever is more; 0..1.

    Parameters
    ----------
    vertebra, extent : the body and its reach. posterior_mm : its posterior height.
    loss : posterior height loss against the expected, None where no neighbour tells it; with its SD.
    """
    bulge = "the wall's corners are not seen" if extent is None else bulging(vertebra, extent, posterior_mm)
    if isinstance(bulge, str):
        if loss is None:
            return Measured(value=None, reason=f"not measurable: {bulge}; no expected posterior height either")
        low, high = _loss_band(loss, loss_sd)
        return Measured(
            value=_share(loss),
            sd=loss_sd,
            low=low,
            high=high,
            reason=f"height loss only: bulging is not measurable, {bulge}",
        )
    words = f"bulge from {bulge.threshold_mm:.1f} mm"
    if loss is None:
        reason = f"{words}; bulging only: no expected posterior height"
        return Measured(value=bulge.share, low=bulge.low, high=bulge.high, reason=reason)
    low, high = _loss_band(loss, loss_sd)
    return Measured(
        value=max(_share(loss), bulge.share),
        sd=loss_sd,
        low=max(low, bulge.low),
        high=max(high, bulge.high),
        reason=words,
    )


def _share(value: float) -> float:
    return float(np.clip(value, 0, 1))


def _loss_band(loss: float, sd: float | None) -> tuple[float, float]:
    half = float(BAND_SD) * (sd or 0.0)
    return _share(loss - half), _share(loss + half)


def bulging(vertebra: Vertebra, extent: Extent, posterior_mm: float) -> Bulge | str:
    """Share of the wall's height that lies behind the line between its corners, or why it cannot be measured."""
    rise = float(vertebra.edges_mm[vertebra.axis_along])
    if rise > posterior_mm / float(MIN_SLICES):
        return f"{drawn_in(rise, vertebra)} on a wall of {posterior_mm:.0f} mm"
    seen = _wall(vertebra, extent, posterior_mm, rise)
    if seen is None:
        return "the wall is not seen"
    rows, wall = seen
    sd = float(np.sqrt(float(LINE_ERROR))) * float(
        np.hypot(float(EVEN_SD) * _step_mm(vertebra), _wander_mm(rows, wall))
    )
    threshold = max(float(BULGE_MM), float(BAND_SD) * sd)
    if threshold > float(WIDEST_MM):
        return f"the wall is known to +-{threshold:.1f} mm only"
    behind = np.interp(rows, [rows[0], rows[-1]], [wall[0], wall[-1]]) - wall
    share, low, high = (float((behind >= limit).mean()) for limit in (threshold, threshold + sd, threshold - sd))
    return Bulge(share=share, low=low, high=high, threshold_mm=threshold)


def bulging_fraction(vertebra: Vertebra, extent: Extent, posterior_mm: float) -> float | None:
    """Share of the wall's height that bulges; None where it cannot be measured."""
    found = bulging(vertebra, extent, posterior_mm)
    return None if isinstance(found, str) else found.share


def _wall(
    vertebra: Vertebra, extent: Extent, posterior_mm: float, rise_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]] | None:
    """Rows (n,) along the wall and its anterior coordinate there, mm; None where corners or most rows are unseen."""
    body = body_field(vertebra)
    half = posterior_mm / 2 - max(posterior_mm * CORNER_INSET, CORNER_STEPS * rise_mm)
    rows = np.linspace(-half, half, int(ROWS))
    sides = np.array([-1, 0, 1]) * SIDE_MM + extent.middle_mm
    places = np.array([(x, z) for x in sides for z in rows])
    reach = reach_from(body, 1, places).reshape(len(sides), len(rows), 2)
    back = np.where(np.isfinite(reach).all(axis=2), reach[..., 0], np.nan)
    seen: NDArray[np.bool_] = np.asarray(np.isfinite(back).all(axis=0))
    if not (seen[0] and seen[-1]) or 2 * seen.sum() < len(rows):
        return None
    return rows[seen], np.median(back[:, seen], axis=0)


def _step_mm(vertebra: Vertebra) -> float:
    """Edge of the label's voxels from front to back, mm."""
    along = np.abs(vertebra.axes[1] @ vertebra.grid.affine[:3, :3]) / vertebra.grid.spacing_mm
    return float(vertebra.edges_mm[int(along.argmax())])


def _wander_mm(rows: NDArray[np.float64], wall: NDArray[np.float64]) -> float:
    """How far the wall strays from a smooth curve, SD in mm: the roughness of the mask."""
    unit = rows / max(float(np.abs(rows).max()), 1e-6)
    rest = wall - np.polyval(np.polyfit(unit, wall, min(4, len(rows) - 1)), unit)
    return MAD_TO_SD * float(np.median(np.abs(rest)))
