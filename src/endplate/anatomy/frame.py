"""The patient-anatomical frame of each vertebra: superior along the spine, anterior away from the canal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.interpolate import make_smoothing_spline

from endplate.anatomy.shape_kernels import likeness
from endplate.anatomy.surface import Frame, LocalBox
from endplate.anatomy.vertebra import Endplate
from endplate.cited import cited

SMOOTHING_MM3 = cited(300, "mm3", "Own choice: follows the spine, not one misplaced centroid", "design")

LARGEST_TURN_DEG = cited(
    10, "deg", "own algorithm, docs/theory.md, morphometry step 2: rotate by at most 10 degrees", "design"
)
MIRROR_REACH_MM = cited(26, "mm", "Own choice: body, pedicles, facets; bent or cut processes stay outside", "design")
MIRROR_SHIFT_MM = cited(4, "mm", "Own choice: the most a body centroid lies off the plane of symmetry", "design")

LPS_SUPERIOR = np.array([0.0, 0.0, 1.0])
LPS_ANTERIOR = np.array([0.0, -1.0, 0.0])


def axes_from(superior: NDArray[np.float64], anterior: NDArray[np.float64]) -> NDArray[np.float64]:
    """Orthonormal rows right, anterior, superior; superior is kept, anterior made orthogonal to it."""
    z = superior / np.linalg.norm(superior)
    y = anterior - (anterior @ z) * z
    y = y / np.linalg.norm(y)
    return np.stack([np.cross(y, z), y, z])


def spine_tangents(points_mm: list[NDArray[np.float64]], weights: list[float]) -> list[NDArray[np.float64]]:
    """Unit tangents (towards the head) of the smooth curve through points from head to foot.

    Parameters
    ----------
    points_mm : one (m, 3) array a level, ordered from head to foot (centroid, or endplate centres with it).
    weights : trust in each level's own points, 0..1.

    Returns
    -------
    One (3,) tangent a level, at the mean of its points.
    """
    stacked = np.concatenate(points_mm)
    counts = [len(points) for points in points_mm]
    weight = np.repeat(weights, counts)
    step = np.linalg.norm(np.diff(stacked, axis=0), axis=1)
    place = np.concatenate([[0.0], np.cumsum(np.maximum(step, 1e-3))])
    ends = np.cumsum(counts)
    middle = [place[end - count : end].mean() for end, count in zip(ends, counts, strict=True)]
    if len(stacked) < 5:
        slope = np.polyfit(place, stacked, min(2, len(stacked) - 1), w=weight)
        curves = [np.poly1d(slope[:, axis]).deriv() for axis in range(3)]
    else:
        curves = [
            make_smoothing_spline(place, stacked[:, axis], w=weight, lam=SMOOTHING_MM3).derivative()
            for axis in range(3)
        ]
    tangents = [-np.array([curve(at) for curve in curves], float) for at in middle]
    return [tangent / np.linalg.norm(tangent) for tangent in tangents]


def agreed_superior(
    frame: Frame,
    curve: NDArray[np.float64],
    plates: tuple[Endplate | None, Endplate | None],
    wall_slope: float | None,
) -> NDArray[np.float64]:
    """Superior direction that the spine's curve and the body's own shape agree on.

    Each of three witnesses can be wrong alone: the curve at the end of the field, the endplates' bisector in a wedge
    of one endplate, the posterior wall in a burst body. Their median, taken apart in the sagittal and the coronal
    plane, is wrong only when two are. In the coronal plane, where the wall says nothing, the line between the
    endplate centres takes its place.

    Parameters
    ----------
    frame : present frame. curve : (3,) tangent of the spine's curve.
    plates : both endplates in the world; without both the curve alone decides.
    wall_slope : anterior drift of the posterior wall for each mm upwards, in the frame; None without a canal.
    """
    superior, inferior = plates
    if superior is None or inferior is None:
        return curve
    bisector = frame.axes @ (superior.normal - inferior.normal)
    line = frame.axes @ (superior.centre_mm - inferior.centre_mm)
    along = frame.axes @ curve
    sagittal = [along[1] / along[2], bisector[1] / bisector[2]]
    sagittal.append(line[1] / line[2] if wall_slope is None else wall_slope)
    coronal = [along[0] / along[2], bisector[0] / bisector[2], line[0] / line[2]]
    agreed = np.array([float(np.median(coronal)), float(np.median(sagittal)), 1.0])
    return np.asarray((agreed / np.linalg.norm(agreed)) @ frame.axes)


def mirror_turn_deg(inside: NDArray[np.bool_], box: LocalBox, forward_deg: float = 0.0) -> float:
    """Turn about the superior axis that makes a vertebra most like its mirror image.

    Parameters
    ----------
    inside : (nx, ny, nz) bool on `box`, the frame's origin near the plane of symmetry.
    forward_deg : turn of the direction from canal to body; none farther than 10 degrees from it is sought.

    Returns
    -------
    Angle in degrees, positive from right towards anterior.
    """
    thickness = np.ascontiguousarray(inside.sum(axis=2), np.float32)
    limit, shift = float(LARGEST_TURN_DEG), float(MIRROR_SHIFT_MM)
    turns = forward_deg + np.arange(-limit, limit + 1, 2)
    coarse, off = _most_like(thickness, box, turns, np.arange(-shift, shift + 1, 2))
    near = np.clip(coarse + np.arange(-1.5, 2, 0.5), turns[0], turns[-1])
    return _most_like(thickness, box, near, off + np.arange(-1.0, 2.0))[0]


def _most_like(
    thickness: NDArray[np.float32], box: LocalBox, turns_deg: NDArray[np.float64], moves_mm: NDArray[np.float64]
) -> tuple[float, float]:
    """Turn and move of the mirror line at which a thickness map is most like its image."""
    reach = float(MIRROR_REACH_MM)
    places = np.stack(np.meshgrid(np.arange(0.5, reach, 2), np.arange(-1.5 * reach, reach, 2), indexing="ij"), axis=-1)
    first = np.array([box.right_mm[0], box.anterior_mm[0]])
    found = likeness(thickness, first, box.step_mm, places.reshape(-1, 2), np.deg2rad(turns_deg), moves_mm)
    turn, move = np.unravel_index(int(found.argmax()), found.shape)
    return float(turns_deg[turn]), float(moves_mm[move])
