"""A body by formula for checks of the balloons: a box with a shell between flat endplates, and how to crush it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Endplate, Vertebra
from endplate.biomechanics.model_grid import own_grid
from endplate.biomechanics.sampling import BoneField
from endplate.image.volume import Grid
from endplate.level import Level
from endplate.numerics.mpm.engine import Engine
from endplate.numerics.mpm.foam import FOAM, FoamLaw
from endplate.numerics.mpm.load import Load, PointForce, Settings
from endplate.numerics.mpm.load_stepping import release
from endplate.numerics.mpm.particles import Particles
from endplate.repair.device.balloon import BALLOONS
from endplate.repair.kyphoplasty.body_model import BodyModel, body_model
from endplate.repair.kyphoplasty.course import InflationCourse
from endplate.repair.kyphoplasty.height_gain import TrackedPlates
from endplate.repair.kyphoplasty.placement import BalloonSite, immersed, site_at, to_model_mm
from endplate.repair.kyphoplasty.stepping import InflationRun
from endplate.repair.site.bone import COARSE_MM, Bone, halved

HALF_MM = np.array([21.0, 15.0, 13.5])
"""Half of the width, depth and height."""
SHELL_MM = 3.0
CRUSH_VOID_MPA = 0.05
"""While a box is crushed and let go, ten times what an inflation has: with less a soft one comes apart unloaded."""
XPANDER = BALLOONS["Xpander 15/3"]
UPRIGHT = np.array([[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]])


def box_vertebra() -> Vertebra:
    """The box in the scanner's axes, about the origin."""
    count = 58
    affine = np.eye(4)
    affine[:3, 3] = -(count - 1) / 2
    grid = Grid(shape=(count, count, count), affine=affine)
    local = grid.to_mm(np.moveaxis(np.indices(grid.shape), 0, -1)) @ UPRIGHT.T
    body = (np.abs(local) <= HALF_MM).all(axis=-1)
    return Vertebra(
        level=Level.L2,
        grid=grid,
        body=body,
        arch=np.zeros_like(body),
        fill=body.astype(np.float32),
        centroid_mm=np.zeros(3),
        axes=UPRIGHT,
        superior=_plate(1),
        inferior=_plate(-1),
        left=None,
        right=None,
        cut_by_field=False,
        cut_arch=False,
    )


def _plate(up: int) -> Endplate:
    right, anterior = (np.arange(-half + 2, half - 1.9, 0.5) for half in HALF_MM[:2])
    flat = np.full((right.size, anterior.size), up * HALF_MM[2])
    return Endplate(
        centre_mm=np.array([0.0, 0.0, up * HALF_MM[2]]),
        normal=up * UPRIGHT[2],
        right_mm=right,
        anterior_mm=anterior,
        superior_mm=flat,
        breach=np.zeros(flat.shape, bool),
        rim_mm=np.zeros((0, 3)),
    )


def box_bone(vertebra: Vertebra, voxel_mm: float, core_mg_cm3: float, shell_mg_cm3: float = 180.0) -> Bone:
    """Even bone of a density with a shell 3 mm thick, on cubes that lie evenly about the middle.

    Voxels that the border of the shell cuts hold the mean of both, so that every grid has the same mass of shell.
    """
    grid = own_grid(vertebra, voxel_mm)
    bone = _box_on(grid, vertebra, core_mg_cm3, shell_mg_cm3)
    if voxel_mm <= float(COARSE_MM) + 1e-6:
        return bone
    return replace(bone, finer=_box_on(halved(grid), vertebra, core_mg_cm3, shell_mg_cm3))


def _box_on(grid: Grid, vertebra: Vertebra, core_mg_cm3: float, shell_mg_cm3: float) -> Bone:
    """The box on a grid of cubes."""
    voxel_mm = float(grid.spacing_mm[0])
    local = vertebra.to_local_mm(grid.to_mm(np.moveaxis(np.indices(grid.shape), 0, -1)))
    fill, core = (_share(local, half, voxel_mm) for half in (HALF_MM, HALF_MM - SHELL_MM))
    outer = np.clip(1 - core / np.maximum(fill, 1e-6), 0, 1)
    density = (core_mg_cm3 + outer * max(shell_mg_cm3 - core_mg_cm3, 0.0)).astype(np.float32)
    zeros = np.zeros_like(fill)
    field = BoneField(grid=grid, fill=fill, body=zeros + 1, density_mg_cm3=density)
    return Bone(level=Level.L2, field=field, density_sd_mg_cm3=10.0, softening=zeros + 1, cavity=zeros)


def _share(local: NDArray[np.float64], half_mm: NDArray[np.float64], voxel_mm: float) -> NDArray[np.float32]:
    """Share of each voxel that lies in a box about the middle."""
    over = np.minimum(local + voxel_mm / 2, half_mm) - np.maximum(local - voxel_mm / 2, -half_mm)
    return np.asarray(np.clip(over / voxel_mm, 0, 1).prod(axis=-1).astype(np.float32))


def box_site(right_mm: float, superior_mm: float = 0.0) -> BalloonSite:
    """A balloon along the box, front to back."""
    tip = box_vertebra().to_world_mm(np.array([right_mm, 7.5, superior_mm]))
    return site_at(XPANDER, tip, UPRIGHT[1])


@dataclass(frozen=True, slots=True, eq=False)
class CrushedBox:
    """A box after a crush, let go: its points with all that they went through, supports and endplates.

    Attributes
    ----------
    heights_mm : (2, 3) anterior, middle and posterior before and after.
    """

    bone: Bone
    model: BodyModel
    plates: TrackedPlates
    heights_mm: NDArray[np.float64]


def crush(bone: Bone, loss: float, law: FoamLaw, *, wedge: bool) -> CrushedBox:
    """Press the upper plate down by a share of the height, in front only for a wedge, and let go."""
    settings = Settings(void_mpa=CRUSH_VOID_MPA)
    model = body_model(bone, law, [], 0.0, 0.0, loose=False, settings=settings)
    engine, plates = model.engine, TrackedPlates(box_vertebra())
    for name, points in (("upper", plates.upper_mm), ("lower", plates.lower_mm)):
        engine.carry(name, to_model_mm(bone.field.grid, points))
    before = _heights(bone, engine, plates)
    place = engine.particles.position[model.plate]
    under, front, back = place[:, 2].min(), place[:, 1].min(), place[:, 1].max()
    nodes, base, edge_mm = engine.node_mm, np.array(model.load.constrained), engine.spacing_mm
    along = np.clip((nodes[..., 1] - front) / (back - front), -0.2, 1.2) if wedge else 0 * nodes[..., 1]
    travel = loss * before[0] * (1 - along)
    steps = int(np.ceil(loss * before[0] / (0.3 * edge_mm)))
    for step in range(steps):
        up = nodes[..., 2] >= under + edge_mm / 2 - step / steps * travel - 1e-6
        move = np.zeros((*up.shape, 3))
        move[..., 2] = np.where(up, -travel / steps, 0)
        engine.step(Load(constrained=base | up[..., None], move=move))
    release(engine, np.broadcast_to(up[..., None], base.shape), Load(constrained=base), strict=True)
    return CrushedBox(bone, model, plates, np.array([before, _heights(bone, engine, plates)]))


def _heights(bone: Bone, engine: Engine, plates: TrackedPlates) -> NDArray[np.float64]:
    mm = [bone.field.grid.to_mm(engine.carried[name] / engine.spacing_mm - 0.5) for name in ("upper", "lower")]
    return np.array(plates.shape(*mm).heights_mm)


def inflate_crushed(
    box: CrushedBox, law: FoamLaw, sites: list[BalloonSite], planned_ml: float, preload_n: float
) -> InflationCourse:
    """Balloons in a box that keeps what the crush did to it; its density now is what it is packed to."""
    old, grid = box.model.engine, box.bone.field.grid
    cloud = old.particles.copy()
    cloud.start, cloud.start_volume = cloud.position.copy(), cloud.volume.copy()
    cloud.opened[:] = 0
    # what the crush locked in has relaxed by the time of the test
    cloud.stress[:] = 0
    balloons = [immersed(site, grid) for site in sites]
    drilled = np.zeros(cloud.size, bool)
    for balloon in balloons:
        drilled |= cloud.inside(balloon.surface)
    plate = np.isin(np.arange(cloud.size), box.model.plate)[~drilled]
    engine = Engine(cloud.keep(~drilled), law, grid.shape, old.spacing_mm, balloons=balloons)
    run = InflationRun(
        _held(box, engine, np.flatnonzero(plate), preload_n),
        box.bone,
        box.plates,
        [planned_ml] * len(sites),
        None,
        None,
        _quiet,
    )
    for name in ("upper", "lower"):
        engine.carry(name, old.carried[name])
    engine.carry("cortex", np.full((1, 3), -1000.0))
    return run.go()


def _held(box: CrushedBox, engine: Engine, plate: NDArray[np.int64], preload_n: float) -> BodyModel:
    """The same supports with another preload."""
    springs = tuple(
        replace(spring, points=plate, anchor_mm=engine.particles.position[plate].copy())
        for spring in box.model.load.springs
    )
    traction = (PointForce(plate, (0.0, 0.0, -preload_n)),) if preload_n > 0 else ()
    load = replace(box.model.load, springs=springs, traction=traction)
    foam = _foam(engine.particles)
    return BodyModel(engine=engine, load=load, plate=plate, bone=foam, bone_mg=1.0, drilled_mg=0.0, loose=True)


def _foam(cloud: Particles) -> NDArray[np.bool_]:
    return np.asarray(cloud.kind == FOAM)


def _quiet(fraction: float) -> None:
    """No progress to show."""
