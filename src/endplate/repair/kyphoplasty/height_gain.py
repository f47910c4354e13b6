"""Heights of a body whose endplates have moved: the same material surfaces, the same definition of height."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator

from endplate.anatomy.vertebra import Endplate, Vertebra
from endplate.errors import LabelError
from endplate.fracture.height.extent import Extent, body_extent
from endplate.fracture.height.morphometry import edge_along_superior_mm
from endplate.fracture.height.patch import PLACES, band_heights
from endplate.fracture.height.plate import SIDE_MM, weighted_fit, without_steps
from endplate.repair.kyphoplasty.inflation_result import Gain

STEP_MM = 1.0
"""Of carried points and of the map on which thickness is read; patches of 2 mm hold enough of them."""
Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class BodyHeights:
    """Heights (anterior, middle, posterior) mm and the wedge angle in degrees of a body at one moment."""

    heights_mm: Triple
    wedge_deg: float

    def since(self, before: BodyHeights, kyphosis_deg: float | None = None) -> Gain:
        """What was gained since an earlier moment."""
        front, middle, back = (now - then for now, then in zip(self.heights_mm, before.heights_mm, strict=True))
        return Gain(
            anterior_mm=front,
            middle_mm=middle,
            posterior_mm=back,
            wedge_deg=self.wedge_deg - before.wedge_deg,
            kyphosis_deg=kyphosis_deg,
        )


class TrackedPlates:
    """Points of both endplates near the mid-sagittal band, and how to read heights from where they are.

    Attributes
    ----------
    upper_mm, lower_mm : (n, 3) LPS at first.
    """

    def __init__(self, vertebra: Vertebra) -> None:
        extent = body_extent(vertebra)
        if vertebra.superior is None or vertebra.inferior is None or extent is None:
            raise LabelError(
                f"{vertebra.level} lacks an endplate",
                "a gain of height cannot be measured",
                "choose a level that is wholly in view",
            )
        self.vertebra, self.extent = vertebra, extent
        self.edge_mm = edge_along_superior_mm(vertebra)
        self._maps = _common_map(vertebra.superior, vertebra.inferior, extent)
        plates = [self._points(plate) for plate in (vertebra.superior, vertebra.inferior)]
        self.upper_mm, self.lower_mm = (vertebra.to_world_mm(points) for points in plates)

    def _points(self, plate: Endplate) -> NDArray[np.float64]:
        """Smoothed surface of an endplate, local mm (n, 3), over the mid-sagittal band and as much beside it."""
        z = without_steps(plate.right_mm, plate.anterior_mm, plate.superior_mm, self.edge_mm)
        x, y = np.meshgrid(plate.right_mm, plate.anterior_mm, indexing="ij")
        seen = np.isfinite(z) & (np.abs(x - self.extent.middle_mm) <= SIDE_MM)
        every = max(1, round(STEP_MM / float(plate.right_mm[1] - plate.right_mm[0])))
        thinned = np.zeros_like(seen)
        thinned[every // 2 :: every, every // 2 :: every] = True
        seen &= thinned
        return np.stack([x[seen], y[seen], z[seen]], axis=-1)

    def now(self) -> BodyHeights:
        """Heights as the scan shows the body."""
        return self.shape(self.upper_mm, self.lower_mm)

    def shape(self, upper_mm: NDArray[np.float64], lower_mm: NDArray[np.float64]) -> BodyHeights:
        """Heights and wedge when the points lie at (n, 3) LPS mm.

        Raises
        ------
        LabelError : the endplates no longer reach where heights are read.
        """
        right, anterior = self._maps
        x, y = np.meshgrid(right, anterior, indexing="ij")
        local = [self.vertebra.to_local_mm(points) for points in (upper_mm, lower_mm)]
        top, bottom = (LinearNDInterpolator(points[:, :2], points[:, 2])(x, y) for points in local)
        front, middle, back = (float(h) for h in band_heights(right, anterior, top - bottom, self.extent))
        if not np.isfinite([front, middle, back]).all():
            raise LabelError(
                f"the endplates of {self.vertebra.level} no longer reach the places where heights are read", ""
            )
        leans = [_lean(x, y, surface, self.extent) for surface in (top, bottom)]
        return BodyHeights(heights_mm=(front, middle, back), wedge_deg=float(np.rad2deg(leans[0] - leans[1])))


def _common_map(upper: Endplate, lower: Endplate, extent: Extent) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Axes of the map on which thickness is read, mm."""
    side = SIDE_MM
    anterior = np.concatenate([upper.anterior_mm, lower.anterior_mm])
    right = np.arange(extent.middle_mm - side, extent.middle_mm + side + STEP_MM / 2, STEP_MM)
    return right, np.arange(anterior.min(), anterior.max() + STEP_MM / 2, STEP_MM)


def _lean(x: NDArray[np.float64], y: NDArray[np.float64], surface: NDArray[np.float64], extent: Extent) -> float:
    """Forward lean of a surface between the places of the heights, radians; as the fracture stage reads it."""
    fraction = (extent.front_mm - y) / extent.depth_mm
    inside = np.isfinite(surface) & (np.abs(x - extent.middle_mm) <= SIDE_MM / 2)
    inside &= (fraction >= PLACES["anterior"]) & (fraction <= PLACES["posterior"])
    along, across = 0.5 - fraction[inside], x[inside] / extent.depth_mm
    terms = np.stack([np.ones_like(along), across, along, along**2], axis=-1)
    fit = weighted_fit(terms, surface[inside], np.ones_like(along))
    return float(-np.arctan(fit[2] / extent.depth_mm))
