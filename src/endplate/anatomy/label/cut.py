"""Labels that end in mid-scan: cut flat by the end of a block or a stack while the bone goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.label.resolution import THICK_MM
from endplate.anatomy.vertebra import Vertebra
from endplate.cited import cited
from endplate.finding import Caution, Gap

FLAT_SHARE = cited(
    0.95,
    "1",
    "Own choice: under 2.5 mm slices at most 0.53 of an endplate lies in one plane on 60 digital spines, 0.29 on real; "
    "where a body stands upright on slices of 2 mm it can be all",
    "design",
)
SECTION_SHARE = cited(0.9, "1", "Own choice: a cut shows the whole section, an endplate narrows to its rim", "design")
ARCH_SHARE = cited(
    0.4, "1", "Own choice: a cut goes through pedicles, laminae or facets; an arch that ends does so in a tip", "design"
)
SHORT_SHARE = cited(0.8, "1", "Own choice: bodies side by side differ by a slice and by some 15 % in length", "design")
WEDGED_DEG = cited(
    10,
    "deg",
    "Own choice: how far an endplate leans against its body's own axis, L5 and wedged levels",
    "design",
)
STEPS_CROSSED = cited(1.2, "1", "Own choice: an endplate that crosses more than one slice cannot lie in one", "design")
INSET_MM = cited(4, "mm", "Own choice: rims and leaning walls lie within this of the border", "design")

Side = Literal["above", "below"]


def check_cuts(vertebrae: Sequence[Vertebra]) -> tuple[list[Caution], list[Gap]]:
    """Cautions and gaps for labels that end in a plane of the grid across the whole body, inside the scan."""
    cautions, gaps = [], []
    lengths = {vertebra.level: _length_mm(vertebra) for vertebra in vertebrae if not vertebra.cut_by_field}
    for vertebra in vertebrae:
        others = [length for level, length in lengths.items() if level is not vertebra.level]
        short = bool(others) and _length_mm(vertebra) < float(SHORT_SHARE) * float(np.median(others))
        sides = () if vertebra.cut_by_field else cut_sides(vertebra, short=short)
        if sides:
            text = (
                f"the label of {vertebra.level} is cut: it ends flat {' and '.join(sides)}, in one plane of the grid "
                "over the whole body, inside the scan"
            )
            cautions.append(Caution(code="label_cut", level=vertebra.level, text=text))
            gaps.append(Gap(code="vertebra", level=vertebra.level, reason=text))
    return cautions, gaps


def cut_sides(vertebra: Vertebra, *, short: bool = False) -> tuple[Side, ...]:
    """On which sides a label is cut flat.

    An endplate is hollow, leans against the grid and narrows to its rim; a cut does none of these, and the processes
    end in its plane, cut through too. Where a body leans so far against the slices that its endplates cross several,
    the flat end alone shows it. Where slices are so thick that an endplate lies in one, the body must be `short` beside
    the others.
    """
    along = vertebra.axis_along
    up = float(vertebra.axes[2] @ vertebra.grid.affine[:3, along]) > 0
    body, arch = np.moveaxis(vertebra.body, along, 2), np.moveaxis(vertebra.arch, along, 2)
    edge, own = float(vertebra.grid.spacing_mm[along]), float(vertebra.edges_mm[along])
    slack = max(round(own / edge) - 1, 0)
    footprint = np.pad(body.any(axis=2), 1)
    depth = ndimage.distance_transform_edt(footprint, sampling=np.delete(vertebra.grid.spacing_mm, along))
    core = depth[1:-1, 1:-1] > float(INSET_MM)
    sure = _leans(vertebra, core, own)
    found: list[Side] = []
    sides: tuple[tuple[Side, bool], ...] = (("above", up), ("below", not up))
    for side, last in sides:
        step = -1 if last else 1
        if not core.any() or (own > float(THICK_MM) and not (sure or short)):
            continue
        if _flat(body[:, :, ::step], core, slack) and (sure or _arch_ends(body, arch, step, slack)):
            found.append(side)
    return tuple(found)


def _leans(vertebra: Vertebra, core: NDArray[np.bool_], edge_mm: float) -> bool:
    """Whether a body leans so far against the slices that its endplates cross more than one of them."""
    along = vertebra.axis_along
    normal = vertebra.grid.affine[:3, along] / vertebra.grid.spacing_mm[along]
    lean = np.arccos(min(abs(float(vertebra.axes[2] @ normal)), 1.0)) - np.deg2rad(float(WEDGED_DEG))
    area = float(core.sum()) * float(np.prod(np.delete(vertebra.grid.spacing_mm, along)))
    across = 2 * np.sqrt(area / np.pi)
    return bool(across * np.tan(max(lean, 0.0)) > float(STEPS_CROSSED) * edge_mm)


def _length_mm(vertebra: Vertebra) -> float:
    """How many slices a body lies in, as a length along the axis of the grid that runs along the spine, mm."""
    along = vertebra.axis_along
    others = tuple(axis for axis in range(3) if axis != along)
    return float(vertebra.body.any(axis=others).sum()) * float(vertebra.grid.spacing_mm[along])


def _flat(body: NDArray[np.bool_], core: NDArray[np.bool_], slack: int) -> bool:
    """Whether a body, seen from its end, begins in one plane over its whole section."""
    area = body.sum(axis=(0, 1))
    first = int(np.flatnonzero(area)[0])
    begins = np.where(body.any(axis=2), body.argmax(axis=2), body.shape[2])
    if (begins[core] <= first + slack).mean() < float(FLAT_SHARE):
        return False
    return bool(area[first : first + slack + 1].max() >= float(SECTION_SHARE) * np.median(area[area > 0]))


def _arch_ends(body: NDArray[np.bool_], arch: NDArray[np.bool_], step: int, slack: int) -> bool:
    """Whether the arch ends in the body's first plane, cut through there; so it is where there is no arch."""
    behind = arch[:, :, ::step].sum(axis=(0, 1))
    if not behind.any():
        return True
    first = int(np.flatnonzero(body[:, :, ::step].sum(axis=(0, 1)))[0])
    if int(np.flatnonzero(behind)[0]) != first:
        return False
    return bool(behind[first : first + slack + 1].max() >= float(ARCH_SHARE) * np.median(behind[behind > 0]))
