"""Heights of a body from its endplates as material surfaces: the same points before and after the crush."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator

from endplate.anatomy.vertebra import Endplate, Vertebra
from endplate.errors import LabelError
from endplate.fracture.height.extent import Extent, body_extent
from endplate.fracture.height.patch import band_heights
from endplate.fracture.normals import Triple


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Plates:
    """Both endplates of an intact body as points in its own frame (right, anterior, superior mm), and its reach."""

    vertebra: Vertebra
    upper_mm: NDArray[np.float64]
    lower_mm: NDArray[np.float64]
    extent: Extent

    @property
    def upper_world_mm(self) -> NDArray[np.float64]:
        """Upper endplate (n, 3), LPS mm."""
        return self.vertebra.to_world_mm(self.upper_mm)

    @property
    def lower_world_mm(self) -> NDArray[np.float64]:
        """Lower endplate (n, 3), LPS mm."""
        return self.vertebra.to_world_mm(self.lower_mm)

    def place(self, local_mm: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Place across (-1 left wall to 1 right wall) and along (0 front to 1 back) of local points (..., 3)."""
        extent = self.extent
        middle = (extent.right_mm + extent.left_mm) / 2
        across = (local_mm[..., 0] - middle) / (extent.width_mm / 2)
        return across, (extent.front_mm - local_mm[..., 1]) / extent.depth_mm


def plates_of(vertebra: Vertebra) -> Plates:
    """Endplates of an intact body.

    Raises
    ------
    LabelError : an endplate or the body's mid-height section was not found.
    """
    extent = body_extent(vertebra)
    if vertebra.superior is None or vertebra.inferior is None or extent is None:
        raise LabelError(
            f"{vertebra.level} lacks an endplate", "there is no height to lose", "choose a level that is wholly in view"
        )
    return Plates(
        vertebra=vertebra, upper_mm=_points(vertebra.superior), lower_mm=_points(vertebra.inferior), extent=extent
    )


def _points(plate: Endplate) -> NDArray[np.float64]:
    x, y = np.meshgrid(plate.right_mm, plate.anterior_mm, indexing="ij")
    seen = np.isfinite(plate.superior_mm)
    return np.stack([x[seen], y[seen], plate.superior_mm[seen]], axis=-1)


def heights_between(plates: Plates, upper_mm: NDArray[np.float64], lower_mm: NDArray[np.float64]) -> Triple:
    """(anterior, middle, posterior) mm between moved endplates, along the superior axis of the intact body.

    Parameters
    ----------
    upper_mm, lower_mm : (n, 3) local places of the points of `plates`, now.

    Raises
    ------
    LabelError : a moved endplate no longer reaches one of the three places.
    """
    step = 1.0
    extent = plates.extent
    right = np.arange(extent.left_mm, extent.right_mm + step, step)
    anterior = np.arange(extent.back_mm, extent.front_mm + step, step)
    x, y = np.meshgrid(right, anterior, indexing="ij")
    top, bottom = (LinearNDInterpolator(p[:, :2], p[:, 2])(x, y) for p in (upper_mm, lower_mm))
    heights = band_heights(right, anterior, top - bottom, extent)
    if not np.isfinite(heights).all():
        raise LabelError(
            f"the endplates of {plates.vertebra.level} no longer reach the places where heights are read",
            "",
            "ask for a smaller --loss",
        )
    front, middle, back = (float(height) for height in heights)
    return front, middle, back
