"""Soft tissue round the digital spine: skin, fat, muscle, belly, vessels, canal, discs, and rods under the back.

Patient frame: LPS directions, mm, before any tilt. Everything but discs is an ellipse in the axial plane.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited, cited_table
from endplate.image.phantom.spec import K2HPO4_PER_HA_120_KVP, PhantomSpec
from endplate.image.phantom.stack import Placed
from endplate.image.volume import Grid

TRUNK_MM = cited_table(
    "phantom.trunk",
    "mm",
    "digital spine: trunk of a slender adult at waist height, spine in its posterior third",
    "design",
    {
        "half_width": 145.0,
        "front": -122.0,
        "back": 88.0,
        "fat": 18.0,
        "wall": 38.0,
        "margin": 12.0,
        "rod_gap": 14.0,
        "rod_pitch": 34.0,
        "rod_space": 40.0,
        "aorta_radius": 9.5,
        "aorta_ahead": 15.0,
        "vessel_aside": 13.0,
        "psoas_aside": 41.0,
        "psoas_width": 18.0,
        "psoas_depth": 24.0,
        "disc_at_the_end": 9.0,
    },
)
_HU = cited_table(
    "phantom.hu",
    "[hnsf'U]",
    "usual CT numbers of unenhanced organs, blood, thecal sac and disc at 120 kVp",
    "knowledge",
    {"organ": 38.0, "blood": 42.0, "sac": 22.0, "disc": 78.0, "vein": 20.0},
    cite="kalender_2011",
)
# Ellipses of the belly: (left, posterior) centre, half axes; mm.
_BELLY = cited_table(
    "phantom.belly",
    "mm",
    "digital spine: three soft masses in the belly's fat, for the picture and for the fat peak",
    "design",
    {"x0": -72.0, "y0": -50.0, "a0": 38.0, "b0": 36.0, "x1": 58.0, "y1": -58.0, "a1": 44.0, "b1": 30.0}
    | {"x2": -8.0, "y2": -84.0, "a2": 30.0, "b2": 16.0},
)
VEIN_HU = _HU["vein"]
_DISC_SHARE = cited(0.97, "1", "discs end just inside the rim", "design")


@dataclass(frozen=True, slots=True, kw_only=True)
class Ellipse:
    """An upright elliptic column: centre and half axes (scalars or arrays over z), mm, and its HU."""

    x: float
    y: NDArray[Any] | float
    half_width: NDArray[Any] | float
    half_depth: NDArray[Any] | float
    hu: float


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class SpineCourse:
    """How the spine runs: head-foot stations with the front wall, canal centre and canal half axes at each, mm."""

    z: NDArray[np.float64]
    front: NDArray[np.float64]
    canal: NDArray[np.float64]
    canal_half_width: NDArray[np.float64]
    canal_half_depth: NDArray[np.float64]

    def at(self, z: NDArray[Any], name: str) -> NDArray[Any]:
        """A quantity at heights z."""
        return np.asarray(np.interp(z, self.z, getattr(self, name)))


def course_of(upright: tuple[Placed, ...]) -> SpineCourse:
    """The course of an upright spine."""
    rows = []
    for placed in reversed(upright):
        back, rear = placed.body.back_mm, placed.arch.canal_back_mm
        canal = placed.to_world(np.array([0.0, (back + rear) / 2, 0.0]))
        front = placed.to_world(np.array([0.0, placed.body.front_mm, 0.0]))
        rows.append((canal[2], front[1], canal[1], placed.body.size.canal_mm / 2 - 1, (back - rear) / 2 - 1))
    z, front_y, canal_y, width, depth = np.array(rows).T
    return SpineCourse(z=z, front=front_y, canal=canal_y, canal_half_width=width, canal_half_depth=depth)


def columns(spec: PhantomSpec, course: SpineCourse, z: NDArray[Any]) -> Iterator[Ellipse]:
    """The columns of soft tissue at heights z, outermost first; each paints over the last."""
    trunk = TRUNK_MM
    middle, half = (trunk["front"] + trunk["back"]) / 2, (trunk["back"] - trunk["front"]) / 2
    for inset, hu in ((0.0, spec.fat_hu), (trunk["fat"], spec.muscle_hu)):
        yield Ellipse(x=0, y=middle, half_width=trunk["half_width"] - inset, half_depth=half - inset, hu=hu)
    wall = trunk["wall"]
    belly = trunk["front"] / 2 + wall / 4
    yield Ellipse(x=0, y=belly, half_width=trunk["half_width"] - wall, half_depth=half - wall, hu=spec.fat_hu)
    for number in "012":
        x, y, a, b = (_BELLY[name + number] for name in "xyab")
        yield Ellipse(x=x, y=y, half_width=a, half_depth=b, hu=_HU["organ"])
    front, canal = course.at(z, "front"), course.at(z, "canal")
    for side in (-1, 1):
        x = side * trunk["psoas_aside"]
        yield Ellipse(
            x=x, y=canal - 1, half_width=trunk["psoas_width"], half_depth=trunk["psoas_depth"], hu=spec.muscle_hu
        )
        radius = trunk["aorta_radius"] + side
        ahead = front - trunk["aorta_ahead"]
        yield Ellipse(x=side * trunk["vessel_aside"], y=ahead, half_width=radius, half_depth=radius, hu=_HU["blood"])
    width, depth = course.at(z, "canal_half_width"), course.at(z, "canal_half_depth")
    yield Ellipse(x=0, y=canal, half_width=width, half_depth=depth, hu=_HU["sac"])


def rods(spec: PhantomSpec) -> Iterator[Ellipse]:
    """The calibration rods, right to left by concentration."""
    if spec.rods is None:
        return
    to_k2hpo4 = K2HPO4_PER_HA_120_KVP if spec.rods.mineral == "HA" else 1.0
    first = -(len(spec.rods.mg_cm3) - 1) / 2
    for number, density in enumerate(spec.rods.mg_cm3):
        yield Ellipse(
            x=(first + number) * TRUNK_MM["rod_pitch"],
            y=TRUNK_MM["back"] + TRUNK_MM["rod_gap"],
            half_width=spec.rods.radius_mm,
            half_depth=spec.rods.radius_mm,
            hu=spec.to_hu(density * to_k2hpo4),
        )


def paint_trunk(spec: PhantomSpec, course: SpineCourse, grid: Grid, turn: NDArray[Any]) -> NDArray[np.float32]:
    """HU of soft tissue, air and rods on a grid; `turn` brings the patient frame to the world."""
    hu = np.empty(grid.shape, np.float32)
    to_patient = turn.T @ grid.affine[:3, :3]
    origin = turn.T @ grid.affine[:3, 3]
    j = np.arange(grid.shape[1], dtype=np.float32)[:, None]
    k = np.arange(grid.shape[2], dtype=np.float32)[None, :]
    edge = float(grid.spacing_mm.mean())
    for i in range(grid.shape[0]):
        # A coordinate keeps length 1 along an axis that does not change it: upright patients stay cheap.
        x, y, z = (
            np.atleast_2d(np.float32(origin[row] + to_patient[row, 0] * i))
            + (to_patient[row, 1] * j if to_patient[row, 1] else 0)
            + (to_patient[row, 2] * k if to_patient[row, 2] else 0)
            for row in range(3)
        )
        slab = np.full(hu.shape[1:], spec.air_hu, np.float32)
        for column in (*columns(spec, course, z), *rods(spec)):
            _paint(slab, column, x, y, edge)
        hu[i] = slab
    return hu


def _paint(slab: NDArray[np.float32], column: Ellipse, x: NDArray[Any], y: NDArray[Any], edge_mm: float) -> None:
    away = np.abs(x - column.x)
    if away.min() > np.max(column.half_width) + edge_mm:
        return
    radius = np.hypot(away / column.half_width, (y - column.y) / column.half_depth)
    cover = np.clip(0.5 - (radius - 1) * np.minimum(column.half_width, column.half_depth) / edge_mm, 0, 1)
    slab += cover * (column.hu - slab)


def paint_discs(hu: NDArray[np.float32], placed: tuple[Placed, ...], grid: Grid) -> None:
    """Discs between neighbours, and above and below the ends, drawn in place."""
    pairs = [(None, placed[0]), *pairwise(placed), (placed[-1], None)]
    for above, below in pairs:
        anchor = below or above
        if anchor is None:
            continue
        box = _disc_box(anchor, 1 if anchor is below else -1)
        at = grid.to_index(anchor.to_world(box))
        start = np.clip(np.floor(at.min(axis=0)), 0, grid.shape).astype(int)
        stop = np.clip(np.ceil(at.max(axis=0)), 0, grid.shape).astype(int)
        if np.any(stop <= start):
            continue
        i, j, k = (slice(a, b) for a, b in zip(start, stop, strict=True))
        crop = grid.crop(start, stop)
        points = crop.to_mm(np.stack(np.meshgrid(*(np.arange(n) for n in crop.shape), indexing="ij"), axis=-1))
        cover = np.clip(0.5 - _disc_distance(above, below, points) / float(grid.spacing_mm.mean()), 0, 1)
        hu[i, j, k] += cover.astype(np.float32) * (_HU["disc"] - hu[i, j, k])


def _disc_box(anchor: Placed, side: int) -> NDArray[np.float64]:
    """(8, 3) local corners of a box that holds the disc on the upper (1) or lower (-1) side of a body."""
    size, end = anchor.body.size, TRUNK_MM["disc_at_the_end"]
    far = side * (size.posterior_mm * max(1, size.front_to_back) / 2 + size.disc_mm + 2 * end)
    x, y = size.width_mm / 2 + 1, size.depth_mm / 2 + 3
    return np.array([[a, b, c] for a in (-x, x) for b in (-y, y) for c in (0, far)])


def _disc_distance(above: Placed | None, below: Placed | None, points: NDArray[Any]) -> NDArray[Any]:
    gaps = []
    for placed, side in ((below, 1), (above, -1)):
        if placed is None:
            continue
        x, y, z = np.moveaxis(placed.to_local(points), -1, 0)
        plates = placed.body.endplates(x, y)
        gap = plates[0] - z if side == 1 else z - plates[1]
        slope = np.maximum(placed.body.radius_slope(x, y), 1e-3)
        gaps += [gap, (placed.body.radius(x, y) - _DISC_SHARE) / slope]
        if above is None or below is None:
            gaps.append(-gap - TRUNK_MM["disc_at_the_end"])
    return np.asarray(np.maximum.reduce(gaps))
