"""How everything moves when a body is crushed: bones above rigidly with its upper endplate, soft tissue smoothly."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.cited import cited
from endplate.image.resample import isotropic_grid
from endplate.image.volume import Grid, LabelMap
from endplate.synthetic_fracture.displacement_grid import DisplacementGrid, fill_smoothly
from endplate.synthetic_fracture.inverse_map import Field
from endplate.synthetic_fracture.rigid_group import RigidGroup

FINE_MARGIN_MM = cited(14.0, "mm", "holds both discs and the facets of both neighbours", "design")
COARSE_MM = cited(4.0, "mm", "soft tissue moves smoothly over centimetres", "design")
BLEND_MM = cited(5.0, "mm", "pedicle roots between the crushed wall and the rigid arch", "design")
COLUMN_MM = cited(
    40.0, "mm", "spine above the labels, with processes and rib heads, within this of the line of its bodies", "design"
)
DISC_MM = cited(
    10.0,
    "mm",
    "own limit: usual lumbar disc with its endplates; beyond it bone without a label may begin",
    "design",
)
ROOT_MM = cited(4.0, "mm", "part of the body that is taken for the root of the arch", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Rigid:
    """A rigid motion: p -> turn @ (p - about) + about + shift, LPS mm."""

    turn: NDArray[np.float64]
    about_mm: NDArray[np.float64]
    shift_mm: NDArray[np.float64]

    def displacement(self, xyz_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Displacements (..., 3) of places (..., 3)."""
        arm = xyz_mm - self.about_mm
        return arm @ self.turn.T - arm + self.shift_mm

    @property
    def back(self) -> NDArray[np.float64]:
        """LPS mm after to LPS mm before, (4, 4)."""
        matrix = np.eye(4)
        matrix[:3, :3] = self.turn.T
        matrix[:3, 3] = self.about_mm - self.turn.T @ (self.about_mm + self.shift_mm)
        return matrix

    @property
    def angle_deg(self) -> float:
        """Angle of the turn."""
        return float(np.rad2deg(np.arccos(np.clip((np.trace(self.turn) - 1) / 2, -1, 1))))


STILL = Rigid(turn=np.eye(3), about_mm=np.zeros(3), shift_mm=np.zeros(3))


def best_rigid(before_mm: NDArray[np.float64], after_mm: NDArray[np.float64]) -> Rigid:
    """The rigid motion (Kabsch) nearest to points (n, 3) before and after, without mirror images."""
    about, there = before_mm.mean(axis=0), after_mm.mean(axis=0)
    u, _, vt = np.linalg.svd((before_mm - about).T @ (after_mm - there))
    sign = np.sign(np.linalg.det(vt.T @ u.T))
    turn = vt.T @ np.diag([1.0, 1.0, sign]) @ u.T
    return Rigid(turn=turn, about_mm=about, shift_mm=there - about)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Crushed:
    """What the engine says about the body: nodes of the fine lattice (n, 3) indices and their displacements (n, 3)."""

    nodes: NDArray[np.int64]
    moved_mm: NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class CrushScene:
    """The crushed vertebra among the others, on the scan."""

    spine: Spine
    target: Vertebra
    labels: LabelMap

    @property
    def above(self) -> tuple[Vertebra, ...]:
        """Labelled vertebrae above."""
        return tuple(v for v in self.spine.vertebrae if v.level < self.target.level)

    @property
    def below(self) -> tuple[Vertebra, ...]:
        """Labelled vertebrae below."""
        return tuple(v for v in self.spine.vertebrae if self.target.level < v.level)


def fine_grid(scene: CrushScene, step_mm: float) -> Grid:
    """The fine lattice: cubes along the scan's axes about the crushed vertebra."""
    scan, target = scene.labels.grid, scene.target
    inside = np.argwhere(target.body | target.arch)
    corners = scan.to_index(target.grid.to_mm(np.stack([inside.min(axis=0), inside.max(axis=0)])))
    margin = np.ceil(FINE_MARGIN_MM / scan.spacing_mm)
    return isotropic_grid(scan.crop(np.floor(corners[0] - margin), np.ceil(corners[1] + margin) + 1), step_mm)


def move_everything(scene: CrushScene, fine: Grid, crushed: Crushed, upper: Rigid, arch: Rigid) -> Field:
    """The displacement of every place of the scan.

    Parameters
    ----------
    fine : from `fine_grid`. crushed : of the body, on nodes of `fine`.
    upper : motion of what stands on the upper endplate. arch : motion of the crushed vertebra's own arch.
    """
    scan = scene.labels.grid
    padded = scan.crop([-1] * 3, np.array(scan.shape) + 1)
    coarse = isotropic_grid(padded, COARSE_MM)
    values, known = _bones(scene, coarse, upper, arch, reach_mm=COARSE_MM * float(np.sqrt(3)))
    wide = DisplacementGrid(grid=coarse, moved_mm=fill_smoothly(values, known))
    values, known = _bones(scene, fine, upper, arch, reach_mm=float(fine.spacing_mm.max()) * float(np.sqrt(3)))
    _beside(values, known, scene, fine)
    place = tuple(crushed.nodes.T)
    values[place], known[place] = crushed.moved_mm, True
    border = np.ones(fine.shape, bool)
    border[1:-1, 1:-1, 1:-1] = False
    values[border] = wide.at(fine.to_mm(np.argwhere(border)))
    known |= border
    smooth = DisplacementGrid(grid=fine, moved_mm=fill_smoothly(values, known))
    return Field(coarse=wide, fine=smooth, pieces=_pieces(scene, upper, arch))


def _pieces(scene: CrushScene, upper: Rigid, arch: Rigid) -> tuple[RigidGroup, ...]:
    """The crushed vertebra's own arch, beyond its joint with the body, then the bones next to it."""
    target = scene.target
    away = ndimage.distance_transform_edt(~target.body, sampling=target.grid.spacing_mm)
    found = []
    own = target.arch & (away > BLEND_MM)
    if own.any():
        found.append(RigidGroup(mask=own, grid=target.grid, back=arch.back))
    for beside, motion in ((scene.above[-1:], upper), (scene.below[:1], STILL)):
        found += [RigidGroup(mask=other.body | other.arch, grid=other.grid, back=motion.back) for other in beside]
    return tuple(found)


def _bones(
    scene: CrushScene, grid: Grid, upper: Rigid, arch: Rigid, reach_mm: float
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Displacements of the nodes in and next to rigid bones (the nearest bone counts), and which those are."""
    places = grid.to_mm(np.moveaxis(np.indices(grid.shape), 0, -1))
    values, nearest = np.zeros((*grid.shape, 3)), np.full(grid.shape, np.inf)
    groups = [(scene.above, upper), (scene.below, STILL), ((scene.target,), arch)]
    for vertebrae, motion in groups:
        for vertebra in vertebrae:
            mask = vertebra.arch if vertebra is scene.target else vertebra.body | vertebra.arch
            away = distance_from(mask, vertebra.grid, grid, reach_mm)
            closer = (away <= reach_mm) & (away < nearest)
            values[closer] = motion.displacement(places[closer])
            nearest[closer] = away[closer]
    known = np.isfinite(nearest)
    column = _column_above(scene, places) & ~known
    values[column] = upper.displacement(places[column])
    return values, known | column


def distance_from(mask: NDArray[np.bool_], source: Grid, target: Grid, reach_mm: float) -> NDArray[np.float64]:
    """Distance of the nodes of a grid from a mask on another, mm; infinite beyond the mask's own crop and reach."""
    margin = np.ceil(reach_mm / source.spacing_mm).astype(int) + 2
    padded = np.pad(mask, [(int(m), int(m)) for m in margin])
    away = ndimage.distance_transform_edt(~padded, sampling=source.spacing_mm)
    matrix = np.linalg.inv(source.affine) @ target.affine
    return np.asarray(
        ndimage.affine_transform(
            away, matrix[:3, :3], matrix[:3, 3] + margin, target.shape, order=1, mode="constant", cval=np.inf
        )
    )


def _beside(values: NDArray[np.float64], known: NDArray[np.bool_], scene: CrushScene, grid: Grid) -> None:
    """Free the arch's nodes near the body: there the crushed wall and the rigid arch are joined smoothly."""
    target = scene.target
    near = distance_from(target.body, target.grid, grid, BLEND_MM) <= BLEND_MM
    own = distance_from(target.arch, target.grid, grid, BLEND_MM) <= float(grid.spacing_mm.max()) * float(np.sqrt(3))
    free = near & own
    others = np.zeros(grid.shape, bool)
    for vertebra in (*scene.above, *scene.below):
        others |= distance_from(vertebra.body | vertebra.arch, vertebra.grid, grid, 1.0) <= 1.0
    known[free & ~others] = False


def _column_above(scene: CrushScene, places_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Places near the line of the bodies above the disc that lies on the crushed one."""
    target = scene.target
    local = target.to_local_mm(places_mm)
    top = 0.0 if target.superior is None else float(np.nanmax(target.superior.superior_mm))
    line = [target.centroid_mm, *(v.centroid_mm for v in reversed(scene.above))]
    last = line[-1] - line[-2] if len(line) > 1 else target.axes[2]
    line.append(line[-1] + 1000 * last / np.linalg.norm(last))
    away = np.full(places_mm.shape[:-1], np.inf)
    for start, end in pairwise(line):
        along = end - start
        share = np.clip((places_mm - start) @ along / (along @ along), 0, 1)
        away = np.minimum(away, np.linalg.norm(places_mm - start - share[..., None] * along, axis=-1))
    return (local[..., 2] > top + DISC_MM) & (away <= COLUMN_MM)


def root_of_arch(target: Vertebra) -> NDArray[np.float64]:
    """Places (n, 3) in the body next to the arch: the pedicles' roots; none where the arch was not told apart."""
    if not target.arch.any():
        return np.zeros((0, 3))
    away = ndimage.distance_transform_edt(~target.arch, sampling=target.grid.spacing_mm)
    return target.grid.to_mm(np.argwhere(target.body & (away <= ROOT_MM)))
