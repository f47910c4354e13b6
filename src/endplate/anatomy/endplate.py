"""Both endplates of a body as sub-voxel height maps in its own frame."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.cells import grown, shrunk
from endplate.anatomy.robust_fit import MAD_TO_SD, solved, tukey_fit
from endplate.anatomy.shape_kernels import enclosed, largest_part
from endplate.anatomy.surface import Frame, LocalBox, column_starts, corners, holds_box, last_crossings
from endplate.anatomy.vertebra import Endplate
from endplate.cited import cited
from endplate.image.volume import Grid

RIM_MM = cited(
    2, "mm", "own algorithm, docs/theory.md, morphometry step 4: drop the outer 2 mm (rim, osteophytes)", "design"
)
BREACH_MAD = cited(3, "1", "own algorithm, docs/theory.md, morphometry step 4: residual > 3 MAD is a breach", "design")
BREACH_FLOOR_MM = cited(1.5, "mm", "Own choice: below this a residual is voxel noise whatever the MAD", "design")
HIDDEN_SHARE = cited(0.15, "1", "Own choice: an endplate with more of it outside the field is not measured", "design")
SLOPE_OVER_MM = cited(1, "mm", "Own choice: smooths the steps of voxels, keeps those of walls", "design")
STEEPEST_PLATE = cited(1.5, "1", "Own choice: 56 degrees; collapsed endplates stay below, walls above", "design")
WALL_BEGINS_MM = cited(
    8, "mm", "Own choice: the side wall, and no endplate, this far from an endplate's middle", "design"
)
SMALLEST_PLATE_MM2 = cited(100, "mm2", "Own choice: a tenth of the usual endplate; less is no endplate", "design")
IRLS_STEPS = cited(8, "1", "Own choice: the weights settle in fewer steps", "design")


def find_endplates(
    field: NDArray[np.float32], grid: Grid, scan: Grid, box: LocalBox, frame: Frame
) -> tuple[Endplate | None, Endplate | None]:
    """Superior and inferior endplates of a body.

    Parameters
    ----------
    field : (I, J, K) smooth indicator of the body on `grid`; its half level is the surface.
    scan : what was scanned; a surface is never taken from outside it.
    box : where columns of samples stand in `frame`.

    Returns
    -------
    Each endplate, or None where the field cuts it or too little of it is there.
    """
    columns = np.ones(box.shape[:2], bool)
    top, top_hidden = _outermost(field, grid, scan, box, frame, columns, up=True)
    met = np.isfinite(top) | top_hidden
    bottom, bottom_hidden = _outermost(field, grid, scan, box, frame, met, up=False)
    middle = _mid_surface(top, bottom, box)
    superior = _plate(np.where(top > middle, top, np.nan), top_hidden, box, frame, up=True)
    inferior = _plate(np.where(bottom < middle, bottom, np.nan), bottom_hidden, box, frame, up=False)
    return superior, inferior


def _mid_surface(top: NDArray[np.float64], bottom: NDArray[np.float64], box: LocalBox) -> NDArray[np.float64]:
    """Smooth surface midway between both endplates; near the one that is there when the field cuts the other."""
    present = np.isfinite(top) & np.isfinite(bottom)
    either = np.isfinite(top) | np.isfinite(bottom)
    if 2 * present.sum() > either.sum() and present.sum() * box.step_mm**2 >= SMALLEST_PLATE_MM2:
        x, y = np.meshgrid(box.right_mm, box.anterior_mm, indexing="ij")
        return quadratic_at(robust_quadratic(x[present], y[present], (top + bottom)[present] / 2), x, y)
    alone = bottom if np.isfinite(bottom).sum() > np.isfinite(top).sum() else top
    if not np.isfinite(alone).any():
        return np.zeros_like(top)
    inwards = WALL_BEGINS_MM if alone is bottom else -WALL_BEGINS_MM
    return np.full_like(top, np.nanmedian(alone) + inwards)


def _outermost(
    field: NDArray[np.float32],
    grid: Grid,
    scan: Grid,
    box: LocalBox,
    frame: Frame,
    columns: NDArray[np.bool_],
    *,
    up: bool,
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Last crossing of the half level in each of the columns, up or down, and where the scan's border hides it."""
    level_mm = box.superior_mm if up else box.superior_mm[::-1]
    foot, step = column_starts(grid, frame, box, level_mm)
    place = np.full(columns.shape, np.nan)
    place[columns] = last_crossings(field, foot[columns], step, len(level_mm), closed=False)
    seen = np.isfinite(place)
    ends = corners((axis[0], axis[-1]) for axis in (box.right_mm, box.anterior_mm, box.superior_mm))
    if not holds_box(scan, frame.to_world(ends), -0.5):
        seen = _scanned(place, scan, frame, box, level_mm)
    height = np.full(columns.shape, np.nan)
    height[seen] = level_mm[0] + place[seen] * (level_mm[1] - level_mm[0])
    return height, ~np.isnan(place) & ~seen


def _scanned(
    place: NDArray[np.float64], scan: Grid, frame: Frame, box: LocalBox, level_mm: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which crossings, in steps along the columns (nx, ny), have their next point still in the scan."""
    there = np.isfinite(place)
    foot, step = column_starts(scan, frame, box, level_mm)
    index = foot[there] + (np.floor(place[there]) + 1)[:, None] * step
    seen = there.copy()
    seen[there] = ((index >= -0.5) & (index <= np.array(scan.shape) - 0.5)).all(axis=1)
    return seen


def _plate(
    height: NDArray[np.float64], hidden: NDArray[np.bool_], box: LocalBox, frame: Frame, *, up: bool
) -> Endplate | None:
    footprint = np.isfinite(height)
    area = float(footprint.sum()) * box.step_mm**2
    if area < SMALLEST_PLATE_MM2 or hidden.sum() > HIDDEN_SHARE * (footprint | hidden).sum():
        return None
    times = round(1 / box.step_mm)
    footprint = _without_walls(grown(shrunk(footprint, times), times), height, box.step_mm)
    depth = ndimage.distance_transform_edt(np.pad(footprint, 1))[1:-1, 1:-1] * box.step_mm
    inner = depth > RIM_MM
    if inner.sum() * box.step_mm**2 < SMALLEST_PLATE_MM2 / 2:
        return None
    x, y = np.meshgrid(box.right_mm, box.anterior_mm, indexing="ij")
    coefficients = robust_quadratic(x[inner], y[inner], height[inner])
    residual = height - quadratic_at(coefficients, x, y)
    spread = MAD_TO_SD * float(np.median(np.abs(residual[inner])))
    breach = inner & (np.abs(residual) > max(BREACH_MAD * spread, BREACH_FLOOR_MM))
    sound = inner & ~breach
    middle = quadratic_at(coefficients, x[footprint], y[footprint]).mean()
    centre = np.array([x[footprint].mean(), y[footprint].mean(), middle])
    return Endplate(
        centre_mm=frame.to_world(centre),
        normal=_best_normal(x[sound], y[sound], height[sound], up=up) @ frame.axes,
        right_mm=box.right_mm.copy(),
        anterior_mm=box.anterior_mm.copy(),
        superior_mm=np.where(inner, height, np.nan),
        breach=breach,
        rim_mm=frame.to_world(_outline(footprint, height, box)),
    )


def _without_walls(footprint: NDArray[np.bool_], height: NDArray[np.float64], step_mm: float) -> NDArray[np.bool_]:
    """The footprint without the steep border where a leaning wall, not the endplate, is the outermost surface."""
    sigma = SLOPE_OVER_MM / step_mm
    weight = ndimage.gaussian_filter(footprint.astype(float), sigma)
    smooth = ndimage.gaussian_filter(np.where(footprint, height, 0.0), sigma) / np.maximum(weight, 1e-6)
    slope = np.hypot(*np.gradient(smooth, step_mm))
    flat = largest_part(footprint & (slope <= STEEPEST_PLATE))
    return np.asarray((flat | enclosed(flat)) & footprint) if flat.any() else footprint


def robust_quadratic(x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64]) -> NDArray[np.floating]:
    """Coefficients (6,) of 1, x, y, x2, xy, y2 by iteratively reweighted least squares (Tukey)."""
    return tukey_fit(_terms(x, y), np.ascontiguousarray(z), int(IRLS_STEPS), 1e-3)


def _terms(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.stack([np.ones_like(x), x, y, x * x, x * y, y * y])


def quadratic_at(
    coefficients: NDArray[np.floating], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Values of a quadratic surface, coefficients as `robust_quadratic` gives them, at points."""
    return np.asarray(np.tensordot(coefficients, _terms(x, y), 1))


def _best_normal(
    x: NDArray[np.float64], y: NDArray[np.float64], z: NDArray[np.float64], *, up: bool
) -> NDArray[np.float64]:
    """Outward unit normal, in the frame, of the least-squares plane through surface points."""
    terms = np.stack([np.ones_like(x), x - x.mean(), y - y.mean()])
    _, along_x, along_y = solved(terms, z, np.ones_like(z), len(z))
    normal = np.array([-along_x, -along_y, 1.0]) * (1 if up else -1)
    return np.asarray(normal / np.linalg.norm(normal))


def _outline(footprint: NDArray[np.bool_], height: NDArray[np.float64], box: LocalBox) -> NDArray[np.float64]:
    """Border points (n, 3) of a footprint in the frame, in order of angle."""
    border = footprint & ~shrunk(footprint)
    i, j = np.nonzero(border)
    points = np.stack([box.right_mm[i], box.anterior_mm[j], height[i, j]], axis=-1)
    middle = points.mean(axis=0)
    return points[np.argsort(np.arctan2(points[:, 1] - middle[1], points[:, 0] - middle[0]))]
