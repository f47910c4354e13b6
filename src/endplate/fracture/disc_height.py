"""Heights of the discs: between the endplates of neighbouring bodies, at the front, in the middle and at the back."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Endplate, Spine, Vertebra
from endplate.cited import cited
from endplate.finding import BAND_SD, Finding, Gap
from endplate.fracture.height.coarse import WANDER_SHARE, steps_sd_mm, wander_sd_mm
from endplate.fracture.height.extent import body_extent
from endplate.fracture.height.morphometry import READER_SD_MM, drawn_in, edge_along_superior_mm
from endplate.fracture.height.patch import BAND_HALF_MM, PLACES
from endplate.fracture.height.plate import plate_without_steps
from endplate.fracture.height.spread import BORDER_SD_MM
from endplate.fracture.node import find_dents
from endplate.fracture.result import Measured
from endplate.level import Level

PATCH_MM = cited(2, "mm", "own algorithm, docs/theory.md, morphometry step 5: as the heights of bodies", "design")
MAX_SD_MM = cited(
    1.5, "mm", "Own choice: known to +-3 mm, a lumbar disc of 8 to 12 mm is hardly told from none", "design"
)
PLANES_SD_MM = cited(
    0.4,
    "mm",
    "Own choice: the planes of two endplates read 2 mm apart along a disc that is wedged by 10 degrees",
    "design",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Disc:
    """The disc between two neighbouring levels: its height at the places where heights of bodies are read, mm."""

    upper: Level
    lower: Level
    anterior: Measured
    middle: Measured
    posterior: Measured


def measure_discs(spine: Spine) -> tuple[Disc, ...]:
    """Heights of every disc between labelled neighbours, from head to foot.

    Notes
    -----
    Along the mean of both bodies' superior axes, over the mid-sagittal band, at 12.5, 50 and 87.5 % of the depth of the
    upper body. The endplates are those of the bone: cartilage counts as disc. Focal nodes are bridged.
    """
    return tuple(
        _disc(upper, lower, spine) for upper, lower in pairwise(spine.vertebrae) if lower.level.follows(upper.level)
    )


def _disc(upper: Vertebra, lower: Vertebra, spine: Spine) -> Disc:
    reason = next((f"unreliable labels at {v.level}" for v in (upper, lower) if v.level in spine.distrusted), "")
    if not reason and (upper.inferior is None or lower.superior is None):
        reason = f"no {'lower' if upper.inferior is None else 'upper'} endplate of " + str(
            upper.level if upper.inferior is None else lower.level
        )
    values = {kind: Measured(value=None, reason=reason) for kind in PLACES}
    if not reason and upper.inferior is not None and lower.superior is not None:
        values = _measured(upper, lower, upper.inferior, lower.superior)
    return Disc(upper=upper.level, lower=lower.level, **values)


def _measured(upper: Vertebra, lower: Vertebra, above: Endplate, below: Endplate) -> dict[str, Measured]:
    extent = body_extent(upper)
    if extent is None:
        return {kind: Measured(value=None, reason="the body above has no mid-sagittal section") for kind in PLACES}
    sd = _sd_mm(upper, lower, above, below)
    if sd > MAX_SD_MM:
        coarse = drawn_in(edge_along_superior_mm(upper), upper)
        reason = f"{coarse} cannot carry the height of a disc: it is known to +-{float(BAND_SD) * sd:.0f} mm"
        return {kind: Measured(value=None, reason=reason) for kind in PLACES}
    axis = upper.axes[2] + lower.axes[2]
    axis = axis / np.linalg.norm(axis)
    top, bottom = _points(upper, above, "lower"), _points(lower, below, "upper")
    found = {}
    for kind, place in PLACES.items():
        front = extent.front_mm - place * extent.depth_mm
        centre = upper.to_world_mm(np.array([extent.middle_mm, front, 0.0]))
        ends = [_level(points, centre, axis, upper.axes[1]) for points in (top, bottom)]
        gap = ends[0] - ends[1]
        found[kind] = (
            Measured(value=gap, sd=sd, reader_sd=float(np.hypot(sd, READER_SD_MM)))
            if np.isfinite(gap)
            else Measured(value=None, reason="an endplate does not reach this place")
        )
    return found


def _points(vertebra: Vertebra, plate: Endplate, name: str) -> NDArray[np.float64]:
    """World points (n, 3) of an endplate in the mid-sagittal band, steps taken out and nodes bridged."""
    nodes: dict[str, NDArray[np.bool_]] = {dent.plate: dent.cells for dent in find_dents(vertebra) if dent.focal}
    edge = edge_along_superior_mm(vertebra)
    surface = plate_without_steps(plate, edge, nodes.get(name))
    x, y = np.meshgrid(plate.right_mm, plate.anterior_mm, indexing="ij")
    seen = np.isfinite(surface) & (np.abs(x) <= float(BAND_HALF_MM))
    return vertebra.to_world_mm(np.stack([x[seen], y[seen], surface[seen]], axis=-1))


def _level(
    points_mm: NDArray[np.float64],
    centre_mm: NDArray[np.float64],
    axis: NDArray[np.float64],
    forward: NDArray[np.float64],
) -> float:
    """Height of an endplate along an axis at a place, mm; NaN where it does not reach there."""
    across = forward - (forward @ axis) * axis
    away = (points_mm - centre_mm) @ (across / np.linalg.norm(across))
    near = np.abs(away) <= float(PATCH_MM) / 2
    return float(np.median((points_mm[near] - centre_mm) @ axis)) if near.sum() >= 5 else float("nan")


def _sd_mm(upper: Vertebra, lower: Vertebra, above: Endplate, below: Endplate) -> float:
    """Repeatability of a disc height: the steps and the wander of both labels, and the planes' own error, mm."""
    parts = [steps_sd_mm(v, plate) for v, plate in ((upper, above), (lower, below))]
    wander = [wander_sd_mm(v, plate) for v, plate in ((upper, above), (lower, below))]
    border = max(float(BORDER_SD_MM), float(WANDER_SHARE) * float(np.linalg.norm(wander)) / 2**0.5)
    return float(np.linalg.norm([*parts, border, float(PLANES_SD_MM)]))


def disc_findings(discs: Sequence[Disc]) -> tuple[Finding, ...]:
    """Heights of the discs as findings of the level above; the condition names both levels."""
    return tuple(finding for disc in discs for finding in _of_disc(disc))


def _of_disc(disc: Disc) -> Iterator[Finding]:
    for kind in PLACES:
        measured: Measured = getattr(disc, kind)
        if measured.value is None or measured.sd is None or measured.shown_sd is None:
            continue
        half = float(BAND_SD) * measured.shown_sd
        yield Finding(
            code=f"disc_{kind}_height",
            level=disc.upper,
            condition=f"{disc.upper}-{disc.lower}",
            value=measured.value,
            unit="mm",
            low=measured.value - half,
            high=measured.value + half,
            method="between the bony endplates along the mean axis of both bodies, mid-sagittal band; band: 95 % "
            f"between readers; repeatability +-{float(BAND_SD) * measured.sd:.1f} mm",
            source="Morphometry of docs/theory.md (design)",
        )


def disc_gaps(discs: Sequence[Disc], levels: Sequence[Level]) -> tuple[Gap, ...]:
    """Disc heights that could not be measured, and why; `levels` are all that are labelled."""
    alone = [level for level in levels if level not in {disc.upper for disc in discs}]
    without = "the level below is not in the labels"
    ends = tuple(Gap(code=f"disc_{kind}_height", level=level, reason=without) for level in alone for kind in PLACES)
    return ends + tuple(
        Gap(code=f"disc_{kind}_height", level=disc.upper, reason=f"{disc.upper}-{disc.lower}: {measured.reason}")
        for disc in discs
        for kind in PLACES
        if (measured := getattr(disc, kind)).value is None
    )
