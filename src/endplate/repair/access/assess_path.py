"""One needle on one line: angles, entry, clearance to every wall, and what it would break."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.repair.access.access_result import Approach, Breach, NeedlePath
from endplate.repair.access.access_walls import ENTRY, INFERIOR, LATERAL, MEDIAL, NAMES, SUPERIOR, AccessWalls
from endplate.repair.access.aim import counted_walls
from endplate.repair.access.distance import axis_distances
from endplate.repair.access.search import Line
from endplate.repair.device.arc import Arc, arc_between, aside
from endplate.repair.device.needle import Needle

AXIS_STEP_MM = cited(0.25, "mm", "Own choice: half a sample of the surface", "design")
AXIS_MM = cited(90.0, "mm", "Own choice: longer than any way through a vertebra from its front", "design")


def assess_path(
    walls: AccessWalls,
    entry_mm: NDArray[np.float64],
    target_mm: NDArray[np.float64],
    needle: Needle,
    approach: Approach = "transpedicular",
    ahead_mm: float = 0.0,
    bend_deg: float = 0.0,
) -> NeedlePath:
    """A needle along any straight line, judged against the walls.

    Parameters
    ----------
    walls : of the side that it goes in. entry_mm : (3,) LPS, any point of the axis behind the target.
    target_mm : (3,) LPS, where the tip (or a balloon's centre) comes to lie.
    ahead_mm : how far the channel goes on beyond the target, along its arc where it bends.
    bend_deg : by how much it turns towards the midline beyond the target, and across it; 0 for straight on.

    Returns
    -------
    The path with its clearances; `breaches` names each wall that the needle's surface would pass.
    """
    through, target = walls.vertebra.to_local_mm(entry_mm), walls.vertebra.to_local_mm(target_mm)
    direction = (target - through) / np.linalg.norm(target - through)
    line = Line(through=through, target=target, far=target + ahead_mm * direction)
    if bend_deg:
        side = aside(direction, np.array([-float(walls.outward), 0.0, 0.0]))
        arc = Arc(start_mm=target, direction=direction, side=side, length_mm=ahead_mm, bend_deg=bend_deg)
        line = Line(through=through, target=target, far=arc.at(1.0), bend_deg=bend_deg)
    return assess_line(walls, line, needle, approach)


def assess_line(walls: AccessWalls, line: Line, needle: Needle, approach: Approach) -> NeedlePath:
    """A needle along a line that the search found."""
    radius = needle.outer_mm / 2
    arc = _arc(line)
    end = line.far if arc is None else line.target
    back = line.through - end
    back = back / np.linalg.norm(back)
    axis = end + np.arange(radius if arc is None else 0.0, AXIS_MM, AXIS_STEP_MM)[:, None] * back
    # from the front end backwards, as the needle's axis behind it
    curve = _curve(arc, radius)[::-1]
    axis = np.concatenate([curve, axis]) if len(curve) else axis
    bone = walls.surface.inside(axis)
    entry = axis[int(np.nonzero(bone)[0].max())] if bone.any() else line.target
    clearance, nearest = _clearances(walls, (end, back), curve, radius, approach)
    for wall, (deep, place) in _outside(walls, axis[~bone], approach).items():
        clearance[wall], nearest[wall] = min(clearance.get(wall, 0.0), -(deep + radius)), place
    vertebra = walls.vertebra
    breaches = tuple(
        Breach(wall=wall, depth_mm=-value, at_mm=_triple(vertebra.to_world_mm(walls.points[nearest[wall]])))
        for wall, value in clearance.items()
        if value < 0
    )
    return NeedlePath(
        level=vertebra.level,
        side=walls.side,
        approach=approach,
        needle=needle,
        skin_mm=None,
        entry_mm=vertebra.to_world_mm(entry),
        target_mm=vertebra.to_world_mm(line.target),
        axial_deg=float(np.rad2deg(np.arctan2(walls.outward * back[0], -back[1]))),
        sagittal_deg=float(np.rad2deg(np.arctan2(back[2], -back[1]))),
        clearance_mm=clearance,
        min_clearance_mm=min(clearance.values()),
        length_mm=float(np.linalg.norm(end - entry)) + (0.0 if arc is None else arc.length_mm),
        breaches=breaches,
        tip_mm=vertebra.to_world_mm(line.far),
        band_mm={wall: float(walls.unsure_mm[index]) for wall, index in nearest.items()},
        bend_deg=line.bend_deg,
        middle_off_mm=None if arc is None else walls.outward * float(arc.at(0.5)[0]),
    )


def _arc(line: Line) -> Arc | None:
    """The arc of a line that has one."""
    if not line.bend_deg:
        return None
    return arc_between(line.target, line.target - line.through, line.far, line.bend_deg)


def _curve(arc: Arc | None, radius: float) -> NDArray[np.float64]:
    """(k, 3) places of the arc's axis up to where its round front end begins; none where there is no arc."""
    if arc is None:
        return np.empty((0, 3))
    places = np.arange(AXIS_STEP_MM, arc.length_mm - radius, AXIS_STEP_MM) / arc.length_mm
    return np.stack([arc.at(float(share)) for share in (*places, 1 - radius / arc.length_mm)])


def _clearances(
    walls: AccessWalls,
    needle: tuple[NDArray[np.float64], NDArray[np.float64]],
    curve: NDArray[np.float64],
    radius: float,
    approach: Approach,
) -> tuple[dict[str, float], dict[str, int]]:
    """Distance of the needle's surface to each wall that is there, and the index of that wall's nearest point.

    `needle` is its end and the direction back from it; `curve` (k, 3) are places of the arc beyond, none if straight.
    """
    end, back = needle
    counted = np.nonzero(counted_walls(walls, approach))[0]
    near = walls.points[counted], walls.kind[counted]
    rounding = 0.0 if len(curve) else radius
    distance, which = axis_distances(*near, end[None], back[None], rounding)
    if len(curve):
        # half-lines without a direction are points
        beyond, nearest = axis_distances(*near, curve, np.zeros_like(curve), 0.0)
        deepest = beyond.argmin(axis=0)
        codes = np.arange(distance.shape[1])
        closer = beyond[deepest, codes] < distance[0]
        which = np.where(closer, nearest[deepest, codes], which[0])[None]
        distance = np.where(closer, beyond[deepest, codes], distance[0])[None]
    seen = {name: code for code, name in enumerate(NAMES) if which[0, code] >= 0}
    clearance = {name: float(distance[0, code]) - radius for name, code in seen.items()}
    return clearance, {name: int(counted[which[0, code]]) for name, code in seen.items()}


def _outside(walls: AccessWalls, axis: NDArray[np.float64], approach: Approach) -> dict[str, tuple[float, int]]:
    """Walls that points of the axis lie beyond: depth of the deepest, and the index of the wall's point nearest to it.

    Behind the pedicle the needle comes from outside: only the canal counts there.
    """
    if not len(axis):
        return {}
    distance, index = walls.tree.query(axis)
    kind = walls.kind[index]
    counts = (kind == MEDIAL) | (axis[:, 1] >= walls.back_mm)
    counts &= kind != ENTRY
    if approach == "extrapedicular":
        counts &= ~np.isin(kind, (LATERAL, SUPERIOR, INFERIOR))
    found = {}
    for code in np.unique(kind[counts]):
        mine = np.nonzero(counts & (kind == code))[0]
        deepest = mine[int(distance[mine].argmax())]
        found[NAMES[code]] = (float(distance[deepest]), int(index[deepest]))
    return found


def _triple(point: NDArray[np.float64]) -> tuple[float, float, float]:
    return float(point[0]), float(point[1]), float(point[2])
