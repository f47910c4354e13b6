"""What the balloons leave: the moved, compacted bone and its cavity, back on the grid that the bone came on."""

from __future__ import annotations

import copy
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from endplate.biomechanics.sampling import BoneField
from endplate.biomechanics.shell_layer import ShellMineral
from endplate.numerics.mpm.foam import FoamLaw
from endplate.numerics.mpm.particles import Particles
from endplate.numerics.mpm.particles_to_voxels import VoxelFields, particles_to_voxels
from endplate.repair.kyphoplasty.body_model import BodyModel
from endplate.repair.site.bone import Bone, FractureZone, inside_body


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DeflatedBone:
    """The bone afterwards.

    Attributes
    ----------
    bone : on the same grid; its fill counts the cavity as inside. compaction : (I, J, K) density over the density that
    the same bone had, 1 where there is none. mass_error : of bone and drillings together, relative.
    """

    bone: Bone
    compaction: NDArray[np.float32]
    cavity_ml: float
    mass_error: float


def deflated_bone(bone: Bone, model: BodyModel) -> DeflatedBone:
    """Lay the points of the bone back on voxels; arch and processes stay as they are.

    Points carry the mineral that the sampled density lacks. It is told apart again here, so that the bone before and
    after hold the same kinds of mineral in the same places, and strengths before and after compare like with like.
    """
    only = copy.copy(model.engine)
    only.particles = model.engine.particles.keep(model.bone)
    found = particles_to_voxels(only)
    start = np.maximum(found.start_density_g_cm3, 1e-9)
    compaction = np.where(found.fill > 0, found.density_g_cm3 / start, 1.0).astype(np.float32)
    source = _source(bone, found)
    grid = bone.field.grid
    lacking = _lacking(bone, only.particles)[source]
    return DeflatedBone(
        bone=replace(
            bone,
            field=_field(bone, found, lacking),
            shell=_shell(bone, found, source, lacking),
            softening=_softening(bone, model.engine.law, found, source, loose=model.loose),
            cavity=found.cavity.astype(np.float32),
            zone=_moved(bone.zone, source),
            crushed=np.where(found.fill > 0, found.hardening, 0).astype(np.float32),
            finer=None,
        ),
        compaction=compaction,
        cavity_ml=float(found.cavity.sum()) * grid.voxel_mm3 / 1000,
        mass_error=(found.mass_mg + model.drilled_mg) / model.bone_mg - 1,
    )


def _lacking(bone: Bone, points: Particles) -> NDArray[np.float64]:
    """(I, J, K) share of the mineral that came from each voxel which its sampled density lacks."""
    out = np.zeros(bone.field.grid.shape)
    origin = bone if bone.finer is None else bone.finer
    if origin.shell is None:
        return out
    grid = origin.field.grid
    last = np.array(grid.shape) - 1
    first = tuple(np.clip(np.floor(points.start / float(grid.spacing_mm[0])).astype(np.int64), 0, last).T)
    sampled = origin.field.density_mg_cm3[first] / 1000
    own = np.clip(1 - sampled / np.maximum(points.start_density(), 1e-9), 0, 1)
    extra = np.where(origin.shell.missing_mg[first] > 0, own, 0) * points.mass
    whole = np.bincount(points.voxel, points.mass, out.size)
    return np.asarray((np.bincount(points.voxel, extra, out.size) / np.maximum(whole, 1e-12)).reshape(out.shape))


def _shell(
    bone: Bone, found: VoxelFields, source: tuple[NDArray[np.int64], ...], lacking: NDArray[np.float64]
) -> ShellMineral | None:
    """The mineral of the shell where it has moved to; its surface moves along unstretched."""
    if bone.shell is None:
        return None
    mass = found.fill * bone.field.grid.voxel_mm3 * found.density_g_cm3 * lacking
    area = np.where(mass > 0, bone.shell.area_mm2[source], 0)
    return replace(bone.shell, missing_mg=mass.astype(np.float32), area_mm2=area.astype(np.float32))


def _field(bone: Bone, found: VoxelFields, lacking: NDArray[np.float64]) -> BoneField:
    """Fill, body share and density of body and arch together, without the mineral that a sampled density lacks."""
    field = bone.field
    arch = np.clip(field.fill, 0, 1) - inside_body(field)
    body = np.clip(found.fill + found.cavity, 0, 1)
    total = np.clip(arch + body, 0, 1)
    mass = arch * field.density_mg_cm3 + found.fill * found.density_g_cm3 * (1 - lacking) * 1000
    solid = arch + found.fill
    return replace(
        field,
        fill=total.astype(np.float32),
        body=np.divide(body, np.maximum(arch + body, 1e-6)).astype(np.float32),
        density_mg_cm3=np.where(solid > 1e-6, mass / np.maximum(solid, 1e-6), 0).astype(np.float32),
    )


def _source(bone: Bone, found: VoxelFields) -> tuple[NDArray[np.int64], ...]:
    """Voxel (I, J, K) that the material now in each voxel came from; the voxel itself where there is none."""
    shape = bone.field.grid.shape
    motion = np.nan_to_num(found.came_from_mm) / float(bone.field.grid.spacing_mm[0])
    return tuple(
        np.clip(np.rint(index - motion[..., axis]).astype(np.int64), 0, shape[axis] - 1)
        for axis, index in enumerate(np.indices(shape))
    )


def _softening(
    bone: Bone, law: FoamLaw, found: VoxelFields, source: tuple[NDArray[np.int64], ...], *, loose: bool
) -> NDArray[np.float32]:
    """The zone's softening carried along, times the stiffness that fresh crushing cost."""
    before = np.zeros(bone.field.grid.shape) if bone.crushed is None or not loose else bone.crushed.astype(float)
    density = np.ones_like(before)
    now, then = (law.modulus(density, np.maximum(k, 0)) for k in (found.hardening, before[source]))
    fresh = np.where(found.fill > 0, np.minimum(now / then, 1), 1)
    return np.asarray(bone.softening[source] * fresh, dtype=np.float32)


def _moved(zone: FractureZone | None, source: tuple[NDArray[np.int64], ...]) -> FractureZone | None:
    if zone is None:
        return None
    return replace(zone, band=zone.band[source], cleft=zone.cleft[source], gap=zone.gap[source])
