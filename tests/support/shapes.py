"""Bodies by formula: vertebrae whose endplates are known functions, for tests of what is measured on them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from endplate.anatomy.vertebra import Endplate, Spine, Vertebra
from endplate.image.volume import Grid
from endplate.level import Level

Surface = Callable[[np.ndarray, np.ndarray], np.ndarray]
DEPTH_MM, WIDTH_MM = 32.0, 42.0
UPRIGHT = np.array([[-1.0, 0.0, 0.0], [0.0, -1.0, 0.0], [0.0, 0.0, 1.0]])


def plane(front_mm: float, back_mm: float, dip_mm: float = 0.0) -> Surface:
    """Half-height that runs from front to back at the height places, hollowed by `dip_mm` at the middle."""

    def height(x: np.ndarray, y: np.ndarray) -> np.ndarray:
        fraction = (DEPTH_MM / 2 - y) / DEPTH_MM
        line = front_mm + (back_mm - front_mm) * (fraction - 0.125) / 0.75
        return (line - dip_mm * np.clip(1 - ((fraction - 0.5) / 0.375) ** 2, 0, None)) / 2 + 0 * x

    return height


def vertebra(
    level: Level = Level.L2,
    upper: Surface | None = None,
    lower: Surface | None = None,
    *,
    step_mm: float = 1.0,
    axes: np.ndarray = UPRIGHT,
    at_mm: Sequence[float] = (0.0, 0.0, 0.0),
    cut: bool = False,
) -> Vertebra:
    """A box-shaped body between two surfaces (heights above and below its centre), without an arch."""
    upper = upper or plane(27, 27)
    lower = lower or upper
    axes, centre = np.asarray(axes, float), np.asarray(at_mm, float)
    count = round(58 / step_mm)
    affine = np.diag([step_mm, step_mm, step_mm, 1.0])
    affine[:3, 3] = centre - step_mm * (count - 1) / 2
    grid = Grid(shape=(count, count, count), affine=affine)
    index = np.stack(np.meshgrid(*[np.arange(count)] * 3, indexing="ij"), axis=-1)
    x, y, z = np.moveaxis((grid.to_mm(index) - centre) @ axes.T, -1, 0)
    body = (np.abs(x) <= WIDTH_MM / 2) & (np.abs(y) <= DEPTH_MM / 2) & (z <= upper(x, y)) & (z >= -lower(x, y))
    return Vertebra(
        level=level,
        grid=grid,
        body=body,
        arch=np.zeros_like(body),
        fill=body.astype(np.float32),
        centroid_mm=centre,
        axes=axes,
        superior=endplate(upper, 1, axes, centre),
        inferior=endplate(lower, -1, axes, centre),
        left=None,
        right=None,
        cut_by_field=cut,
        cut_arch=False,
    )


def endplate(surface: Surface, up: int, axes: np.ndarray = UPRIGHT, centre_mm: Sequence[float] = (0, 0, 0)) -> Endplate:
    """The exact map of a surface, inside the rim."""
    right = np.arange(-WIDTH_MM / 2 + 2, WIDTH_MM / 2 - 1.9, 0.5)
    anterior = np.arange(-DEPTH_MM / 2 + 2, DEPTH_MM / 2 - 1.9, 0.5)
    x, y = np.meshgrid(right, anterior, indexing="ij")
    return Endplate(
        centre_mm=np.asarray(centre_mm, float),
        normal=up * np.asarray(axes)[2],
        right_mm=right,
        anterior_mm=anterior,
        superior_mm=up * surface(x, y),
        breach=np.zeros(x.shape, bool),
        rim_mm=np.zeros((0, 3)),
    )


def spine(*vertebrae: Vertebra) -> Spine:
    return Spine(vertebrae=vertebrae, canal=None)


def stacked(heights: dict[str, tuple[float, float, float]]) -> Spine:
    """Upright bodies with (anterior, middle, posterior) heights by level, one above the other."""
    bodies, top = [], 0.0
    for name, (front, middle, back) in heights.items():
        surface = plane(front, back, (front + back) / 2 - middle)
        top -= max(front, back) + 8
        bodies.append(vertebra(Level(name), surface, at_mm=(0.0, 0.0, top)))
    return spine(*bodies)
