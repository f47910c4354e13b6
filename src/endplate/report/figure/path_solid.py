"""The vertebra as a shaded solid with its needles: from behind, from the patient's left and from above."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.vertebra import Vertebra
from endplate.repair.access.access_result import Access
from endplate.repair.access.bone_surface import Surface, bone_surface
from endplate.report.figure import svg
from endplate.report.figure.bitmap import BONE_WINDOW_HU, grey_webp
from endplate.report.figure.path_needle import SIDE_COLOUR, needle_marks

PER_MM = 3.4
SMOOTH_MM = 0.8
"""Blur that takes the steps of voxels from the shading."""
LIGHT = np.array([-0.35, 0.45, 0.82])
"""Where light comes from: left, up and towards the reader of each picture; about a unit vector."""
DARKEST, LIGHTEST = 0.30, 0.96
TITLE, MARGIN_MM = 24.0, 4.0


@dataclass(frozen=True, slots=True, kw_only=True)
class _View:
    """A direction of sight: frame axes that run right, up and towards the reader, with their signs."""

    name: str
    right: tuple[int, int]
    up: tuple[int, int]
    near: tuple[int, int]
    marks: tuple[str, str]


# Axes of the frame: 0 right, 1 anterior, 2 superior.
VIEWS = (
    _View(name="from behind", right=(0, 1), up=(2, 1), near=(1, -1), marks=("left", "right")),
    _View(name="from the left", right=(1, -1), up=(2, 1), near=(0, -1), marks=("front", "back")),
    _View(name="from above", right=(0, 1), up=(1, 1), near=(2, 1), marks=("left", "right")),
)


def solid_figures(access: Access, vertebra: Vertebra) -> tuple[Markup, ...]:
    """Three views of the vertebra with the chosen needles; what lies within the bone shows through."""
    surface = bone_surface(vertebra)
    field = ndimage.gaussian_filter(surface.field, SMOOTH_MM / surface.box.step_mm)
    return tuple(_figure(view, field, surface, access, vertebra) for view in VIEWS)


def _figure(view: _View, field: NDArray[np.float32], surface: Surface, access: Access, vertebra: Vertebra) -> Markup:
    box = surface.box
    axes = (box.right_mm, box.anterior_mm, box.superior_mm)
    across, up = axes[view.right[0]] * view.right[1], axes[view.up[0]] * view.up[1]
    left, top = across.min() - MARGIN_MM, up.max() + MARGIN_MM
    width, height = ((values.max() - values.min() + 2 * MARGIN_MM) * PER_MM for values in (across, up))

    def project(xyz_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        local = vertebra.to_local_mm(np.asarray(xyz_mm, float))
        x = local[..., view.right[0]] * view.right[1] - left
        y = top - local[..., view.up[0]] * view.up[1]
        return np.asarray(np.stack([x, y], axis=-1) * PER_MM + np.array([0.0, TITLE]))

    inner = (width - 2 * MARGIN_MM * PER_MM, height - 2 * MARGIN_MM * PER_MM)
    shade = grey_webp(_shaded(field, view, box.step_mm))
    drawn = [svg.picture(MARGIN_MM * PER_MM, TITLE + MARGIN_MM * PER_MM, *inner, shade)]
    for path in access.paths:
        drawn += needle_marks(path, project, PER_MM, (width, TITLE + height))
    slug = view.name.replace(" ", "-")
    clip = f"clip-solid-{slug}-{access.level}-{access.procedure}"
    parts = [
        svg.element("clipPath", svg.rectangle(0, TITLE, width, height), id=clip),
        svg.group(drawn, clip_path=f"url(#{clip})"),
        svg.text(2, 16, f"{access.level} {view.name}", class_="strip-line"),
        svg.text(4, TITLE + height - 6, view.marks[0].upper(), class_="side-mark", data_side=view.marks[0]),
        svg.text(
            width - 4,
            TITLE + height - 6,
            view.marks[1].upper(),
            class_="side-mark",
            text_anchor="end",
            data_side=view.marks[1],
        ),
    ]
    return svg.drawing(
        width, TITLE + height, _alt(view, access), parts, f"solid-{slug}-{access.level}-{access.procedure}", plate=True
    )


def _shaded(field: NDArray[np.float32], view: _View, step_mm: float) -> NDArray[np.float32]:
    """Grey picture (rows, columns) on the display scale of CT: the nearest surface, lit from the upper left."""
    turned = np.transpose(field, (view.up[0], view.right[0], view.near[0]))
    # Rows from top to bottom, columns from left to right, depth from the reader inwards.
    turned = turned[:: -view.up[1], :: view.right[1], :: -view.near[1]]
    inside = turned >= 0.5
    hit = inside.any(axis=2)
    first = inside.argmax(axis=2).astype(float)
    rows, columns = np.nonzero(hit)
    depth = np.clip(first[hit].astype(int), 1, turned.shape[2] - 1)
    here, before = turned[rows, columns, depth], turned[rows, columns, depth - 1]
    first[hit] = depth - np.clip((here - 0.5) / np.maximum(here - before, 1e-6), 0, 1)
    towards = np.where(hit, -first * step_mm, np.nan)
    down, along = np.gradient(np.where(hit, towards, np.nanmin(towards)), step_mm)
    normal = np.stack([-along, down, np.ones_like(along)], axis=-1)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    light = np.clip(normal @ (LIGHT / np.linalg.norm(LIGHT)), 0, 1)
    shade = np.where(hit, DARKEST + (LIGHTEST - DARKEST) * light, 1.0)
    low, high = BONE_WINDOW_HU
    return (low + shade * (high - low)).astype(np.float32)


def _alt(view: _View, access: Access) -> str:
    needles = " and ".join(f"a {path.needle.name} needle from the {path.side}" for path in access.paths) or "no needle"
    colours = ", ".join(
        f"{path.side} {'blue' if SIDE_COLOUR[path.side] == SIDE_COLOUR['left'] else 'orange'}" for path in access.paths
    )
    return f"{access.level} {view.name}, shaded, with {needles}" + (f" ({colours})." if colours else ".")
