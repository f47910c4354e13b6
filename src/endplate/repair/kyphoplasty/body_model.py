"""The large-strain model of a body between two discs and its arch: points, supports, preload, broken bone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.biomechanics.caps import CAP_MM, add_cap
from endplate.bone.material import MODULUS_FLOOR_MPA
from endplate.cited import cited
from endplate.numerics.mpm.engine import PAD, Engine
from endplate.numerics.mpm.foam import ELASTIC, FOAM, FoamLaw
from endplate.numerics.mpm.load import Load, PointForce, Settings, Spring
from endplate.numerics.mpm.particles import PER_EDGE, Particles, fill_cloud
from endplate.numerics.voxel.connected_components import largest_piece
from endplate.repair.kyphoplasty.elastic_arch import arch_points
from endplate.repair.kyphoplasty.placement import BalloonSite, immersed
from endplate.repair.site.bone import Bone, halves, inside_body
from endplate.repair.site.shell_factors import shell_factors

DISC_MPA = cited(
    10.0,
    "MPa",
    "healthy disc as a linear layer: 10 MPa, inside 5.8-42.7 MPa, gives 1500 N/mm at 1200 mm2 and 8 mm",
    "recomputed",
    cite="yang_2016",
)
PLATE_MPA = cited(500.0, "MPa", "Own choice: the next vertebra is a stiff plate beside a disc", "design")
PLATE_MM = cited(
    6.0,
    "mm",
    "Own choice: two voxels of the coarsest grid; on finer ones as many millimetres, not as many voxels",
    "design",
)
SHEAR_N_PER_MM = cited(
    100.0,
    "N/mm",
    "segment shear stiffness 53-140 N/mm (abstract), middle; keeps the upper plate in line",
    "verified",
    cite="miller_1986",
)
ROOM_MM = cited(12.0, "mm", "Own measurement: fragments leave a box with 6 mm of room at the end of 4 mL", "design")
MIN_SHARE = cited(0.05, "1", "Own choice: less bone in a voxel makes points of no weight", "design")
MIN_DENSITY_G_CM3 = cited(0.01, "g/cm3", "Own choice: marrow without bone still takes part, at 24 MPa", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class BodyModel:
    """A body ready to be inflated.

    Attributes
    ----------
    engine : with the balloons in their channels. load : preload, springs and support, held throughout.
    plate : points of the stiff plate above. bone : (n,) bool points that are bone. bone_mg : mass of bone before the
    channels were drilled, drilled_mg : lost in them. loose : whether the fracture has not healed.
    """

    engine: Engine
    load: Load
    plate: NDArray[np.int64]
    bone: NDArray[np.bool_]
    bone_mg: float
    drilled_mg: float
    loose: bool


def body_model(
    bone: Bone,
    law: FoamLaw,
    sites: Sequence[BalloonSite],
    preload_n: float,
    spring_n_per_mm: float,
    *,
    loose: bool,
    settings: Settings | None = None,
) -> BodyModel:
    """Bone between a held disc below and a disc with a stiff plate above, which carries the preload.

    Parameters
    ----------
    spring_n_per_mm : how stiffly what lies above holds the plate back along the axis, 0 for not at all.
    loose : the bone keeps the plastic strain of its fracture, so that it has lost its cohesion there; else it has
    healed and is as its density says.
    """
    grid = bone.field.grid
    edge_mm = float(grid.spacing_mm[0])
    share = np.where(inside_body(bone.field) >= MIN_SHARE, inside_body(bone.field) - bone.cavity, 0)
    body, _ = largest_piece(share >= 0.5)
    share[~ndimage.binary_dilation(body, np.ones((3, 3, 3)))] = 0
    cloud = _bone_points(bone, np.clip(share, 0, 1), law, edge_mm, loose=loose)
    upper = _layers(body, edge_mm)
    lower = tuple(part[:, :, ::-1] for part in _layers(body[:, :, ::-1], edge_mm))
    free = 1 - np.clip(share, 0, 1)
    for part in (upper[0], lower[0]):
        cloud = joined(cloud, _elastic_points(part & (free > 0), free, _disc_mpa(part, free, edge_mm), edge_mm))
    plate_mpa = _plate_mpa(edge_mm)
    cloud = joined(cloud, _elastic_points(upper[1] & (free > 0), free, plate_mpa, edge_mm))
    layer = upper[0] | upper[1] | lower[0]
    arch = arch_points(bone, law, layer, edge_mm)
    if arch is not None:
        cloud = joined(cloud, arch)
    balloons = [immersed(site, grid) for site in sites]
    drilled = np.zeros(cloud.size, bool)
    for balloon in balloons:
        drilled |= cloud.inside(balloon.surface)
    drilled_mg = float(cloud.mass[drilled & (cloud.kind == FOAM)].sum())
    cloud = cloud.keep(~drilled)
    room = max(PAD, round(ROOM_MM / edge_mm))
    engine = Engine(cloud, law, grid.shape, edge_mm, balloons=balloons, settings=settings, pad=room)
    plate = np.flatnonzero(upper[1].ravel()[cloud.voxel] & (cloud.own_modulus == plate_mpa))
    bottom = float(np.nonzero(lower[0].any(axis=(0, 1)))[0].min()) * edge_mm
    held = np.broadcast_to((engine.node_mm[..., 2] <= bottom + 1e-6)[..., None], (*engine.node_mm.shape[:3], 3))
    shear = SHEAR_N_PER_MM
    load = Load(
        constrained=held,
        springs=(Spring(plate, (shear, shear, spring_n_per_mm), cloud.position[plate].copy()),),
        traction=(PointForce(plate, (0.0, 0.0, -preload_n)),) if preload_n > 0 else (),
    )
    foam = cloud.kind == FOAM
    bone_mg = float(cloud.mass[foam].sum()) + drilled_mg
    return BodyModel(
        engine=engine, load=load, plate=plate, bone=foam, bone_mg=bone_mg, drilled_mg=drilled_mg, loose=loose
    )


def _bone_points(bone: Bone, share: NDArray[np.float32], law: FoamLaw, edge_mm: float, *, loose: bool) -> Particles:
    """Foam with the density of the bone; with the plastic strain that the fracture left where it has not healed.

    Where the voxels are coarse each point has the fill, density and strain of its own place: eight points that share
    those of a voxel smear the shell over it, which then bends by a third less (rows R26.1, R26.9).
    """
    if bone.finer is None:
        cloud = _foam(bone, share, law, edge_mm)
        if loose and bone.crushed is not None:
            cloud.hardening[:] = bone.crushed.ravel()[cloud.voxel]
        return cloud
    fine = np.where(halves(share > 0), inside_body(bone.finer.field) - halves(bone.cavity), 0)
    fine[fine < float(MIN_SHARE)] = 0
    cloud = _foam(bone.finer, np.clip(fine, 0, 1).astype(np.float32), law, edge_mm / 2, per_edge=1)
    if loose and bone.crushed is not None:
        own = bone.finer.crushed
        cloud.hardening[:] = _strain_at(bone, cloud) if own is None else own.ravel()[cloud.voxel]
    at = np.array(np.unravel_index(cloud.voxel, fine.shape)) // 2
    cloud.voxel[:] = np.ravel_multi_index(tuple(at), share.shape)
    return cloud


def _foam(bone: Bone, share: NDArray[np.float32], law: FoamLaw, edge_mm: float, per_edge: int = PER_EDGE) -> Particles:
    """Points of the bone in what it fills."""
    density, stiffer, stronger = shell_factors(bone, share, law)
    density = np.maximum(density, float(MIN_DENSITY_G_CM3))
    return fill_cloud(density, share, edge_mm, factor_e=stiffer, factor_y=stronger, per_edge=per_edge)


def _strain_at(bone: Bone, cloud: Particles) -> NDArray[np.float64]:
    """Plastic strain at the points (n,), between the centres of voxels that hold bone."""
    if bone.crushed is None:
        return np.zeros(cloud.size)
    empty = inside_body(bone.field) < float(MIN_SHARE)
    near = tuple(ndimage.distance_transform_edt(empty, return_distances=False, return_indices=True))
    index = cloud.position.T / float(bone.field.grid.spacing_mm[0]) - 0.5
    return np.asarray(ndimage.map_coordinates(bone.crushed[near].astype(float), index, order=1, mode="nearest"))


def _elastic_points(where: NDArray[np.bool_], share: NDArray[np.float32], modulus: float, edge_mm: float) -> Particles:
    """Points of a disc or plate in what the bone leaves free."""
    fill = np.where(where, share, 0)
    kind = np.full(fill.shape, ELASTIC, np.int8)
    stiff = np.full(fill.shape, max(modulus, MODULUS_FLOOR_MPA))
    return fill_cloud(np.zeros_like(fill), fill, edge_mm, kind=kind, modulus_mpa=stiff)


def _disc_mpa(part: NDArray[np.bool_], free: NDArray[np.float32], edge_mm: float) -> float:
    """Modulus with which a layer of whole voxels resists as the disc of its nominal thickness does."""
    area = float(part.any(axis=2).sum())
    thick = float((free * part).sum()) / max(area, 1.0) * edge_mm
    return float(DISC_MPA) * max(thick, edge_mm / 2) / float(CAP_MM)


def _plate_mpa(edge_mm: float) -> float:
    """Modulus with which a plate of whole voxels bends as one of its nominal thickness does."""
    return float(PLATE_MPA) * (float(PLATE_MM) / (_plate_voxels(edge_mm) * edge_mm)) ** 3


def _plate_voxels(edge_mm: float) -> int:
    return max(2, round(PLATE_MM / edge_mm))


def joined(one: Particles, other: Particles) -> Particles:
    """Both sets of points as one."""
    parts = {f.name: np.concatenate([getattr(one, f.name), getattr(other, f.name)]) for f in fields(Particles)}
    return Particles(**parts)


def _layers(body: NDArray[np.bool_], edge_mm: float) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Disc-like layer above a body with a flat outer face, and the plate on it."""
    disc = add_cap(body, np.zeros_like(body), edge_mm)
    columns = np.asarray(disc.any(axis=2))
    top = int(np.nonzero(disc.any(axis=(0, 1)))[0].max())
    k = np.arange(body.shape[2])
    return disc, columns[:, :, None] & (k > top) & (k <= top + _plate_voxels(edge_mm))
