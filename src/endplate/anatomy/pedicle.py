"""The pedicles: the narrow bridges beside the canal from body to arch, left and right of the patient."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.cells import grown
from endplate.anatomy.frame import axes_from
from endplate.anatomy.shape_kernels import largest_part
from endplate.anatomy.split import PosteriorWall
from endplate.anatomy.surface import HALF_LEVEL, Frame, LocalBox, sample
from endplate.anatomy.vertebra import Pedicle
from endplate.cited import cited
from endplate.image.volume import Grid

STEP_MM = cited(
    0.5, "mm", "own algorithm, docs/theory.md, morphometry step 3: resample at 0.5 mm in the local frame", "design"
)
SIDEWAYS_MM = cited(45, "mm", "Own choice: an L5 pedicle beside the widest canal, turned by 40 degrees", "design")
WIDEST_MM = cited(
    21,
    "mm",
    "Own choice: an 18 mm L5 pedicle cut at 30 degrees; farther from the canal is transverse process",
    "design",
)
AROUND_MM = cited(24, "mm", "Own choice: half the height of a vertebra with its facets", "design")
BEHIND_WALL_MM = cited(1.5, "mm", "Own choice: behind the rough edge of the body", "design")
SMALLEST_MM2 = cited(8, "mm2", "Own choice: a 2.5 x 4 mm ellipse, below the narrowest thoracic pedicle", "design")
LARGEST_MM2 = cited(500, "mm2", "Own choice: twice an L5 pedicle of 18 x 16 mm", "design")
GROWN_WIDE = cited(1.5, "1", "Own choice: a section half as large again is body or arch", "design")
AXIS_REACH_MM = cited(4, "mm", "Own choice: sections on either side of the isthmus that give the axis", "design")
STILL_NARROW = cited(1.25, "1", "Own choice: sections hardly wider than the isthmus show the direction", "design")
STEEPEST_RISE = cited(0.36, "1", "Own choice: 20 degrees up or down, beyond usual pedicles", "design")
MAX_OUTWARD = cited(0.18, "1", "Own choice: 10 degrees, beyond T12, the one level that may diverge", "design")
STEEPEST_SLOPE = cited(0.84, "1", "Own choice: 40 degrees, beyond any pedicle's convergence (L5 about 30)", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Section:
    """A cut square to the anterior axis: centre (3,) in the frame, area, and full axes of its ellipse."""

    centre: NDArray[np.float64]
    area_mm2: float
    width_mm: float
    height_mm: float


def find_pedicles(
    field: NDArray[np.float32], grid: Grid, frame: Frame, wall: PosteriorWall
) -> tuple[Pedicle | None, Pedicle | None]:
    """Left and right pedicle of the patient.

    Parameters
    ----------
    field : (I, J, K) smooth indicator of the whole vertebra on `grid`.
    frame : the vertebra's frame. wall : its posterior wall and canal.

    Returns
    -------
    None for a side whose bridge is not closed between body and arch (lysis, surgery, cut by the field).
    """
    left, right = (_one_side(field, grid, frame, wall, side) for side in (-1, 1))
    return left, right


def _one_side(field: NDArray[np.float32], grid: Grid, frame: Frame, wall: PosteriorWall, side: int) -> Pedicle | None:
    canal, step = wall.canal, STEP_MM
    inner = canal.right_mm + side * canal.half_width_mm / 2
    outer = canal.right_mm + side * SIDEWAYS_MM
    front = wall.line[0] + wall.line[1] * canal.superior_mm - BEHIND_WALL_MM
    box = LocalBox(
        right_mm=np.arange(min(inner, outer), max(inner, outer), step),
        anterior_mm=np.arange(canal.anterior_mm - 2, max(front, canal.anterior_mm + 2) + step / 2, step),
        superior_mm=np.arange(canal.superior_mm - AROUND_MM, canal.superior_mm + AROUND_MM, step),
    )
    inside = sample(field, grid, frame, box) >= HALF_LEVEL
    sections = _sections(inside, box, side)
    if not sections:
        return None
    narrow = min(range(len(sections)), key=lambda index: sections[index].area_mm2)
    if not SMALLEST_MM2 <= sections[narrow].area_mm2 <= LARGEST_MM2:
        return None
    axis = _axis(sections, narrow, side)
    return _measured(field, grid, frame, wall, sections[narrow], axis)


def _sections(inside: NDArray[np.bool_], box: LocalBox, side: int) -> list[_Section]:
    """Cuts across the bridge from the body backwards; empty when there is no bridge.

    Just behind the body nothing but the pedicle lies beside the canal. Each cut is what is connected within the last
    one, a little widened, so that facets and processes do not join all at once; it ends where it has grown wide. A
    transverse process that springs from the pedicle itself (L5) is left out by its distance from the canal's side.
    """
    current = largest_part(np.ascontiguousarray(inside[:, -1]))
    if not current.any():
        return []
    found: list[_Section] = []
    smallest = np.inf
    for j in range(len(box.anterior_mm) - 1, -1, -1):
        current = _beside_canal(inside[:, j] & grown(current), box, side)
        x, z = np.nonzero(current)
        area = len(x) * box.step_mm**2
        smallest = min(smallest, area)
        if area < SMALLEST_MM2:
            return []
        if area > GROWN_WIDE * smallest:
            break
        centre = np.array([box.right_mm[x].mean(), box.anterior_mm[j], box.superior_mm[z].mean()])
        # The full axes of an ellipse are four times the standard deviations of its points.
        width, height = 4 * box.right_mm[x].std(), 4 * box.superior_mm[z].std()
        found.append(_Section(centre=centre, area_mm2=area, width_mm=float(width), height_mm=float(height)))
    return [section for section in found if section.area_mm2 <= GROWN_WIDE * smallest]


def _beside_canal(section: NDArray[np.bool_], box: LocalBox, side: int) -> NDArray[np.bool_]:
    """The part of a section (nx, nz) within the width of a pedicle from its own side towards the canal."""
    columns = section.any(axis=1)
    if not columns.any():
        return section
    away = side * box.right_mm
    return np.asarray(section & (away - away[columns].min() <= WIDEST_MM)[:, None])


def _axis(sections: list[_Section], narrow: int, side: int) -> NDArray[np.float64]:
    """Unit axis in the frame through the centres of the narrow sections about the isthmus, pointing forward."""
    isthmus = sections[narrow]
    near = np.array(
        [
            section.centre
            for section in sections
            if abs(section.centre[1] - isthmus.centre[1]) <= AXIS_REACH_MM
            and section.area_mm2 <= STILL_NARROW * isthmus.area_mm2
        ]
    )
    slopes = [np.polyfit(near[:, 1], near[:, axis], 1)[0] if len(near) > 3 else 0.0 for axis in (0, 2)]
    sideways = side * np.clip(side * slopes[0], -STEEPEST_SLOPE, MAX_OUTWARD)
    upwards = np.clip(slopes[1], -STEEPEST_RISE, STEEPEST_RISE)
    axis = np.array([sideways, 1.0, upwards])
    return np.asarray(axis / np.linalg.norm(axis))


def _measured(
    field: NDArray[np.float32],
    grid: Grid,
    frame: Frame,
    wall: PosteriorWall,
    isthmus: _Section,
    axis: NDArray[np.float64],
) -> Pedicle:
    """The pedicle with its oblique section turned square to the axis, and its length along the axis."""
    centre = isthmus.centre
    own = Frame(origin_mm=frame.to_world(centre), axes=axes_from(frame.axes[2], axis @ frame.axes))
    along = np.arange(-2 * AROUND_MM, STEP_MM, STEP_MM)
    line = LocalBox(right_mm=np.zeros(1), anterior_mm=along, superior_mm=np.zeros(1))
    bone = sample(field, grid, own, line)[0, :, 0] >= HALF_LEVEL
    back = -float(np.argmin(bone[::-1])) * STEP_MM if not bone.all() else along[0]
    reach = (wall.line[0] + wall.line[1] * centre[2] - centre[1]) / axis[1]
    return Pedicle(
        isthmus_mm=own.origin_mm,
        axis=axis @ frame.axes,
        width_mm=isthmus.width_mm * float(axis[1] / np.hypot(axis[0], axis[1])),
        height_mm=isthmus.height_mm * float(axis[1] / np.hypot(axis[1], axis[2])),
        length_mm=float(max(reach, 0.0) - back),
    )
