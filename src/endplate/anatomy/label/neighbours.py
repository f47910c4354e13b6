"""Do neighbouring bodies fit together: two labels in one body, one label over two, sizes out of line."""

from __future__ import annotations

from itertools import pairwise
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.cells import grown
from endplate.anatomy.surface import around, mask_points_mm
from endplate.anatomy.vertebra import Vertebra
from endplate.cited import cited
from endplate.finding import Caution, Gap
from endplate.level import Level

SHARED_FACE = cited(
    0.35, "1", "Own choice: two bodies with a disc between them touch at rims and bridges only", "design"
)
SECOND_BODY = cited(0.2, "1", "Own choice: osteophytes and rib facets cut loose stay far below", "design")
TALL = cited(
    1.45, "1", "Own choice: levels differ by 7 % a step; a label over a disc or two bodies exceeds this", "design"
)
TALLEST_MM = cited(
    36, "mm", "Own choice: L3 of a large man (27.5 mm x 1.075 + 3 SD of 1.5 mm) and the lips of its rims", "design"
)
SLENDER = cited(
    1.2, "1", "Own choice: height over root of cross-section is 0.7-1.0 in intact bodies, 1.5 in two of them", "design"
)
FLAT = cited(0.12, "1", "Own choice: a body crushed by 80 % keeps this; fractures above it are allowed", "design")
WIDE = cited(1.6, "1", "Own choice: sections of neighbours differ by some 10 %, a wedge beside by a quarter", "design")
NARROW = cited(0.5, "1", "Own choice: as for `WIDE`; a body of this area is not wholly labelled", "design")


def check_neighbours(vertebrae: tuple[Vertebra, ...]) -> tuple[list[Caution], list[Gap]]:
    """Cautions and gaps from comparing bodies with their neighbours, head to foot.

    A low body is a fracture until shown otherwise and raises no flag, nor does the intact one beside it; a body far
    too tall for any single one, too wide or too narrow, or one that lies face to face with its neighbour without a
    disc, is a label error.
    """
    found: list[tuple[Vertebra, str, str]] = []
    for upper, lower in pairwise(vertebrae):
        share = shared_face(upper, lower)
        if share > SHARED_FACE:
            over = "the whole" if share >= 1 else f"{share:.0%}"
            for one, other in ((upper, lower), (lower, upper)):
                text = f"{one.level} touches {other.level} over {over} of its face: one body may carry two labels"
                found.append((one, "two_levels_in_one_body", text))
    found += _sizes(vertebrae)
    cautions = [Caution(code=code, level=vertebra.level, text=text) for vertebra, code, text in found]
    return cautions, [Gap(code="vertebra", level=vertebra.level, reason=text) for vertebra, _, text in found]


def check_lumps(lumps: list[tuple[Level, float, float]]) -> tuple[list[Caution], list[Gap]]:
    """Cautions and gaps for labels with a second large piece in front of the canal, and for the level it belongs to.

    Parameters
    ----------
    lumps : levels from head to foot, the second piece as a share of the body, and how far it lies above the body, mm.
    """
    cautions, gaps = [], []
    for place, (level, share, rise_mm) in enumerate(lumps):
        if share <= SECOND_BODY:
            continue
        found = [(level, f"{level} has a second piece in front of the canal, {share:.0%} of its body: a neighbour's")]
        beside = place - 1 if rise_mm > 0 else place + 1
        if 0 <= beside < len(lumps):
            other = lumps[beside][0]
            found.append((other, f"the label of {level} reaches into {other}, so that {other} may lack a part"))
        for who, text in found:
            code = "one_level_in_two_bodies" if who is level else "bleeding_shared"
            cautions.append(Caution(code=code, level=who, text=text))
            gaps.append(Gap(code="vertebra", level=who, reason=text))
    return cautions, gaps


def shared_face(upper: Vertebra, lower: Vertebra) -> float:
    """Area over which a body touches its neighbour's label, as a fraction of the smaller body's mean cross-section."""
    touching = max(_touching_mm2(upper, lower), _touching_mm2(lower, upper))
    return touching / max(min(section_mm2(upper), section_mm2(lower)), 1.0)


def _touching_mm2(one: Vertebra, other: Vertebra) -> float:
    """Area of a body's border that lies against any part of another vertebra, seen along the superior axis."""
    box = around(one.body)
    near = grown(np.pad(one.body[box], 1))
    start = np.rint(other.grid.to_index(one.grid.to_mm([side.start - 1 for side in box]))).astype(int)
    low, high = np.maximum(start, 0), np.minimum(start + near.shape, other.body.shape)
    if (high <= low).any():
        return 0.0
    there = tuple(slice(int(a), int(b)) for a, b in zip(low, high, strict=True))
    here = tuple(slice(int(a), int(b)) for a, b in zip(low - start, high - start, strict=True))
    touching = np.count_nonzero(near[here] & (other.body[there] | other.arch[there]))
    thickness = float(np.abs(one.axes[2] @ one.grid.affine[:3, :3]).max())
    return touching * one.grid.voxel_mm3 / thickness


def section_mm2(vertebra: Vertebra) -> float:
    """Mean cross-section of a body: volume over height."""
    return float(vertebra.body.sum()) * vertebra.grid.voxel_mm3 / max(body_height_mm(vertebra), 1.0)


def body_height_mm(vertebra: Vertebra) -> float:
    """Extent of a body along its superior axis without its outermost per cents, mm."""
    if vertebra not in _HEIGHTS:
        points = mask_points_mm(vertebra.body, vertebra.grid)
        low, high = np.percentile(vertebra.to_local_mm(points)[:, 2], [2, 98])
        _HEIGHTS[vertebra] = float(high - low)
    return _HEIGHTS[vertebra]


_HEIGHTS: WeakKeyDictionary[Vertebra, float] = WeakKeyDictionary()
"""Each comparison asks for it again; a vertebra never changes."""


def _sizes(vertebrae: tuple[Vertebra, ...]) -> list[tuple[Vertebra, str, str]]:
    whole = [vertebra for vertebra in vertebrae if not vertebra.cut_by_field]
    heights = np.array([body_height_mm(vertebra) for vertebra in whole])
    areas = np.array([section_mm2(vertebra) for vertebra in whole])
    found = []
    for place, vertebra in enumerate(whole):
        height, area = _against_neighbours(heights, place), _against_neighbours(areas, place)
        if height is None or area is None:
            continue
        tall = height > TALL and beyond_any_body(heights[place], areas[place])
        if tall or height < FLAT:
            text = f"body of {vertebra.level} is {height:.2f} times as high as its neighbours"
            found.append((vertebra, "height_out_of_line", text))
        if area > WIDE or area < NARROW:
            text = f"body of {vertebra.level} has {area:.2f} times the cross-section of its neighbours"
            found.append((vertebra, "volume_out_of_line", text))
    return found


def beyond_any_body(height_mm: float, section_mm2: float) -> bool:
    """Whether no single body is as high: an intact one beside crushed ones is tall, but not too tall for itself."""
    return height_mm > TALLEST_MM or height_mm > SLENDER * float(np.sqrt(section_mm2))


def _against_neighbours(values: NDArray[np.float64], place: int) -> float | None:
    """A value over the median of up to two values on either side; None without two to compare with."""
    near = [values[i] for i in range(max(place - 2, 0), min(place + 3, len(values))) if i != place]
    return float(values[place] / np.median(near)) if len(near) >= 2 else None
