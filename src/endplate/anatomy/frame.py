"""The patient-anatomical frame of each vertebra: superior along the spine, anterior away from the canal."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.interpolate import make_smoothing_spline

from endplate.anatomy.surface import Frame, LocalBox
from endplate.cited import cited

SMOOTHING_MM3 = cited(
    300, "mm3", "Own choice: the spline follows the curve of the spine and not one misplaced centroid", "design"
)

LARGEST_TURN_DEG = cited(10, "deg", "biomechanics reference 8.1 step 2: rotate by at most 10 degrees", "knowledge")
MIRROR_REACH_MM = cited(
    26, "mm", "Own choice: body, pedicles and facets; processes, often bent or cut, stay outside", "design"
)
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
            make_smoothing_spline(place, stacked[:, axis], w=weight, lam=float(SMOOTHING_MM3)).derivative()
            for axis in range(3)
        ]
    tangents = [-np.array([curve(at) for curve in curves], float) for at in middle]
    return [tangent / np.linalg.norm(tangent) for tangent in tangents]


def mirror_turn_deg(inside: NDArray[np.bool_], box: LocalBox) -> float:
    """Turn about the superior axis, at most 10 degrees, that makes a vertebra most like its mirror image.

    Parameters
    ----------
    inside : (nx, ny, nz) bool on `box`, the frame's origin near the plane of symmetry.

    Returns
    -------
    Angle in degrees, positive from right towards anterior.
    """
    thickness = inside.sum(axis=2).astype(np.float32)
    limit = float(LARGEST_TURN_DEG)
    coarse = max(np.arange(-limit, limit + 1, 2), key=lambda angle: _likeness(thickness, box, float(angle)))
    fine = np.clip(coarse + np.arange(-1.5, 2, 0.5), -limit, limit)
    return float(max(fine, key=lambda angle: _likeness(thickness, box, float(angle))))


def _likeness(thickness: NDArray[np.float32], box: LocalBox, angle_deg: float) -> float:
    """Best correlation of a thickness map with its mirror image over small shifts of the mirror line."""
    reach = float(MIRROR_REACH_MM)
    across = np.arange(0.5, reach, 1.0)
    along = np.arange(-1.5 * reach, reach, 1.0)
    c, s = np.cos(np.deg2rad(angle_deg)), np.sin(np.deg2rad(angle_deg))
    best = -1.0
    for shift in np.arange(-float(MIRROR_SHIFT_MM), float(MIRROR_SHIFT_MM) + 1):
        u, v = np.meshgrid(across, along, indexing="ij")
        sides = []
        for sign in (1, -1):
            x, y = shift * c + sign * u * c - v * s, shift * s + sign * u * s + v * c
            index = [(x - box.right_mm[0]) / box.step_mm, (y - box.anterior_mm[0]) / box.step_mm]
            sides.append(ndimage.map_coordinates(thickness, index, order=1).ravel())
        best = max(best, float(np.corrcoef(sides[0], sides[1])[0, 1]))
    return best
