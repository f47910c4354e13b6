"""The bone that a repair works on: sampled once on the model's own grid, and turned into a model that can be loaded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Vertebra
from endplate.biomechanics.model import VOXEL_MM, ModelSettings
from endplate.biomechanics.model_grid import own_grid
from endplate.biomechanics.sampling import BoneField, sample_bone
from endplate.biomechanics.shell_layer import ShellMineral
from endplate.bone.result import Calibration
from endplate.cited import cited
from endplate.errors import LabelError
from endplate.image.volume import Grid, Volume
from endplate.level import Level
from endplate.short_repr import short_repr

COARSE_MM = cited(
    1.0,
    "mm",
    "Own measurement (rows R26.1, R26.1a): points of larger voxels need fill, density and strain of their own place; "
    "half a millimetre is below what a clinical CT resolves",
    "design",
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class FractureZone:
    """Where the bone is broken, on the grid of the bone.

    Attributes
    ----------
    band, cleft, gap : (I, J, K) bool: compacted bone, cleft (gas or fluid), gaps in cortex or endplate.
    signs : what was found, in words. opening_mm : width of the cleft, None without one.
    """

    band: NDArray[np.bool_]
    cleft: NDArray[np.bool_]
    gap: NDArray[np.bool_]
    signs: tuple[str, ...]
    opening_mm: float | None = None

    __repr__ = short_repr


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Bone:
    """A vertebra as the repair meets it, on cubes along its own axes.

    Attributes
    ----------
    field : fill, body share and density on `field.grid` (left, posterior, superior axes of the vertebra).
    density_sd_mg_cm3 : error band of the calibration. zone : the fracture, None where none was looked for.
    softening : (I, J, K) factor on modulus and strength, 1 where sound.
    cavity : (I, J, K) fraction of each voxel that is an empty cavity, zeros before a balloon.
    crushed : (I, J, K) equivalent plastic strain that the fracture left, 0 where sound; None where nothing is known.
    shell : mineral of the shell that the sampled density lacks; None where it was not looked for.
    finer : the same body on cubes of half the edge, eight in each of these, where these are too coarse for points that
    share what their voxel holds (`COARSE_MM`); None where they are not. Whoever changes `field` changes it too, or
    leaves it out; without a strain of its own it has that of `crushed`, interpolated.
    """

    level: Level
    field: BoneField
    density_sd_mg_cm3: float
    softening: NDArray[np.float32]
    cavity: NDArray[np.float32]
    zone: FractureZone | None = None
    crushed: NDArray[np.float32] | None = None
    shell: ShellMineral | None = None
    finer: Bone | None = None

    __repr__ = short_repr


def halved(grid: Grid) -> Grid:
    """Cubes of half the edge, eight in each of a grid's."""
    affine = grid.affine.copy()
    affine[:3, :3] /= 2
    affine[:3, 3] -= affine[:3, :3].sum(axis=1) / 2
    i, j, k = grid.shape
    return Grid(shape=(2 * i, 2 * j, 2 * k), affine=affine)


def halves(values: NDArray[Any]) -> NDArray[Any]:
    """Values (I, J, K) of cubes on the eight of half the edge in each."""
    return np.repeat(np.repeat(np.repeat(values, 2, axis=0), 2, axis=1), 2, axis=2)


def repair_bone(
    vertebra: Vertebra,
    volume: Volume,
    calibration: Calibration,
    voxel_mm: float = VOXEL_MM,
    zone: FractureZone | None = None,
    grid: Grid | None = None,
) -> Bone:
    """The bone of one vertebra on cubes along its own axes, sound and without a cavity.

    Parameters
    ----------
    voxel_mm : edge of the cubes. zone : kept with the bone; `find_zone` also softens it.
    grid : of such cubes; the vertebra's own where absent.

    Raises
    ------
    LabelError : the scan border cuts the body, or the mask holds none.
    OptionError : a voxel size for which the model has no meaning.
    """
    settings = ModelSettings(voxel_mm=voxel_mm)
    if vertebra.cut_by_field:
        raise LabelError(
            f"the border of the scan cuts the body of {vertebra.level}",
            "a repair of a part is not that of the whole",
            "use a scan that holds the whole body",
        )
    cubes = grid or own_grid(vertebra, voxel_mm)
    field = sample_bone(vertebra, volume, calibration, cubes, settings.smoothing_mm)
    if not (inside_body(field) >= 0.5).any():
        raise LabelError(
            f"the mask of {vertebra.level} holds no body", "nothing can be repaired", "check the labels of this level"
        )
    return Bone(
        level=vertebra.level,
        field=field,
        density_sd_mg_cm3=calibration.sd_mg_cm3,
        softening=np.ones(field.grid.shape, np.float32),
        cavity=np.zeros(field.grid.shape, np.float32),
        zone=zone,
    )


def inside_body(field: BoneField) -> NDArray[np.float32]:
    """(I, J, K) share of each voxel that lies inside the body's outer surface, cavities included."""
    return field.in_body


def centres_mm(bone: Bone, voxels: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Centres (n, 3) of marked voxels (I, J, K) in the frame of the large-strain model, mm."""
    return np.asarray((np.argwhere(voxels) + 0.5) * float(bone.field.grid.spacing_mm[0]), dtype=np.float64)


def body_ml(bone: Bone) -> float:
    """Volume inside the body's outer surface, mL."""
    return float(inside_body(bone.field).sum(dtype=np.float64)) * bone.field.grid.voxel_mm3 / 1000
