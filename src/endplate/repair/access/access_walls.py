"""Which part of a vertebra's surface a needle must keep away from: canal, pedicle walls, cortex, endplates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage
from scipy.spatial import cKDTree

from endplate.anatomy.vertebra import Endplate, Pedicle, Spine, Vertebra
from endplate.cited import cited
from endplate.repair.access.access_result import Side
from endplate.repair.access.bone_surface import Surface, bone_surface
from endplate.repair.access.neighbour import neighbour_points

MEDIAL, LATERAL, SUPERIOR, INFERIOR, ANTERIOR, ENDPLATES, NEIGHBOUR = range(7)
NAMES = ("medial", "lateral", "superior", "inferior", "anterior", "endplates", "neighbour")
ENTRY = len(NAMES)
"""Surface behind the pedicle, where the needle goes in: no wall."""

PLATE_TILT = cited(
    0.7, "1", "Own choice: a surface that faces up or down by more than 45 degrees is endplate", "design"
)
PLATE_NEAR_MM = cited(1.5, "mm", "Own choice: the side of a crater in an endplate is endplate as well", "design")
RIM_WIDTH_MM = cited(3.0, "mm", "Own choice: the rim that an endplate's map leaves out (2 mm) and a voxel", "design")
SEEN_FROM_MM = cited(
    20.0, "mm", "Own choice: farther than any wall of the canal from its middle, half a wide canal is 13 mm", "design"
)
SIGHT_STEP_MM = cited(0.7, "mm", "Own choice: half the thinnest lamina", "design")
NOTCH_DEG = cited(
    40.0,
    "deg",
    "Own choice: angle between root and side of the body; 51 at T12 to 26 at L5 of the digital spine",
    "design",
)
MIDLINE_MM = cited(6.0, "mm", "Own choice: needles end at most this far beyond the midline", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class AccessWalls:
    """The walls about one pedicle and the half of the body in front of it.

    Attributes
    ----------
    surface : of the whole vertebra. points, normals, kind : (n, 3), (n, 3), (n,) wall points, unit vectors out of the
    bone, and codes of `NAMES` or ENTRY; frame of the vertebra (right, anterior, superior) mm.
    isthmus : (3,) and along : (3,) centre and forward axis of the pedicle in the frame. width_mm, height_mm : of it.
    back_mm : anterior coordinate of the canal's middle; beside the canal's front half the pedicle's walls count, behind
    it the bone widens to the needle's entry.
    outward : +1 on the right, -1 on the left: the frame's right axis times this points to the side.
    unsure_mm : (n,) what the mask cannot tell: half the extent of a voxel along each normal, more on the lateral wall.
    tree : finds the nearest of the vertebra's own points, which come first.
    """

    surface: Surface
    vertebra: Vertebra
    side: Side
    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    kind: NDArray[np.int8]
    isthmus: NDArray[np.float64]
    along: NDArray[np.float64]
    width_mm: float
    height_mm: float
    back_mm: float
    outward: int
    unsure_mm: NDArray[np.float64]
    tree: cKDTree


def find_access_walls(
    spine: Spine, vertebra: Vertebra, side: Side, surface: Surface | None = None, *, whole: bool = False
) -> AccessWalls | None:
    """Walls for a needle from one side of the patient; None where that pedicle or the canal was not found.

    Parameters
    ----------
    whole : also those of the other half, into which a curved balloon reaches.
    """
    pedicle: Pedicle | None = getattr(vertebra, side)
    canal = canal_middle(spine, vertebra)
    if pedicle is None or canal is None:
        return None
    surface = surface or bone_surface(vertebra)
    outward = 1 if side == "right" else -1
    isthmus, along = vertebra.to_local_mm(pedicle.isthmus_mm), vertebra.axes @ pedicle.axis
    near = surface.points[:, 0] * outward > (-np.inf if whole else -2 * MIDLINE_MM)
    points, normals, of_body = surface.points[near], surface.normals[near], surface.of_body[near]
    across, up = in_pedicle(points, isthmus, along, outward)
    kind = np.full(len(points), ENTRY, np.int8)
    of_pedicle = ~of_body & (points[:, 1] >= canal[1]) & (across < pedicle.width_mm)
    kind[of_pedicle] = _around(across / pedicle.width_mm, up / pedicle.height_mm)[of_pedicle]
    kind[of_body] = _of_body(vertebra, points[of_body], normals[of_body], isthmus)
    kind[_seen_from(surface, points, normals, canal)] = MEDIAL
    other = neighbour_points(spine, vertebra, outward)
    half_voxel = _half_voxel(vertebra, np.concatenate([normals, other.normals]))
    kind = np.concatenate([kind, np.full(len(other.points), NEIGHBOUR, np.int8)])
    return AccessWalls(
        surface=surface,
        vertebra=vertebra,
        side=side,
        points=np.concatenate([points, other.points]),
        normals=np.concatenate([normals, other.normals]),
        kind=kind,
        isthmus=isthmus,
        along=along,
        width_mm=pedicle.width_mm,
        height_mm=pedicle.height_mm,
        back_mm=float(canal[1]),
        outward=outward,
        unsure_mm=np.where(kind == LATERAL, half_voxel * _notch(), half_voxel),
        tree=cKDTree(points),
    )


def canal_middle(spine: Spine, vertebra: Vertebra) -> NDArray[np.float64] | None:
    """Middle (3,) of this vertebra's canal in its frame; None where its ring was not found."""
    if spine.canal is None or not vertebra.arch.any():
        return None
    local = vertebra.to_local_mm(spine.canal.centre_mm)
    if not len(local):
        return None
    nearest = local[int(np.abs(local[:, 2]).argmin())]
    return nearest if abs(nearest[2]) < SEEN_FROM_MM else None


def in_pedicle(
    points: NDArray[np.float64], isthmus: NDArray[np.float64], along: NDArray[np.float64], outward: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """(across, up) mm of points (n, 3) from a pedicle's axis: to the side, to the head."""
    away = points - isthmus
    forward = np.array([along[0], along[1], 0.0]) / np.hypot(along[0], along[1])
    sideways = outward * np.array([forward[1], -forward[0], 0.0])
    rise = along[2] / np.hypot(along[0], along[1])
    ahead = away @ forward
    return away @ sideways, away[:, 2] - rise * ahead


def _around(across: NDArray[np.float64], up: NDArray[np.float64]) -> NDArray[np.int8]:
    """Wall by the direction from the pedicle's axis, each direction in units of the pedicle's own width or height."""
    upright = np.abs(up) > np.abs(across)
    return np.where(upright, np.where(up > 0, SUPERIOR, INFERIOR), np.where(across > 0, LATERAL, MEDIAL)).astype(
        np.int8
    )


def _of_body(
    vertebra: Vertebra, points: NDArray[np.float64], normals: NDArray[np.float64], isthmus: NDArray[np.float64]
) -> NDArray[np.int8]:
    """Endplates, the cortex of the front half, the side wall behind it, and the root of the pedicle."""
    kind = np.where(points[:, 1] > 0, ANTERIOR, LATERAL).astype(np.int8)
    kind[(normals[:, 1] < -PLATE_TILT) & (points[:, 1] < 0)] = MEDIAL
    level = np.abs(normals[:, 2]) > PLATE_TILT
    kind[level] = ENDPLATES
    plates = [plate for plate in (vertebra.superior, vertebra.inferior) if plate is not None]
    over = [_over_plate(plate, points) for plate in plates]
    for _, beside_plate in over:
        kind[beside_plate] = ENDPLATES
    if len(plates) == 2:
        # Behind the plates' rims, what faces up or down is the pedicle's root.
        root = level & (points[:, 1] < 0) & ~over[0][0] & ~over[1][0]
        kind[root] = np.where(points[root, 2] > isthmus[2], SUPERIOR, INFERIOR)
    return kind


def _over_plate(plate: Endplate, points: NDArray[np.float64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which points lie above or below a plate, its rim included, and which of them right at its surface."""
    step = plate.right_mm[1] - plate.right_mm[0]
    away = ndimage.distance_transform_edt(~np.isfinite(plate.superior_mm)) * step
    i = np.rint((points[:, 0] - plate.right_mm[0]) / step).astype(int)
    j = np.rint((points[:, 1] - plate.anterior_mm[0]) / step).astype(int)
    known = (i >= 0) & (j >= 0) & (i < away.shape[0]) & (j < away.shape[1])
    over, height = np.zeros(len(points), bool), np.full(len(points), np.nan)
    over[known] = away[i[known], j[known]] <= RIM_WIDTH_MM
    height[known] = plate.superior_mm[i[known], j[known]]
    return over, np.abs(points[:, 2] - height) <= PLATE_NEAR_MM


def _seen_from(
    surface: Surface, points: NDArray[np.float64], normals: NDArray[np.float64], canal: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Whether each surface point is seen from the canal's middle at its own height: then it is the canal's wall."""
    away = canal[:2] - points[:, :2]
    distance = np.linalg.norm(away, axis=1)
    sight = np.column_stack([away / np.maximum(distance, 1e-6)[:, None], np.zeros(len(points))])
    seen = (distance < SEEN_FROM_MM) & ((sight * normals).sum(axis=1) > 0)
    step = SIGHT_STEP_MM
    for length in np.arange(step, SEEN_FROM_MM, step):
        ask = np.nonzero(seen & (distance > length))[0]
        seen[ask[surface.inside(points[ask] + length * sight[ask])]] = False
    return np.asarray(seen)


def _half_voxel(vertebra: Vertebra, normals: NDArray[np.float64]) -> NDArray[np.float64]:
    """Half a voxel's extent (n,) along normals (n, 3) of the vertebra's frame."""
    world = normals @ vertebra.axes
    edges = vertebra.grid.affine[:3, :3]
    return np.asarray(np.linalg.norm(world @ edges, axis=1) / 2)


def _notch() -> float:
    """Half voxels by which the lateral wall may lie nearer than the mask shows it.

    Between the pedicle's root and the side of the body runs a notch. Where it is narrower than a voxel the mask fills
    it, to a depth of half a voxel over the tangent of half its angle, and leaves no trace of it.
    """
    return 1 + 1 / float(np.tan(np.deg2rad(NOTCH_DEG) / 2))
