"""The vertebral canal: the hole that body, pedicles and laminae enclose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.shape_kernels import enclosed, largest_part, widest_hole
from endplate.anatomy.surface import LocalBox
from endplate.cited import cited, cited_table

SLAB_MM = cited(14, "mm", "Own choice: holds pedicles and laminae of one level, so that the ring is closed", "design")
SLAB_STEP_MM = cited(3, "mm", "Own choice: a fraction of the slab", "design")
OVERHANG_MM = cited(
    6, "mm", "Own choice: lamina that may hang over the canal when the axis is some degrees off", "design"
)
SMALLEST_CANAL_MM2 = cited(
    90, "mm2", "Half the usual thoracic canal area (about 180-200 mm2)", "knowledge", cite="panjabi_1991"
)
LARGEST_CANAL_MM2 = cited(
    900, "mm2", "Twice the usual upper limit of a lumbar canal (about 450 mm2)", "knowledge", cite="panjabi_1992"
)
BODY_DISC_SHARE = cited(0.75, "1", "Own choice: keeps the corners of a body, opens every process away", "design")
CLOSING_MM = cited_table(
    "canal.closing",
    "mm",
    "Own choice: gaps in the ring that are bridged, step by step, up to half the width of a canal",
    "design",
    {"none": 0, "thin lamina": 2, "slice": 4, "facet": 7, "pedicle or lamina missing": 10},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Passage:
    """The canal hole of one vertebra in a frame.

    Attributes
    ----------
    right_mm, anterior_mm, superior_mm : centre of the hole.
    half_width_mm : half its extent from left to right. front_mm : its most anterior coordinate.
    area_mm2 : cross-section of the hole. closed_mm : width of the gaps bridged to close the ring; 0 for a whole ring.
    """

    right_mm: float
    anterior_mm: float
    superior_mm: float
    half_width_mm: float
    front_mm: float
    area_mm2: float
    closed_mm: float


def find_passage(inside: NDArray[np.bool_], box: LocalBox) -> Passage | None:
    """The canal of one vertebra from its mask sampled in a frame with the superior axis along the spine.

    Parameters
    ----------
    inside : (nx, ny, nz) bool on `box`.

    Returns
    -------
    The largest hole enclosed by bone in any slab across the axis; gaps in the ring are bridged in growing steps when
    there is none. None when no ring can be made (a mask of the body alone).
    """
    # The hollow of a concave endplate is a ring too, but there is bone above or below it.
    open_column = inside.sum(axis=2) * box.step_mm <= OVERHANG_MM
    starts = np.arange(0, len(box.superior_mm), max(1, round(SLAB_STEP_MM / box.step_mm)))
    slices = np.ascontiguousarray(inside.transpose(2, 0, 1))
    least = int(np.ceil(SMALLEST_CANAL_MM2 / box.step_mm**2 - 1e-9))
    most = int(LARGEST_CANAL_MM2 / box.step_mm**2 + 1e-9)
    depth = round(SLAB_MM / box.step_mm)
    hole, start = widest_hole(slices, open_column, starts, depth, least, most)
    if start >= 0:
        return _passage(hole, box, int(start), 0.0)
    for closing_mm in list(map(float, CLOSING_MM.values()))[1:]:
        holes = [(_bridged_hole(slices, open_column, box, int(start), closing_mm), int(start)) for start in starts]
        sized = [(hole, start) for hole, start in holes if least <= hole.sum() <= most]
        if sized:
            hole, start = max(sized, key=lambda found: int(found[0].sum()))
            return _passage(hole, box, start, closing_mm)
    return None


def _bridged_hole(
    slices: NDArray[np.bool_], open_column: NDArray[np.bool_], box: LocalBox, start: int, closing_mm: float
) -> NDArray[np.bool_]:
    """The largest hole (nx, ny) in a slab whose ring is closed over gaps of a width."""
    shadow = np.asarray(slices[start : start + round(SLAB_MM / box.step_mm)].any(axis=0))
    if not shadow.any():
        return shadow
    radius = round(closing_mm / box.step_mm)
    ring = ndimage.distance_transform_edt(~np.pad(shadow, radius + 1)) <= radius
    hole = enclosed(ring)
    if hole.any():
        hole = (ndimage.distance_transform_edt(~hole) <= radius) & ~np.pad(shadow, radius + 1)
    return np.asarray(largest_part(hole[radius + 1 : -radius - 1, radius + 1 : -radius - 1] & open_column))


def _passage(hole: NDArray[np.bool_], box: LocalBox, start: int, closing_mm: float) -> Passage:
    x, y = np.nonzero(hole)
    top = min(start + round(SLAB_MM / box.step_mm), len(box.superior_mm)) - 1
    return Passage(
        right_mm=float(box.right_mm[x].mean()),
        anterior_mm=float(box.anterior_mm[y].mean()),
        superior_mm=float(box.superior_mm[start] + box.superior_mm[top]) / 2,
        half_width_mm=float(np.ptp(box.right_mm[x])) / 2,
        front_mm=float(box.anterior_mm[y].max()),
        area_mm2=len(x) * box.step_mm**2,
        closed_mm=closing_mm,
    )


def body_shadow(inside: NDArray[np.bool_], box: LocalBox) -> NDArray[np.bool_]:
    """Where the body lies (nx, ny) in the shadow of a vertebra along the axis.

    The shadow opened by a disc almost as large as the largest that fits: no process or lamina is as wide as a body,
    however low a fracture has left it.
    """
    shadow = np.pad(inside.any(axis=2), 1)
    depth = ndimage.distance_transform_edt(shadow)
    radius = BODY_DISC_SHARE * float(depth.max())
    core = depth >= radius
    parts, count = ndimage.label(core)
    if count > 1:
        core = parts == parts[np.unravel_index(int(depth.argmax()), depth.shape)]
    return np.asarray((ndimage.distance_transform_edt(~core) <= radius)[1:-1, 1:-1])
