"""The posterior wall: how much of its height is lost, or bulges back behind its own corners."""

from __future__ import annotations

import numpy as np

from endplate.anatomy.vertebra import Vertebra
from endplate.cited import cited
from endplate.fracture.height.extent import Extent, body_field, walls
from endplate.fracture.result import Measured

BULGE_MM = cited(1, "mm", "Own choice: a bulge that a 1 mm scan shows; a normal wall is hollow", "design")
CORNER_INSET = cited(
    0.125, "1", "Own choice: corners read as far from the endplates as heights are from the walls", "design"
)
ROWS = cited(15, "1", "Own choice: rows about 1.5 mm apart", "design")
SIDE_MM = cited(
    2.5, "mm", "own algorithm, docs/theory.md, morphometry step 5: slices of the band lie 2.5 mm apart", "design"
)


def wall_involvement(
    vertebra: Vertebra, extent: Extent | None, posterior_mm: float, loss: float | None, loss_sd: float | None
) -> Measured:
    """Fraction of the posterior wall that is lost in height or bulges back, whichever is more; 0..1.

    Parameters
    ----------
    vertebra, extent : the body and its reach. posterior_mm : its posterior height.
    loss : posterior height loss against the expected, None where no neighbour tells it; with its SD.
    """
    bulging = None if extent is None else bulging_fraction(vertebra, extent, posterior_mm)
    if loss is None and bulging is None:
        return Measured(value=None, reason="neither an expected posterior height nor the wall itself is known")
    shares = [share for share in (loss, bulging) if share is not None]
    value = float(np.clip(max(shares), 0, 1))
    if loss is None:
        return Measured(value=value, reason="bulging only: no expected posterior height")
    return Measured(value=value, sd=loss_sd)


def bulging_fraction(vertebra: Vertebra, extent: Extent, posterior_mm: float) -> float | None:
    """Share of the wall's height that lies at least 1 mm behind the line between its corners; None if unseen."""
    body = body_field(vertebra)
    half = posterior_mm * (0.5 - CORNER_INSET)
    rows = np.linspace(-half, half, int(ROWS))
    sides = np.array([-1, 0, 1]) * SIDE_MM + extent.middle_mm
    back = np.full((len(sides), len(rows)), np.nan)
    for i, x in enumerate(sides):
        for j, z in enumerate(rows):
            reach = walls(body, 1, (float(x), float(z)))
            back[i, j] = np.nan if reach is None else reach[0]
    seen = np.isfinite(back).all(axis=0)
    if not (seen[0] and seen[-1]) or 2 * seen.sum() < len(rows):
        return None
    wall = np.median(back[:, seen], axis=0)
    line = np.interp(rows[seen], [rows[0], rows[-1]], [wall[0], wall[-1]])
    return float((line - wall >= BULGE_MM).mean())
