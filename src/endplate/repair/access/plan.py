"""The way in, planned: every side, route and needle tried, the best chosen, the rest ranked, or why there is none."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.image.volume import Volume
from endplate.repair.access.access_result import Access, Breach, NeedlePath, Procedure, Side
from endplate.repair.access.access_walls import AccessWalls, find_access_walls
from endplate.repair.access.arc_target import arc_targets
from endplate.repair.access.assess_path import assess_line
from endplate.repair.access.bone_surface import bone_surface
from endplate.repair.access.candidate import AccessCandidate, how_poor
from endplate.repair.access.clearance import verdict
from endplate.repair.access.given_line import given_access
from endplate.repair.access.needle_choice import (
    BalloonLength,
    balloon_lengths,
    check_balloon,
    needles_for,
    routes_for,
)
from endplate.repair.access.path_notes import path_notes
from endplate.repair.access.refusal_reason import why_none
from endplate.repair.access.search import search_line
from endplate.repair.access.settings import PathSettings
from endplate.repair.access.skin import Skin, find_skin
from endplate.repair.access.target import Depressed, Spot, Target, find_target
from endplate.repair.device.needle import reaching

OUTERMOST_GIVE_MM = 1e-6
"""Rounding of a place that lies on the limit."""


def plan_access(
    spine: Spine,
    vertebra: Vertebra,
    procedure: Procedure,
    settings: PathSettings | None = None,
    volume: Volume | None = None,
    depressed: Depressed | None = None,
) -> Access:
    """The needle paths into one vertebra.

    Parameters
    ----------
    spine : all vertebrae, for the canal and the joints beside the path. vertebra : the one to reach.
    procedure : decides target and needle. settings : choices; None takes what is usual.
    volume : the CT; with it the skin entry is found and lines through lung or bowel are refused.
    depressed : the endplate that came down, under which balloons are placed; None where neither did.

    Returns
    -------
    One or two paths whose every least margin holds, alternatives from best to worst, notes; or no path and the reason.

    Raises
    ------
    OptionError : a needle was asked for that the balloon does not pass.
    """
    settings = settings or PathSettings()
    if procedure == "kyphoplasty":
        check_balloon(settings)
    if vertebra.cut_by_field:
        return Access(
            level=vertebra.level,
            procedure=procedure,
            paths=(),
            reason=f"no path was planned: the border of the scan cuts the body of {vertebra.level}",
        )
    if settings.lines:
        return given_access(spine, vertebra, procedure, settings, volume)
    surface = bone_surface(vertebra)
    sides: tuple[Side, ...] = (settings.sides,) if settings.sides in ("left", "right") else ("left", "right")
    curved = procedure == "kyphoplasty" and settings.curved is not None
    walls = {side: find_access_walls(spine, vertebra, side, surface, whole=curved) for side in sides}
    one_needle = curved or settings.sides in ("left", "right")
    spots: tuple[Spot, ...] = ("midline",) if one_needle else ("midline", "hemibody")
    tried = [
        one
        for side in sides
        for spot in spots
        for one in _side(walls[side], spot, procedure, settings, (volume, depressed))
    ]
    tried.sort(key=lambda one: one.rank)
    chosen, notes = _choose(tried, procedure, settings)
    paths = tuple(one.path for one in chosen)
    missing = tuple(side for side in sides if walls[side] is None)
    reason = "" if paths else why_none(vertebra.level, [one.path for one in tried], missing, walls)
    return Access(
        level=vertebra.level,
        procedure=procedure,
        paths=paths,
        alternatives=tuple(one.path for one in tried if one not in chosen),
        reason=reason,
        notes=tuple(dict.fromkeys(path_notes(chosen, procedure, settings) + notes)) if paths else (),
    )


def _side(
    walls: AccessWalls | None,
    spot: Spot,
    procedure: Procedure,
    settings: PathSettings,
    seen: tuple[Volume | None, Depressed | None],
) -> list[AccessCandidate]:
    """Best line of each route on one side, with each needle on it.

    For balloons the useful place comes first, with the usual and then a shorter balloon; only where no path is open to
    it, what lies farther out, and then what lies farther back.
    """
    if walls is None:
        return []
    if procedure != "kyphoplasty":
        target = find_target(walls.surface, spot, walls.outward, 0.0)
        return _to_target(walls, spot, procedure, settings, target, seen[0])
    found: list[AccessCandidate] = []
    for lengths in balloon_lengths(settings):
        targets = _balloon_targets(walls, spot, settings, lengths, seen[1])
        useful = targets[0]
        for target in targets if lengths.last else (useful,):
            these = [
                _with_balloon(one, lengths, target, walls, useful=target is useful)
                for one in _to_target(walls, spot, procedure, settings, target, seen[0])
                if _within(one.path, target, walls)
            ]
            found += these
            if any(verdict(one.path) != "refused" for one in these):
                return found
    return found


def _balloon_targets(
    walls: AccessWalls, spot: Spot, settings: PathSettings, lengths: BalloonLength, depressed: Depressed | None
) -> tuple[Target, Target, Target]:
    """The useful place for a balloon's front end, what lies farther out, and what lies farther back."""
    if settings.curved is not None:
        return arc_targets(walls.surface, walls.outward, settings.curved, depressed)
    useful, behind = (
        find_target(walls.surface, spot, walls.outward, lengths.mm / 2, depressed, useful=which)
        for which in (True, False)
    )
    return useful, replace(useful, outermost_mm=math.inf), behind


def _within(path: NeedlePath, target: Target, walls: AccessWalls) -> bool:
    """Whether the balloon's centre lies no farther out than the target allows; a search without an answer may not."""
    out = walls.outward * float(walls.vertebra.to_local_mm(path.middle_mm)[0])
    if path.bend_deg:
        out = abs(out)
    return out <= target.outermost_mm + OUTERMOST_GIVE_MM


def _with_balloon(
    one: AccessCandidate, lengths: BalloonLength, target: Target, walls: AccessWalls, *, useful: bool
) -> AccessCandidate:
    """The candidate with the balloon that it is for, and where that one's front end lies."""
    foremost = float(walls.vertebra.to_local_mm(one.path.ahead_mm)[:, 1].max())
    return replace(
        one,
        path=replace(
            one.path,
            balloon=lengths.through(one.path.needle),
            front_share=target.front_share(foremost),
            useful=useful,
        ),
    )


def _to_target(
    walls: AccessWalls,
    spot: Spot,
    procedure: Procedure,
    settings: PathSettings,
    target: Target,
    volume: Volume | None,
) -> list[AccessCandidate]:
    """Best line of each route to one target, with each needle on it."""
    level = walls.vertebra.level
    needles = needles_for(level, procedure, settings)
    found = []
    for route_order, approach in enumerate(routes_for(level, settings)):
        line = search_line(walls, target, approach, needles[0].outer_mm / 2)
        for needle_order, needle in enumerate(needles):
            path = assess_line(walls, line, needle, approach)
            path, skin = with_skin(path, volume)
            found.append(
                AccessCandidate(path=path, spot=spot, needle_order=needle_order, route_order=route_order, skin=skin)
            )
    return found


def with_skin(path: NeedlePath, volume: Volume | None) -> tuple[NeedlePath, Skin]:
    """The path with its skin entry and a needle that reaches, refused where it crosses air inside the body."""
    outwards = path.entry_mm - path.target_mm
    outwards = outwards / np.linalg.norm(outwards)
    skin = find_skin(volume, path.entry_mm, outwards)
    if skin.air_mm is not None:
        at = (float(skin.air_mm[0]), float(skin.air_mm[1]), float(skin.air_mm[2]))
        air = Breach(wall="air inside the body", depth_mm=path.needle.outer_mm, at_mm=at)
        return replace(path, breaches=(*path.breaches, air)), skin
    if skin.point_mm is None:
        return path, skin
    length_mm = path.channel_from(skin.point_mm)
    return replace(path, needle=reaching(path.needle, length_mm), skin_mm=skin.point_mm, length_mm=length_mm), skin


def _choose(
    tried: list[AccessCandidate], procedure: Procedure, settings: PathSettings
) -> tuple[list[AccessCandidate], tuple[str, ...]]:
    """One or two paths from a list sorted from best to worst, and what had to be given up."""
    open_ = [one for one in tried if verdict(one.path) != "refused"]
    middle = next((one for one in open_ if one.spot == "midline"), None)
    sides = ("left", "right")
    if procedure == "kyphoplasty" and settings.curved is not None:
        return ([middle] if middle else []), ()
    pair = [next((one for one in open_ if one.spot == "hemibody" and one.path.side == s), None) for s in sides]
    halves = [one for one in pair if one is not None]
    if settings.sides in sides:
        return ([middle] if middle else []), ()
    if middle is not None and len(halves) == 2 and settings.sides == "auto":
        wanted = [[middle], halves] if procedure == "vertebroplasty" else [halves, [middle]]
        best = min(wanted, key=_plan_rank)
        why = f"{_count(best)} needle{'s' * (len(best) > 1)}, as {_count(wanted[0])} cannot go the usual way with "
        return best, (why + "every margin kept",) if best is not wanted[0] else ()
    if len(halves) == 2:
        return halves, ("one needle does not reach the midline",) if procedure == "vertebroplasty" else ()
    if middle is not None:
        other = "left" if middle.path.side == "right" else "right"
        note = f"the {other} side has no path; one needle to the midline"
        return [middle], () if settings.sides == "auto" and procedure == "vertebroplasty" else (note,)
    if halves:
        return halves, (f"only the {halves[0].path.side} half has a path, and it does not reach the midline",)
    return [], ()


def _plan_rank(plan: list[AccessCandidate]) -> tuple[int, int, bool, int]:
    """A useful place first; the usual route before the other, every wanted margin kept before tight, the usual
    needle before thinner ones."""
    tight = any(verdict(one.path) != "safe" for one in plan)
    poor = max(how_poor(one.path) for one in plan)
    return poor, max(one.route_order for one in plan), tight, max(one.needle_order for one in plan)


def _count(plan: list[AccessCandidate]) -> str:
    return ("one", "two")[len(plan) - 1]
