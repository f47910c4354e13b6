"""Where a body is strained most: effective strain in a section through its middle, from front to back."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Vertebra
from endplate.biomechanics.result import Strength
from endplate.report.figure import svg
from endplate.report.figure.bitmap import ramp_picture
from endplate.report.figure.plane import outlines, sample

WIDTH, HEIGHT = 250.0, 232.0
PICTURE_TOP, PICTURE_BOTTOM = 26.0, 30.0
PIXEL_MM = 0.4
MARGIN_MM = 3.0
SLAB_MM = (-1.0, 0.0, 1.0)
TOP_OF_SCALE = 0.005
"""Strain at the top of the ramp, a fraction: one scale for every report, so that patients can be compared. Nine tenths
of a body lie below it at the last point before yield; what lies above gets a colour of its own."""
OUTLINE_SMOOTHING_MM = 0.7
"""Blur of the body's mask before it is outlined: takes the steps of the label's voxels, keeps a corner of 2 mm."""


def strain_figure(strength: Strength, vertebra: Vertebra) -> Markup | None:
    """One level's strain on the ramp of every report; None where no strain was kept."""
    if strength.strain is None:
        return None
    points = _plane(vertebra)
    field = np.mean([_strain(strength, points + offset * vertebra.axes[0]) for offset in SLAB_MM], axis=0)
    inside = _smooth(sample(vertebra.body, vertebra.grid, points, 0.0))
    field = np.where((inside > 0.5) & (field > 0), field / TOP_OF_SCALE, np.nan)
    scale = min(WIDTH / field.shape[1], (HEIGHT - PICTURE_TOP - PICTURE_BOTTOM) / field.shape[0])
    width, height = field.shape[1] * scale, field.shape[0] * scale
    left = (WIDTH - width) / 2
    parts = [svg.picture(left, PICTURE_TOP, width, height, ramp_picture(field.astype(np.float32)), class_="pixels")]
    offset = np.array([left, PICTURE_TOP])
    parts += [svg.path((line + 0.5) * scale + offset, class_="strain-outline") for line in outlines(inside)]
    parts += [
        svg.text(4, 17, str(strength.level), class_="strip-level"),
        svg.text(left, HEIGHT - 10, "front", class_="small"),
        svg.text(left + width, HEIGHT - 10, "back", class_="small", text_anchor="end"),
    ]
    return svg.drawing(WIDTH, HEIGHT, _alt(strength), parts, f"strain-{strength.level}-{strength.load_case}")


def _smooth(inside: NDArray[np.float32]) -> NDArray[np.float32]:
    """A sampled mask whose outline no longer shows the voxels."""
    from scipy.ndimage import gaussian_filter

    return np.asarray(gaussian_filter(inside, OUTLINE_SMOOTHING_MM / PIXEL_MM))


def _alt(strength: Strength) -> str:
    return f"{strength.level}: map of strain in a section through the middle of the body, patient's front at the left."


def _plane(vertebra: Vertebra) -> NDArray[np.float64]:
    """World points (rows, columns, 3) of the mid-sagittal plane over the body's extent, front at the left, top up."""
    local = vertebra.to_local_mm(vertebra.grid.to_mm(np.argwhere(vertebra.body)))
    low, high = local.min(axis=0) - MARGIN_MM, local.max(axis=0) + MARGIN_MM
    anterior = np.arange(high[1], low[1], -PIXEL_MM)
    superior = np.arange(high[2], low[2], -PIXEL_MM)
    plane = np.zeros((len(superior), len(anterior), 3))
    plane[..., 1], plane[..., 2] = anterior[None, :], superior[:, None]
    return vertebra.to_world_mm(plane)


def _strain(strength: Strength, points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Nearest-voxel strain: voxels of bone stay as the solver saw them, not smeared into pores."""
    field = strength.strain
    if field is None:
        return np.zeros(points.shape[:2], np.float32)
    index = np.rint(strength.grid.to_index(points)).astype(int)
    limit = np.array(strength.grid.shape) - 1
    inside = ((index >= 0) & (index <= limit)).all(axis=-1)
    i, j, k = np.moveaxis(np.clip(index, 0, limit), -1, 0)
    return np.where(inside, field[i, j, k], np.float32(0.0))
