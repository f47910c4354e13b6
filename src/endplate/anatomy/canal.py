"""The vertebral canal: the hole that body, pedicles and laminae enclose."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

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
    for closing_mm in map(float, CLOSING_MM.values()):
        found = [
            passage
            for start in range(0, len(box.superior_mm), max(1, round(SLAB_STEP_MM / box.step_mm)))
            if (passage := _hole_in_slab(inside, open_column, box, start, closing_mm)) is not None
        ]
        if found:
            return max(found, key=lambda passage: passage.area_mm2)
    return None


def _hole_in_slab(
    inside: NDArray[np.bool_], open_column: NDArray[np.bool_], box: LocalBox, start: int, closing_mm: float
) -> Passage | None:
    stop = start + round(SLAB_MM / box.step_mm)
    shadow = inside[:, :, start:stop].any(axis=2)
    if not shadow.any():
        return None
    radius = round(closing_mm / box.step_mm)
    ring = np.pad(shadow, radius + 1)
    if radius:
        ring = ndimage.distance_transform_edt(~ring) <= radius
        filled = ndimage.binary_fill_holes(ring)
        hole = ndimage.distance_transform_edt(filled & ~ring) > 0
        hole = (ndimage.distance_transform_edt(~hole) <= radius) & ~np.pad(shadow, radius + 1)
    else:
        hole = ndimage.binary_fill_holes(ring) & ~ring
    inner = hole[radius + 1 : -radius - 1, radius + 1 : -radius - 1] & open_column
    parts, count = ndimage.label(inner)
    if not count:
        return None
    sizes = np.bincount(parts.ravel())[1:]
    best = int(sizes.argmax()) + 1
    area = float(sizes[best - 1]) * box.step_mm**2
    if not SMALLEST_CANAL_MM2 <= area <= LARGEST_CANAL_MM2:
        return None
    x, y = np.nonzero(parts == best)
    top = min(stop, len(box.superior_mm)) - 1
    return Passage(
        right_mm=float(box.right_mm[x].mean()),
        anterior_mm=float(box.anterior_mm[y].mean()),
        superior_mm=float(box.superior_mm[start] + box.superior_mm[top]) / 2,
        half_width_mm=float(np.ptp(box.right_mm[x])) / 2,
        front_mm=float(box.anterior_mm[y].max()),
        area_mm2=area,
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
