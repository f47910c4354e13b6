"""The walls about needles of one level as arrays: read in milliseconds, so that clearances follow a dragged needle."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import cKDTree

from endplate.anatomy.surface import LocalBox
from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.image.volume import Grid
from endplate.level import Level
from endplate.repair.access.access_result import Side
from endplate.repair.access.access_walls import NEIGHBOUR, AccessWalls, find_access_walls
from endplate.repair.access.assess_path import assess_line
from endplate.repair.access.bone_surface import Surface, bone_surface
from endplate.repair.access.search import search_line
from endplate.repair.access.target import find_target
from endplate.repair.device.needle import NEEDLES, OUTER_MM

SIDES: tuple[Side, ...] = ("left", "right")
_OF_SIDE = ("points", "normals", "kind", "isthmus", "along", "unsure_mm")
_NUMBERS = ("width_mm", "height_mm", "back_mm", "outward")


def write_walls(spine: Spine, vertebra: Vertebra, path: Path) -> tuple[Side, ...]:
    """Write the walls of both sides; returns the sides that have any."""
    surface = bone_surface(vertebra)
    arrays: dict[str, NDArray[Any]] = {
        "field": surface.field,
        "right_mm": surface.box.right_mm,
        "anterior_mm": surface.box.anterior_mm,
        "superior_mm": surface.box.superior_mm,
        "centroid_mm": vertebra.centroid_mm,
        "axes": vertebra.axes,
    }
    sides: list[Side] = []
    for side in SIDES:
        walls = find_access_walls(spine, vertebra, side, surface)
        if walls is None:
            continue
        sides.append(side)
        arrays |= {f"{side}_{name}": getattr(walls, name) for name in _OF_SIDE}
        arrays[f"{side}_start"] = np.stack(_start(walls))
        arrays[f"{side}_numbers"] = np.array([getattr(walls, name) for name in _NUMBERS], float)
    with path.open("wb") as stream:
        np.savez(stream, **arrays)  # type: ignore[arg-type]
    return tuple(sides)


def _start(walls: AccessWalls) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Entry and target (3,) LPS mm of the best line that the search finds through this pedicle, to begin with."""
    target = find_target(walls.surface, "hemibody", walls.outward, 0.0)
    line = search_line(walls, target, "transpedicular", float(OUTER_MM["13G"]) / 2)
    path = assess_line(walls, line, NEEDLES["13G"], "transpedicular")
    return path.entry_mm, path.target_mm


def read_starts(path: Path) -> dict[Side, NDArray[np.float64]]:
    """Entry and target (2, 3) LPS mm to begin with, by side."""
    with np.load(path, allow_pickle=False) as held:
        return {side: held[f"{side}_start"] for side in SIDES if f"{side}_start" in held}


def read_walls(path: Path, level: Level) -> dict[Side, AccessWalls]:
    """The walls of each side of a level, as `find_access_walls` gave them; nothing in the file is run."""
    with np.load(path, allow_pickle=False) as held:
        box = LocalBox(right_mm=held["right_mm"], anterior_mm=held["anterior_mm"], superior_mm=held["superior_mm"])
        none = np.zeros((0, 3))
        surface = Surface(box=box, field=held["field"], points=none, normals=none, of_body=np.zeros(0, bool))
        vertebra = _place(level, held["centroid_mm"], held["axes"])
        return {side: _side(held, side, surface, vertebra) for side in SIDES if f"{side}_points" in held}


def _side(held: Any, side: Side, surface: Surface, vertebra: Vertebra) -> AccessWalls:
    arrays = {name: held[f"{side}_{name}"] for name in _OF_SIDE}
    width, height, back, outward = (float(number) for number in held[f"{side}_numbers"])
    own = arrays["points"][arrays["kind"] != NEIGHBOUR]
    return AccessWalls(
        surface=surface, vertebra=vertebra, side=side, width_mm=width, height_mm=height, back_mm=back,
        outward=int(outward), tree=cKDTree(own), **arrays,
    )  # fmt: skip


def _place(level: Level, centroid_mm: NDArray[np.float64], axes: NDArray[np.float64]) -> Vertebra:
    """A vertebra that has a place and no voxels: all that a line is judged by."""
    empty = np.zeros((1, 1, 1), bool)
    return Vertebra(
        level=level, grid=Grid(shape=(1, 1, 1), affine=np.eye(4)), body=empty, arch=empty,
        fill=empty.astype(np.float32), centroid_mm=centroid_mm, axes=axes, superior=None, inferior=None, left=None,
        right=None, cut_by_field=False, cut_arch=False,
    )  # fmt: skip
