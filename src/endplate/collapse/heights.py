"""Heights of a body from its endplates as material surfaces: the same points before and after the crush."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator

from endplate.anatomy.frame import axes_from
from endplate.anatomy.vertebra import Endplate, Vertebra
from endplate.cited import cited
from endplate.errors import LabelError
from endplate.fracture.height.extent import Extent, body_extent, body_field, walls
from endplate.fracture.height.patch import band_heights
from endplate.fracture.normals import Triple


GRID_MM = cited(0.5, "mm", "docs/theory.md, morphometry step 3: resample at 0.5 mm", "knowledge")
WALL_STEP_MM = cited(1.0, "mm", "a wall is smooth; the scan's voxels are no finer", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surfaces:
    """Places on a body, (n, 3) mm in any one frame: both endplates, and its walls in the mid-sagittal plane."""

    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    front: NDArray[np.float64]
    back: NDArray[np.float64]

    def moved(self, change: Callable[[NDArray[np.float64]], NDArray[np.float64]]) -> Surfaces:
        """The same places after a change of frame or shape."""
        return Surfaces(**{side: change(getattr(self, side)) for side in SIDES})


SIDES = ("upper", "lower", "front", "back")


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
    upper, lower = _points(vertebra.superior), _points(vertebra.inferior)
    low, high = np.median(lower[:, 2]), np.median(upper[:, 2])
    front, back = _walls(vertebra, np.arange(low, high, float(WALL_STEP_MM)))
    return Body(vertebra=vertebra, surfaces=Surfaces(upper=upper, lower=lower, front=front, back=back), extent=extent)


def _points(plate: Endplate) -> NDArray[np.float64]:
    x, y = np.meshgrid(plate.right_mm, plate.anterior_mm, indexing="ij")
    seen = np.isfinite(plate.superior_mm)
    return np.stack([x[seen], y[seen], plate.superior_mm[seen]], axis=-1)


def _walls(vertebra: Vertebra, levels_mm: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Front and back wall in the mid-sagittal plane, (n, 3) local mm from below upwards."""
    field = body_field(vertebra)
    found = [(z, pair) for z in levels_mm if (pair := walls(field, 1, (0.0, float(z)))) is not None]
    back, front = (np.array([(0.0, pair[side], z) for z, pair in found]).reshape(-1, 3) for side in (0, 1))
    return front, back


def heights_of(now: Surfaces, width_mm: float) -> Triple:
    """(anterior, middle, posterior) mm along the axis that halves the angle between both endplates.

    The same definition before and after: places at 12.5, 50 and 87.5 % of the depth at mid-height.

    Parameters
    ----------
    now : surfaces of the body in its intact frame (right, anterior, superior mm). width_mm : of the intact body.

    Raises
    ------
    LabelError : a moved endplate no longer reaches one of the three places.
    """
    axes = _halving_axes(now)
    origin = (now.upper.mean(axis=0) + now.lower.mean(axis=0)) / 2
    own = now.moved(lambda places: (places - origin) @ axes.T)
    front, back = _at_height(own.front, 0.0), _at_height(own.back, 0.0)
    extent = Extent(
        front_mm=front, back_mm=back, right_mm=width_mm / 2, left_mm=-width_mm / 2, middle_mm=float(own.front[:, 0].mean())
    )
    right = np.arange(-width_mm / 2, width_mm / 2, float(GRID_MM))
    anterior = np.arange(back, front + float(GRID_MM), float(GRID_MM))
    x, y = np.meshgrid(right, anterior, indexing="ij")
    top, bottom = (LinearNDInterpolator(plate[:, :2], plate[:, 2])(x, y) for plate in (own.upper, own.lower))
    heights = band_heights(right, anterior, top - bottom, extent)
    if not np.isfinite(heights).all():
        raise LabelError(
            "the endplates no longer reach the places where heights are read", "", "ask for a smaller --loss"
        )
    anterior_mm, middle_mm, posterior_mm = (float(height) for height in heights)
    return anterior_mm, middle_mm, posterior_mm


def _halving_axes(now: Surfaces) -> NDArray[np.float64]:
    """Rows right, anterior, superior; superior halves the endplates' best planes."""
    normals = []
    for plate in (now.upper, now.lower):
        terms = np.stack([np.ones(len(plate)), plate[:, 0], plate[:, 1]], axis=-1)
        slopes = np.linalg.lstsq(terms, plate[:, 2], rcond=None)[0]
        normal = np.array([-slopes[1], -slopes[2], 1.0])
        normals.append(normal / np.linalg.norm(normal))
    return axes_from(normals[0] + normals[1], np.array([0.0, 1.0, 0.0]))


def _at_height(wall: NDArray[np.float64], height_mm: float) -> float:
    """Where a wall (n, 3), told from below upwards, lies at a height: its anterior coordinate."""
    order = np.argsort(wall[:, 2])
    return float(np.interp(height_mm, wall[order, 2], wall[order, 1]))
