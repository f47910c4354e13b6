"""Why there is no path, in one line: nothing found, a wall in the way, or a needle too thick and which would fit."""

from __future__ import annotations

from endplate.level import Level
from endplate.repair.access.access_result import NeedlePath, Side
from endplate.repair.access.access_walls import AccessWalls
from endplate.repair.access.clearance import describe, least_mm, refusal
from endplate.repair.device.needle import NEEDLES

PEDICLE_WALLS = ("medial", "lateral", "superior", "inferior")


def room_mm(path: NeedlePath) -> float:
    """Thickest needle, mm, that keeps the least margin to every pedicle wall on this path's axis."""
    radius = path.needle.outer_mm / 2
    walls = [wall for wall in PEDICLE_WALLS if wall in path.clearance_mm]
    return 2 * min(path.clearance_mm[wall] + radius - least_mm(path)[wall] for wall in walls)


def gauges_that_fit(path: NeedlePath) -> tuple[str, ...]:
    """Names of needles, thickest first, that keep every least margin on this path's axis."""
    radius = path.needle.outer_mm / 2
    most = 2 * min(clearance + radius - least_mm(path)[wall] for wall, clearance in path.clearance_mm.items())
    fitting = [needle for needle in NEEDLES.values() if needle.outer_mm <= most]
    return tuple(needle.name for needle in sorted(fitting, key=lambda needle: -needle.outer_mm))


def why_none(
    level: Level,
    paths: list[NeedlePath],
    missing: tuple[Side, ...],
    walls: dict[Side, AccessWalls | None],
) -> str:
    """The reason, side by side; `paths` from best to worst."""
    found = []
    for side in walls:
        mine = [path for path in paths if path.side == side]
        if side in missing:
            found.append(f"{side}: the pedicle or the canal was not found in the labels")
        elif mine:
            found.append(f"{side}: {_best_refused(mine)}")
    return f"no safe path into {level}: " + "; ".join(found)


def _best_refused(paths: list[NeedlePath]) -> str:
    """The best refused path of a side in words."""
    best = paths[0]
    words = f"{best.needle.name} {best.approach} {refusal(best)}"
    worst = min(best.clearance_mm, key=lambda wall: best.clearance_mm[wall] - least_mm(best)[wall])
    if worst not in PEDICLE_WALLS:
        return words
    fitting = gauges_that_fit(best)
    room = max(room_mm(best), 0.0)
    if fitting:
        return f"{words}; the {describe(worst)} leaves room for {room:.1f} mm, so {fitting[0]} or thinner would fit"
    return f"{words}; the {describe(worst)} leaves room for {room:.1f} mm, too little for any needle"
