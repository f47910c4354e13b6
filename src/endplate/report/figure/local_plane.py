"""Flat sections through one vertebra along its own axes: from the side, from the front and from above."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike, NDArray

from endplate.anatomy.vertebra import Vertebra
from endplate.image.volume import Grid, Volume
from endplate.report.figure import svg
from endplate.report.figure.bitmap import grey_webp, tint_picture
from endplate.report.figure.plane import outlines, sample

LocalView = Literal["sagittal", "coronal", "axial"]

PER_MM = 4.6
"""Drawing units per millimetre: a lumbar body then fills a figure of a telephone's width."""
PIXEL_MM = 0.5
MARGIN_MM = 7.0
SMALLEST_MM = 2.0
"""Outlines smaller than this are specks."""
AXES: dict[LocalView, tuple[int, int, int]] = {"sagittal": (1, 2, 0), "coronal": (0, 2, 1), "axial": (0, 1, 2)}
"""Local axes (right, anterior, superior) shown across and up, and the one cut through. Across, the positive end is at
the left of the picture: the patient's front, or the patient's right as in a reading room."""
SIDES: dict[LocalView, tuple[tuple[str, str], tuple[str, str]]] = {
    "sagittal": (("front", "back"), ("top", "bottom")),
    "coronal": (("right", "left"), ("top", "bottom")),
    "axial": (("right", "left"), ("front", "back")),
}


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LocalPlane:
    """A picture plane through a vertebra: pixels (rows, columns) at `points_mm`, LPS."""

    vertebra: Vertebra
    view: LocalView
    left_mm: float
    top_mm: float
    points_mm: NDArray[np.float64]

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in drawing units."""
        rows, columns = self.points_mm.shape[:2]
        return columns * PIXEL_MM * PER_MM, rows * PIXEL_MM * PER_MM

    def project(self, xyz_mm: ArrayLike) -> NDArray[np.float64]:
        """World LPS mm (..., 3) to drawing units (..., 2)."""
        across, up, _ = AXES[self.view]
        local = self.vertebra.to_local_mm(np.asarray(xyz_mm, float))
        return np.stack([self.left_mm - local[..., across], self.top_mm - local[..., up]], axis=-1) * PER_MM

    def outline(self, array: NDArray[np.generic], grid: Grid, name: str, level: float = 0.5) -> list[Markup]:
        """Outlines of a field on a grid where this plane cuts it."""
        values = sample(np.asarray(array), grid, self.points_mm, 0.0)
        drawn = [(line + 0.5) * PIXEL_MM * PER_MM for line in outlines(values, level)]
        return [svg.path(line, class_=name) for line in drawn if np.ptp(line, axis=0).max() > SMALLEST_MM * PER_MM]

    def tint(self, array: NDArray[np.generic], grid: Grid, rgb: tuple[int, int, int]) -> Markup:
        """A field 0..1 laid over the picture, the more of it the less transparent."""
        share = np.clip(sample(np.asarray(array), grid, self.points_mm, 0.0), 0.0, 1.0)
        return svg.picture(0, 0, *self.size, tint_picture(share, rgb))

    def ct(self, volume: Volume) -> Markup:
        """The scan in this plane."""
        return svg.picture(0, 0, *self.size, grey_webp(sample(volume.hu, volume.grid, self.points_mm)))

    def marks(self) -> list[Markup]:
        """Which side is which, in the corners, and a bar of 1 cm."""
        width, height = self.size
        (left, right), _ = SIDES[self.view]
        bar = 10.0 * PER_MM
        return [
            svg.text(6, 16, left.upper(), class_="side-mark", data_side=left),
            svg.text(width - 6, 16, right.upper(), class_="side-mark", text_anchor="end", data_side=right),
            svg.line(width - 10 - bar, height - 8, width - 10, height - 8, class_="scale-line"),
            svg.text(width - 10 - bar / 2, height - 13, "1 cm", class_="level-values", text_anchor="middle"),
        ]


def local_plane(vertebra: Vertebra, view: LocalView, at_mm: float = 0.0, behind_mm: float = MARGIN_MM) -> LocalPlane:
    """A plane that shows the whole body.

    Parameters
    ----------
    at_mm : where it cuts, along the axis that it does not show, from the body's centroid.
    behind_mm : how far it reaches behind the body in the views that show the back: farther to show pedicles.
    """
    local = vertebra.to_local_mm(vertebra.grid.to_mm(np.argwhere(vertebra.body)))
    low, high = local.min(axis=0) - MARGIN_MM, local.max(axis=0) + MARGIN_MM
    low[1] = local[:, 1].min() - behind_mm
    across, up, through = AXES[view]
    # All views are equally wide, so that pictures side by side share one scale.
    spare = (max(high[0] - low[0], high[1] - low[1]) - (high[across] - low[across])) / 2
    columns = np.arange(high[across] + spare, low[across] - spare, -PIXEL_MM)
    rows = np.arange(high[up], low[up], -PIXEL_MM)
    plane = np.zeros((len(rows), len(columns), 3))
    plane[..., across], plane[..., up], plane[..., through] = columns[None, :], rows[:, None], at_mm
    return LocalPlane(
        vertebra=vertebra,
        view=view,
        left_mm=float(columns[0] + PIXEL_MM / 2),
        top_mm=float(rows[0] + PIXEL_MM / 2),
        points_mm=vertebra.to_world_mm(plane),
    )
