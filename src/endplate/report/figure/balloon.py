"""What the balloon did to the bone: compaction in colour, the cavity outlined, on the side, front and top views."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Vertebra
from endplate.repair.kyphoplasty.inflation_result import Inflation
from endplate.repair.site.bone import inside_body
from endplate.report.figure import svg
from endplate.report.figure.bitmap import ramp_picture
from endplate.report.figure.local_plane import LocalView, local_plane
from endplate.report.figure.plane import sample

VIEWS: dict[LocalView, str] = {"sagittal": "from the side", "axial": "from above"}
TOP_OF_SCALE = 3.0
"""Density over density before at the top of the ramp; mass balance round a cavity expects 2 to 3 beside a balloon."""
HALF = 0.5


def balloon_figures(inflation: Inflation, vertebra: Vertebra) -> list[tuple[str, Markup]]:
    """(view in words, picture) through the middle of the cavity; empty where no cavity was left."""
    if not (inflation.bone.cavity > HALF).any():
        return []
    grid = inflation.bone.field.grid
    centre = vertebra.to_local_mm(grid.to_mm(np.argwhere(inflation.bone.cavity > HALF)))
    edge = float(grid.spacing_mm[0])
    cuts = {"sagittal": _widest(centre[:, 0], edge), "axial": _widest(centre[:, 2], edge)}
    return [(words, _picture(inflation, vertebra, view, cuts[view])) for view, words in VIEWS.items()]


def _widest(place_mm: NDArray[np.float64], edge_mm: float) -> float:
    """Where a plane cuts most of the cavity, mm."""
    values, counts = np.unique(np.round(place_mm / edge_mm).astype(int), return_counts=True)
    return float(values[np.argmax(counts)] * edge_mm)


def _picture(inflation: Inflation, vertebra: Vertebra, view: LocalView, at_mm: float) -> Markup:
    plane = local_plane(vertebra, view, at_mm)
    grid = inflation.bone.field.grid
    body = sample(inside_body(inflation.bone.field), grid, plane.points_mm, 0.0)
    rise = (sample(inflation.compaction, grid, plane.points_mm, 1.0) - 1.0) / (TOP_OF_SCALE - 1.0)
    hollow = sample(inflation.bone.cavity, grid, plane.points_mm, 0.0)
    field = np.where((body > HALF) & (hollow <= HALF), np.maximum(rise, 0.0), np.nan).astype(np.float32)
    parts = [svg.picture(0, 0, *plane.size, ramp_picture(field), class_="pixels")]
    parts += plane.outline(inside_body(inflation.bone.field), grid, "strain-outline", HALF)
    parts += plane.outline(inflation.bone.cavity, grid, "cavity-line", HALF)
    parts += plane.marks()
    alt = (
        f"{inflation.level}, {VIEWS[view]}, after the balloon was emptied: how much denser the bone is than before, "
        f"and the cavity of {inflation.cavity_ml:.1f} mL."
    )
    kind = [svg.group(parts, class_="on-paper")]
    return svg.drawing(*plane.size, alt, kind, f"balloon-{inflation.level}-{view}")
