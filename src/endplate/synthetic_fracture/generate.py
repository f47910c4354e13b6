"""From an intact vertebra on a CT to a fractured one: crush it, move everything along, and keep what is true."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.bone.result import Calibration
from endplate.cited import cited
from endplate.errors import LabelError
from endplate.image.volume import Grid, LabelMap, Volume
from endplate.level import Level
from endplate.numerics.threads import one_blas_thread
from endplate.progress import Progress, silent
from endplate.short_repr import short_repr
from endplate.synthetic_fracture.crush import CrushedBody, CrushSettings, crush_body
from endplate.synthetic_fracture.heights import Body, intact_body
from endplate.synthetic_fracture.inverse_map import Field
from endplate.synthetic_fracture.motion import (
    STILL,
    Crushed,
    CrushScene,
    Rigid,
    best_rigid,
    distance_from,
    fine_grid,
    move_everything,
    root_of_arch,
)
from endplate.synthetic_fracture.plan import Collapse
from endplate.synthetic_fracture.warp import Warped, warp

RIM = cited(0.7, "1", "the outer ring of the upper endplate, on which the ring of the next body stands", "design")
NEXT_TO_BODY = cited(0.5, "1", "lattice steps beyond the labelled body that go with it", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SyntheticFracture:
    """A fractured spine with what was done to it.

    Attributes
    ----------
    upper : rigid motion of what stands on the crushed body. arch : of its own arch. field : of every place.
    lost_ml : labelled bone by level that left the field of the scan. seconds : by stage.
    """

    collapse: Collapse
    body: CrushedBody
    warped: Warped
    upper: Rigid
    arch: Rigid
    field: Field
    lost_ml: dict[Level, float]
    seconds: dict[str, float]

    __repr__ = short_repr


@one_blas_thread()
def make_fracture(
    volume: Volume,
    labels: LabelMap,
    spine: Spine,
    calibration: Calibration,
    collapse: Collapse,
    settings: CrushSettings | None = None,
    tell: Progress | None = None,
) -> SyntheticFracture:
    """Crush one vertebra of a scan.

    Parameters
    ----------
    volume, labels : on the same grid. spine : located in them. calibration : HU to density.
    tell : called with the stage, the fraction of it done and the level.

    Raises
    ------
    LabelError : the level is absent or has no endplates. OptionError : it could not be crushed so far.
    """
    settings, tell = settings or CrushSettings(), tell or silent
    target = spine.at(collapse.level)
    if target is None:
        raise LabelError(f"{collapse.level} is not in the labels", "", f"choose {levels_in(spine)}")
    scene = CrushScene(spine=spine, target=target, labels=labels)
    fine = fine_grid(scene, settings.voxel_mm)
    nodes = _nodes_of_body(target, fine)
    root, rim = root_of_arch(target), _rim(intact_body(target))
    start = time.perf_counter()
    marks = {"nodes": fine.to_mm(nodes), "rim": rim, "root": root}
    crushed = crush_body(
        target, volume, calibration, collapse, marks, settings, lambda share: tell("crush", share, str(collapse.level))
    )
    crushing = time.perf_counter() - start
    tell("warp", 0.0, "")
    upper = best_rigid(rim, rim + crushed.carried["rim"])
    arch = best_rigid(root, root + crushed.carried["root"]) if len(root) else STILL
    field = move_everything(scene, fine, Crushed(nodes=nodes, moved_mm=crushed.carried["nodes"]), upper, arch)
    warped = warp(volume, labels, target, calibration, field)
    tell("warp", 1.0, "")
    return SyntheticFracture(
        collapse=collapse,
        body=crushed,
        warped=warped,
        upper=upper,
        arch=arch,
        field=field,
        lost_ml=_lost_ml(scene, field),
        seconds={"crush": crushing, "warp": time.perf_counter() - start - crushing},
    )


def levels_in(spine: Spine) -> str:
    """The levels of a spine in words."""
    return ", ".join(str(vertebra.level) for vertebra in spine.vertebrae)


def _nodes_of_body(target: Vertebra, fine: Grid) -> NDArray[np.int64]:
    """Indices (n, 3) of the lattice's nodes in and right beside the body."""
    reach = NEXT_TO_BODY * float(fine.spacing_mm.max())
    return np.argwhere(distance_from(target.body, target.grid, fine, reach) <= reach)


def _rim(body: Body) -> NDArray[np.float64]:
    """Outer ring of the upper endplate (n, 3), LPS mm."""
    upper = body.surfaces.upper
    across, along = body.place(upper)
    return body.vertebra.to_world_mm(upper[np.hypot(across, 2 * along - 1) >= RIM])


def _lost_ml(scene: CrushScene, field: Field) -> dict[Level, float]:
    """Bone that was in the field before and is not any more, by level, mL."""
    grid = scene.labels.grid
    lost: dict[Level, float] = {}
    for vertebra in scene.spine.vertebrae:
        places = vertebra.grid.to_mm(np.argwhere(vertebra.body | vertebra.arch))
        index = grid.to_index(places + field.at(places))
        out = ((index < -0.5) | (index > np.array(grid.shape) - 0.5)).any(axis=1)
        if out.any():
            lost[vertebra.level] = float(out.sum()) * grid.voxel_mm3 / 1000
    return lost
