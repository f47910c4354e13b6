"""Heights of a body from its endplates as material surfaces: the same points before and after the crush."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import LinearNDInterpolator

from endplate.anatomy.vertebra import Endplate, Vertebra
from endplate.cited import cited
from endplate.errors import LabelError
from endplate.fracture.height.extent import Extent, body_extent, body_field, walls
from endplate.fracture.height.patch import band_heights
from endplate.fracture.normals import Triple

WALL_STEP_MM = cited(1.0, "mm", "a wall is smooth; the voxels of a scan are no finer", "design")
GRID_MM = cited(0.5, "mm", "own algorithm, docs/theory.md, morphometry step 3: resample at 0.5 mm", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Surfaces:
    """Places (n, 3) mm on a body, the same material before and after: endplates and mid-sagittal walls."""

    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    front: NDArray[np.float64]
    back: NDArray[np.float64]


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
    front, back = _walls(vertebra, np.arange(np.median(lower[:, 2]), np.median(upper[:, 2]), WALL_STEP_MM))
    return Body(vertebra=vertebra, surfaces=Surfaces(upper=upper, lower=lower, front=front, back=back), extent=extent)


def _walls(vertebra: Vertebra, levels_mm: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Front and back wall in the mid-sagittal plane, (n, 3) local mm from below upwards."""
    field = body_field(vertebra)
    found = [(z, pair) for z in levels_mm if (pair := walls(field, 1, (0.0, float(z)))) is not None]
    back, front = (np.array([(0.0, pair[side], z) for z, pair in found]) for side in (0, 1))
    return front, back


def _points(plate: Endplate) -> NDArray[np.float64]:
    x, y = np.meshgrid(plate.right_mm, plate.anterior_mm, indexing="ij")
    seen = np.isfinite(plate.superior_mm)
    return np.stack([x[seen], y[seen], plate.superior_mm[seen]], axis=-1)


def heights_of(now: Surfaces, extent: Extent) -> Triple:
    """(anterior, middle, posterior) mm between the endplates, along the superior axis of the intact body.

    The places are shares of the depth at mid-height of the body as it is now, as the morphometry has them.

    Parameters
    ----------
    now : endplates and walls in the intact frame (right, anterior, superior mm). extent : intact, for its sides.

    Raises
    ------
    LabelError : a moved endplate no longer reaches one of the three places.

    Notes
    -----
    The lower endplate and the posterior wall hold this frame, as they hold the one that `assess` finds afterwards.
    """
    extent = _present(now, extent)
    step = GRID_MM
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


def _present(now: Surfaces, extent: Extent) -> Extent:
    """The reach of the body now: its walls where they cross the height half-way between its endplates."""
    middle = (float(np.median(now.upper[:, 2])) + float(np.median(now.lower[:, 2]))) / 2
    front, back = (_at_height(wall, middle) for wall in (now.front, now.back))
    return replace(extent, front_mm=front, back_mm=back)


def _at_height(wall: NDArray[np.float64], height_mm: float) -> float:
    """Where a wall (n, 3) lies at a height: its anterior coordinate."""
    order = np.argsort(wall[:, 2])
    return float(np.interp(height_mm, wall[order, 2], wall[order, 1]))
