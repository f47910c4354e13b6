"""A focal endplate node: a small dent, rim intact, such as a Schmorl node. No compression fracture by itself."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.endplate import robust_quadratic
from endplate.anatomy.vertebra import Endplate, Vertebra
from endplate.cited import cited

BREACH_DEPTH_MM = cited(2, "mm", "Own choice: a step that a 1 mm scan shows for certain", "design")
BREACH_STEPS = cited(1.5, "1", "Own choice: a dent is deeper than one step of the label's voxels", "design")
BREACH_INSET_MM = cited(3, "mm", "Own choice: the rim rolls off by over 2 mm within this of the border", "design")
BREACH_AREA_MM2 = cited(25, "mm2", "Own choice: smaller than a usual Schmorl node of 5-6 mm across", "design")
FOCAL_SHARE = cited(
    0.2, "1", "Own choice: a Schmorl node of 10-15 mm across; a broken endplate is dented over more", "design"
)
FOCAL_REACH = cited(0.5, "1", "Own choice: a node reaches over less than half of the endplate's depth", "design")
WALLS_MM = cited(1, "mm", "Own choice: the sloping walls of a dent, left out with it", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Dent:
    """A patch of an endplate that lies deep inside the body.

    Attributes
    ----------
    plate : which endplate. area_mm2, depth_mm : its opening, and how deep it is at its deepest tenth.
    cells : (nx, ny) of the endplate's map, with its walls. focal : small, and away from the rim all round.
    """

    plate: Literal["upper", "lower"]
    area_mm2: float
    depth_mm: float
    cells: NDArray[np.bool_]
    focal: bool


def find_dents(vertebra: Vertebra) -> tuple[Dent, ...]:
    """The largest dent of each endplate that is large enough to be seen for certain."""
    if vertebra not in _DENTS:
        _DENTS[vertebra] = _found(vertebra)
    return _DENTS[vertebra]


_DENTS: WeakKeyDictionary[Vertebra, tuple[Dent, ...]] = WeakKeyDictionary()
"""Heights and both discs of a level ask for its dents; a vertebra never changes."""


def _found(vertebra: Vertebra) -> tuple[Dent, ...]:
    edge = float(vertebra.edges_mm[vertebra.axis_along])
    found = []
    plates: tuple[tuple[Literal["upper", "lower"], Endplate | None, int], ...] = (
        ("upper", vertebra.superior, 1),
        ("lower", vertebra.inferior, -1),
    )
    for name, plate, up in plates:
        dent = None if plate is None else _dent(name, plate, up, edge)
        if dent is not None:
            found.append(dent)
    return tuple(found)


def _dent(name: Literal["upper", "lower"], plate: Endplate, up: int, edge_mm: float) -> Dent | None:
    if not plate.breach.any():
        return None
    least = max(float(BREACH_DEPTH_MM), float(BREACH_STEPS) * edge_mm)
    step = (float(plate.right_mm[1] - plate.right_mm[0]), float(plate.anterior_mm[1] - plate.anterior_mm[0]))
    seen = np.isfinite(plate.superior_mm)
    depth = fitted_depth_mm(plate, up)
    deep = plate.breach & (depth >= least)
    if not deep.any():
        return None
    from_rim = ndimage.distance_transform_edt(np.pad(seen, 1), sampling=step)[1:-1, 1:-1]
    patches, count = ndimage.label(deep & (from_rim > float(BREACH_INSET_MM)))
    if not count:
        return None
    sizes = np.bincount(patches.ravel())[1:]
    patch = patches == 1 + int(sizes.argmax())
    area = float(sizes.max()) * step[0] * step[1]
    if area < float(BREACH_AREA_MM2):
        return None
    away = ndimage.distance_transform_edt(~patch, sampling=step)
    return Dent(
        plate=name,
        area_mm2=area,
        depth_mm=float(np.percentile(depth[patch], 90)),
        cells=seen & (away <= float(WALLS_MM) + max(step)),
        focal=_focal(patch, deep, seen, step),
    )


def _focal(
    patch: NDArray[np.bool_], deep: NDArray[np.bool_], seen: NDArray[np.bool_], step: tuple[float, float]
) -> bool:
    """Whether a dent is small and its rim intact: all that is deep and hangs together with it stays off the border."""
    wholes, _ = ndimage.label(deep)
    whole = wholes == wholes[patch][0]
    at_border = bool((whole & ~ndimage.binary_erosion(seen)).any())
    rows = np.flatnonzero(whole.any(axis=0))
    plate_rows = np.flatnonzero(seen.any(axis=0))
    reach = (rows[-1] - rows[0] + 1) / (plate_rows[-1] - plate_rows[0] + 1)
    small = whole.sum() <= float(FOCAL_SHARE) * seen.sum() and reach <= float(FOCAL_REACH)
    return bool(small and not at_border)


def breach_area_mm2(plate: Endplate, up: int) -> float:
    """Area of the largest patch that lies at least 2 mm deeper than the endplate's robust fit, mm2.

    Parameters
    ----------
    plate : the endplate. up : +1 where the body lies below it, -1 where above.
    """
    dent = _dent("upper", plate, up, 0.0)
    return 0.0 if dent is None else dent.area_mm2


def fitted_depth_mm(plate: Endplate, up: int) -> NDArray[np.float64]:
    """(nx, ny) how far an endplate lies inside its robust fit, mm; 0 where it was not seen."""
    x, y = np.meshgrid(plate.right_mm, plate.anterior_mm, indexing="ij")
    seen = np.isfinite(plate.superior_mm)
    fit = robust_quadratic(x[seen], y[seen], plate.superior_mm[seen])
    terms = np.stack([np.ones_like(x), x, y, x * x, x * y, y * y], axis=-1)
    return np.where(seen, up * (terms @ fit - plate.superior_mm), 0)
