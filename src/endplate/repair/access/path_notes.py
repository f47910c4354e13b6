"""What a reader should know about the paths that were chosen."""

from __future__ import annotations

from endplate.repair.access.access_result import NeedlePath, Procedure
from endplate.repair.access.arc_target import ARC_RULE
from endplate.repair.access.candidate import AccessCandidate, how_poor
from endplate.repair.access.clearance import describe, least_mm, verdict
from endplate.repair.access.needle_choice import balloon_through, needles_for, route_note
from endplate.repair.access.settings import PathSettings
from endplate.repair.access.target import FARTHEST_FRONT_END, RULE
from endplate.repair.device.needle import Needle


def path_notes(chosen: list[AccessCandidate], procedure: Procedure, settings: PathSettings) -> tuple[str, ...]:
    """What a reader should know about the chosen paths."""
    notes = []
    for one in chosen:
        path, side = one.path, one.path.side
        usual = needles_for(path.level, procedure, settings)[0]
        if not settings.needle and path.needle.name != usual.name:
            words = f"{side}: {path.needle.name} instead of the usual {usual.name}, which leaves too little room"
            passing = f"; {balloon_through(path.needle, settings).name} passes it" * (procedure == "kyphoplasty")
            notes.append(words + passing)
        if verdict(path) == "tight":
            notes.append(f"{side}: tight, {path.min_clearance_mm:.1f} mm from the needle to the nearest wall")
        if one.route_order:
            notes.append(f"{side}: {path.approach}, as the usual route has no path")
        if path.skin_mm is None:
            notes.append(f"{side}: no skin entry, {one.skin.reason}")
        elif path.length_mm > path.needle.length_mm:
            notes.append(f"{side}: {path.length_mm:.0f} mm from the skin, longer than {_long(path.needle)}")
        notes += _place(path)
        notes += _doubt(path)
    note = route_note(chosen[0].path.level) if chosen else ""
    return tuple(notes) + ((note,) if note else ())


def _place(path: NeedlePath) -> list[str]:
    """Where the balloon comes to lie, and what it costs where that is not a useful place."""
    if path.front_share is None:
        return []
    text = f"{path.side}: front end of the balloon {path.front_share:.0%} of the depth behind the front wall"
    if path.bend_deg:
        return _curved_place(path, text)
    if path.useful:
        return [f"{text}; rule: {RULE}"]
    none, place = f"{path.side}: no path reaches a useful place with this needle", text.split(": ", 1)[1]
    if how_poor(path) == 1:
        return [
            f"{none}; {place}, but its centre farther out than the middle of its half: the side wall gives way sooner"
        ]
    return [
        f"{none}; {place}, beyond {float(FARTHEST_FRONT_END):.0%}: such a balloon pushes the back wall and lifts the "
        "front less"
    ]


def _curved_place(path: NeedlePath, text: str) -> list[str]:
    """Where a curved balloon comes to lie, from one side across the midline."""
    one = (
        f"{path.side}: unilateral: one curved balloon ({path.balloon}) through this pedicle alone, bent by "
        f"{path.bend_deg:g}° across the midline"
    )
    if path.middle_off_mm is not None:
        where = "short of" if path.middle_off_mm > 0 else "beyond"
        one += f"; its middle {abs(path.middle_off_mm):.1f} mm {where} the midline"
    text = text.replace("front end", "foremost part")
    if path.useful:
        return [one, f"{text}; rule: {ARC_RULE}"]
    why = "its middle too far from the midline, so that one side is lifted more"
    if how_poor(path) == 2:
        why = f"beyond {float(FARTHEST_FRONT_END):.0%}: such a balloon lifts the front less"
    return [one, f"{path.side}: no path reaches a useful place with this balloon; {text.split(': ', 1)[1]}, {why}"]


def _doubt(path: NeedlePath) -> list[str]:
    """Walls whose clearance may truly be below its least margin, as far as the mask can tell."""
    thin = [
        f"{describe(wall)} {clearance:.1f} ± {path.band_mm.get(wall, 0.0):.1f} mm"
        for wall, clearance in path.clearance_mm.items()
        if clearance - path.band_mm.get(wall, 0.0) < least_mm(path)[wall]
    ]
    return (
        [f"{path.side}: may be below its least margin, as far as the mask can tell: {', '.join(thin)}"] if thin else []
    )


def _long(needle: Needle) -> str:
    return f"the longest usual {needle.name} needle ({needle.length_mm:.0f} mm)"
