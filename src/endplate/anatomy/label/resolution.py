"""How fine a label really is: its own steps, which may be coarser than the grid it is stored on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.finding import Caution
from endplate.image.volume import Grid

STEP_SHARE = cited(
    0.1, "1", "Own choice: a plane with a tenth of the usual border carries no step of the label's own grid", "design"
)
DEFAULT_PERCENTILE = cited(75, "%", "Own choice: the usual border of planes that carry a step", "design")
SKIPPED_SHARE = cited(
    0.3,
    "1",
    "Own choice: the tips of thin processes skip a plane now and then; a grid of 1.5 voxels skips half",
    "design",
)
COARSER_BY = cited(1.4, "1", "Own choice: a label drawn on its grid, or on one nearly as fine, needs no word", "design")
THICK_MM = cited(
    2.5, "mm", "Own choice: above this the steps of an endplate are as large as a mild fracture's loss", "design"
)


def label_edges_mm(masks: Sequence[NDArray[np.bool_]], grid: Grid) -> tuple[float, float, float]:
    """Edges of the voxels that labels were drawn in, along each axis of the grid they are stored on, mm.

    Parameters
    ----------
    masks : (I, J, K) of each vertebra, on crops of the grid.

    Returns
    -------
    The grid's own spacing, or more where the label's border lies in a few planes only, as that of a coarse label does
    that was brought to a fine grid by the nearest neighbour.
    """
    found = np.array([[_edge(mask, axis, float(step)) for axis, step in enumerate(grid.spacing_mm)] for mask in masks])
    usual = np.median(found, axis=0)
    coarser = usual >= float(COARSER_BY) * grid.spacing_mm
    if coarser.any():
        # Blocks are cubes, or nearly; thicker slices hide them. Both steps add, as independent errors.
        block = np.where(coarser, usual, float(np.median(usual[coarser])))
        usual = np.hypot(block, grid.spacing_mm)
    return float(usual[0]), float(usual[1]), float(usual[2])


def _edge(mask: NDArray[np.bool_], axis: int, step_mm: float) -> float:
    others = tuple(other for other in range(3) if other != axis)
    border = np.abs(np.diff(mask.astype(np.int8), axis=axis)).sum(axis=others)
    if not border.any():
        return step_mm
    usual = float(np.percentile(border[border > 0], float(DEFAULT_PERCENTILE)))
    stepped = np.flatnonzero(border >= float(STEP_SHARE) * usual)
    if len(stepped) < 3:
        return step_mm
    # Steps alternate between two whole numbers of voxels; a much wider gap is where the label is thin.
    apart = np.diff(stepped)
    apart = apart[apart <= max(float(np.median(apart)), 1.0) + 1]
    return float(apart.mean()) * step_mm if (apart > 1).mean() > float(SKIPPED_SHARE) else step_mm


def coarse_cautions(edges_mm: tuple[float, float, float], along: int, grid: Grid) -> list[Caution]:
    """What a reader must know of thick slices, and of labels coarser than the grid they are stored on.

    Parameters
    ----------
    edges_mm : from `label_edges_mm`. along : axis of the grid that runs along the spine. grid : of the labels.
    """
    spacing = float(grid.spacing_mm[along])
    cautions = []
    if spacing > float(THICK_MM):
        text = (
            f"slices of {spacing:.2g} mm along the spine: heights are uncertain by millimetres, and mild fractures "
            "cannot be told from intact levels"
        )
        cautions.append(Caution(code="thick_slices", text=text))
    if bool((np.array(edges_mm) > grid.spacing_mm).any()):
        sizes = " x ".join(f"{edge:.1f}" for edge in edges_mm)
        stored = " x ".join(f"{edge:.2g}" for edge in grid.spacing_mm)
        text = f"the labels were drawn in voxels of {sizes} mm and stored on a grid of {stored} mm: bands are widened"
        cautions.append(Caution(code="coarse_labels", text=text))
    return cautions
