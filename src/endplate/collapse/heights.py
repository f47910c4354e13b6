"""Heights of a body from its endplates as material surfaces: the same points before and after the crush."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator

from endplate.anatomy.vertebra import Endplate, Vertebra
from endplate.cited import cited
from endplate.errors import LabelError
from endplate.fracture.height.extent import Extent, body_extent
from endplate.fracture.height.patch import band_heights
from endplate.fracture.normals import Triple

GRID_MM = cited(0.5, "mm", "docs/theory.md, morphometry step 3: resample at 0.5 mm", "knowledge")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surfaces:
    """Both endplates of a body as places (n, 3) mm in one frame: the same material before and after."""

    upper: NDArray[np.float64]
    lower: NDArray[np.float64]


SIDES = ("upper", "lower")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Body:
    """An intact body: its surfaces in its own frame (right, anterior, superior mm) and its reach at mid-height."""

    vertebra: Vertebra
    surfaces: Surfaces
    extent: Extent

    def place(self, local_mm: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Place across (-1 left wall to 1 right wall) and along (0 front to 1 back) of local points (..., 3)."""
        middle = (self.extent.right_mm + self.extent.left_mm) / 2
        across = (local_mm[..., 0] - middle) / (self.extent.width_mm / 2)
        return across, (self.extent.front_mm - local_mm[..., 1]) / self.extent.depth_mm


def intact_body(vertebra: Vertebra) -> Body:
    """The surfaces of an intact body.

    Raises
    ------
    LabelError : an endplate or the body's mid-height section was not found.
    """
    extent = body_extent(vertebra)
    if vertebra.superior is None or vertebra.inferior is None or extent is None:
        raise LabelError(
            f"{vertebra.level} lacks an endplate", "there is no height to lose", "choose a level that is wholly in view"
        )
    surfaces = Surfaces(upper=_points(vertebra.superior), lower=_points(vertebra.inferior))
    return Body(vertebra=vertebra, surfaces=surfaces, extent=extent)


def _points(plate: Endplate) -> NDArray[np.float64]:
    x, y = np.meshgrid(plate.right_mm, plate.anterior_mm, indexing="ij")
    seen = np.isfinite(plate.superior_mm)
    return np.stack([x[seen], y[seen], plate.superior_mm[seen]], axis=-1)


def heights_of(now: Surfaces, extent: Extent) -> Triple:
    """(anterior, middle, posterior) mm between the endplates, in the frame and at the places of the intact body.

    Parameters
    ----------
    now : endplates in the intact body's frame (right, anterior, superior mm). extent : of the intact body.

    Raises
    ------
    LabelError : a moved endplate no longer reaches one of the three places.

    Notes
    -----
    The lower endplate and the posterior wall hold this frame, as they hold the one that `assess` finds afterwards.
    """
    step = float(GRID_MM)
    right = np.arange(extent.left_mm, extent.right_mm + step, step)
    anterior = np.arange(extent.back_mm, extent.front_mm + step, step)
    x, y = np.meshgrid(right, anterior, indexing="ij")
    top, bottom = (LinearNDInterpolator(plate[:, :2], plate[:, 2])(x, y) for plate in (now.upper, now.lower))
    heights = band_heights(right, anterior, top - bottom, extent)
    if not np.isfinite(heights).all():
        raise LabelError(
            "the endplates no longer reach the places where heights are read", "", "ask for a smaller --loss"
        )
    front, middle, back = (float(height) for height in heights)
    return front, middle, back
