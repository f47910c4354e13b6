"""A vertebra whose mechanics has a closed form: an upright block of even density in soft tissue, in any pose."""

from __future__ import annotations

import numpy as np
from scipy.spatial.transform import Rotation

from endplate.anatomy.vertebra import Vertebra
from endplate.bone.result import Calibration
from endplate.image.volume import Grid, Volume
from endplate.level import Level

CALIBRATION = Calibration(
    slope_mg_cm3_per_hu=0.8, offset_mg_cm3=0.0, route="given", sd_mg_cm3=10.0, source="made for the test"
)
HALF_MM = np.array([12.0, 10.0, 9.0])
"""Half the block's width, depth and height."""


def block_vertebra(
    hu: float = 200.0,
    spacing_mm: tuple[float, float, float] = (1.0, 1.0, 1.0),
    turn_deg: tuple[float, float, float] = (0.0, 0.0, 0.0),
    noise_hu: float = 0.0,
    cut_by_field: bool = False,
) -> tuple[Vertebra, Volume]:
    """A block of 24 x 20 x 18 mm, its fill exact to a few per cent by sub-sampling."""
    spacing = np.array(spacing_mm)
    shape = tuple(int(n) for n in np.ceil(44 / spacing))
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = -spacing * (np.array(shape) - 1) / 2 + 0.23
    grid = Grid(shape=shape, affine=affine)
    turn = Rotation.from_euler("xyz", turn_deg, degrees=True).as_matrix()
    axes = np.array([[-1.0, 0, 0], [0, -1.0, 0], [0, 0, 1.0]]) @ turn.T
    centres = grid.to_mm(np.moveaxis(np.indices(shape), 0, -1))
    steps = (np.arange(4) + 0.5) / 4 - 0.5
    fill = np.zeros(shape, np.float32)
    for offset in np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3):
        local = (centres + offset * spacing) @ axes.T
        fill += (np.abs(local) < HALF_MM).all(axis=-1)
    fill /= 64
    volume = np.where(fill > 0, fill * hu + (1 - fill) * 40.0, 40.0)
    volume += noise_hu * np.random.default_rng(4711).normal(size=shape)
    body = fill >= 0.5
    vertebra = Vertebra(
        level=Level.L2,
        grid=grid,
        body=body,
        arch=np.zeros(shape, bool),
        fill=fill,
        centroid_mm=np.zeros(3),
        axes=axes,
        superior=None,
        inferior=None,
        left=None,
        right=None,
        cut_by_field=cut_by_field,
        cut_arch=False,
    )
    return vertebra, Volume(grid=grid, hu=volume.astype(np.float32))
