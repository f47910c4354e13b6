"""Where the simulated cement went: three planes of the scan with the cement over them, and the plain sphere."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Vertebra
from endplate.image.volume import Volume
from endplate.repair.access.access_result import NeedlePath
from endplate.repair.cement.cement_fill import CementFill
from endplate.repair.rehearsal.result import ProcedureResult
from endplate.report.figure import svg
from endplate.report.figure.local_plane import AXES, LocalPlane, LocalView, local_plane

CEMENT_RGB = (255, 120, 30)
VIEWS: tuple[LocalView, ...] = ("sagittal", "coronal", "axial")
VIEW_WORDS = {"sagittal": "from the side", "coronal": "from the front", "axial": "from above"}
HALF = 0.5
"""Saturation at which the cement is outlined."""
REACHED_MM = 4.0
"""An opening that was reached is marked in planes no farther from it than this."""


def cement_figures(done: ProcedureResult, vertebra: Vertebra, volume: Volume) -> list[tuple[str, Markup]]:
    """(view in words, picture) of each plane, through the cement's middle; empty without cement."""
    fill = done.fill
    if fill is None or not (fill.saturation > HALF).any():
        return []
    centre = _middle(fill, vertebra)
    return [(VIEW_WORDS[view], _picture(done, fill, vertebra, volume, (view, centre))) for view in VIEWS]


def _middle(fill: CementFill, vertebra: Vertebra) -> NDArray[np.float64]:
    """Where most cement lies, per local axis: the plane with the largest area of cement."""
    where = np.argwhere(fill.saturation > HALF)
    local = vertebra.to_local_mm(fill.grid.to_mm(where))
    edge = float(fill.grid.spacing_mm[0])
    middle = np.zeros(3)
    for axis in range(3):
        bins = np.round(local[:, axis] / edge).astype(int)
        values, counts = np.unique(bins, return_counts=True)
        middle[axis] = values[np.argmax(counts)] * edge
    return middle


def _picture(
    done: ProcedureResult,
    fill: CementFill,
    vertebra: Vertebra,
    volume: Volume,
    cut: tuple[LocalView, NDArray[np.float64]],
) -> Markup:
    view, centre = cut
    at = float(centre[AXES[view][2]])
    plane = local_plane(vertebra, view, at)
    parts = [plane.ct(volume), *plane.outline(vertebra.body, vertebra.grid, "body-line")]
    parts.append(plane.tint(fill.saturation, fill.grid, CEMENT_RGB))
    parts += plane.outline(fill.saturation, fill.grid, "cement-line", HALF)
    parts += plane.outline(fill.sphere, fill.grid, "sphere-line", HALF)
    parts += [mark for path in (done.access.paths if done.access else ()) for mark in _needle(plane, path)]
    parts += _openings(fill, plane, at)
    parts += plane.marks()
    alt = (
        f"{fill.level}, {done.procedure}, {VIEW_WORDS[view]}: CT with the simulated cement, "
        f"{fill.volume_ml:.1f} mL in the body, and the outline of a plain sphere of the same volume."
    )
    name = f"cement-{done.procedure}-{fill.level}-{view}"
    return svg.drawing(*plane.size, alt, [svg.group(parts, class_="on-ct")], name)


def _needle(plane: LocalPlane, path: NeedlePath) -> list[Markup]:
    """The needle's axis as it projects into the plane, and its tip."""
    (x1, y1), (x2, y2) = plane.project(np.stack([path.entry_mm, path.target_mm]))
    return [
        svg.line(x1, y1, x2, y2, class_="needle-line"),
        svg.element("circle", cx=float(x2), cy=float(y2), r=4, class_="needle-tip"),
    ]


def _openings(fill: CementFill, plane: LocalPlane, at_mm: float) -> list[Markup]:
    through = AXES[plane.view][2]
    parts = []
    for reached in fill.reached:
        centre = reached.opening.centre_mm
        if abs(float(plane.vertebra.to_local_mm(centre)[through]) - at_mm) <= REACHED_MM:
            x, y = plane.project(centre)
            parts.append(svg.element("circle", cx=float(x), cy=float(y), r=9, class_="opening-mark"))
            parts.append(svg.text(x + 13, y + 5, reached.opening.route, class_="level-values"))
    return parts
