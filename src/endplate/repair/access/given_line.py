"""A needle that a person placed: judged as any other, and refused where it breaks a wall."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.errors import OptionError
from endplate.image.volume import Volume
from endplate.repair.access.access_result import Access, Approach, NeedlePath, Procedure
from endplate.repair.access.access_walls import AccessWalls, find_access_walls
from endplate.repair.access.assess_path import assess_path
from endplate.repair.access.bone_surface import bone_surface
from endplate.repair.access.clearance import refusal, verdict
from endplate.repair.access.needle_choice import balloon_lengths, needles_for
from endplate.repair.access.settings import GivenLine, PathSettings
from endplate.repair.access.skin import find_skin
from endplate.repair.access.target import find_target
from endplate.repair.device.needle import reaching


def given_access(
    spine: Spine,
    vertebra: Vertebra,
    procedure: Procedure,
    settings: PathSettings,
    volume: Volume | None = None,
) -> Access:
    """The needles of `settings.lines`.

    Raises
    ------
    OptionError : one that breaks a wall or comes too near to it, or a side whose pedicle was not found.
    """
    surface = bone_surface(vertebra)
    curved = procedure == "kyphoplasty" and settings.curved is not None
    paths = []
    for line in settings.lines:
        walls = find_access_walls(spine, vertebra, line.side, surface, whole=curved)
        if walls is None:
            raise OptionError(
                f"a needle from the {line.side} of {vertebra.level}", "its pedicle was not found", "choose another side"
            )
        path = _path(walls, line, procedure, settings, volume)
        if verdict(path) == "refused":
            raise OptionError(f"the needle on the {line.side} of {vertebra.level}", refusal(path), "place it anew")
        paths.append(path)
    notes = ("the needles were placed by hand",)
    return Access(level=vertebra.level, procedure=procedure, paths=tuple(paths), notes=notes)


def judge_line(
    walls: AccessWalls,
    entry_mm: NDArray[np.float64],
    target_mm: NDArray[np.float64],
    procedure: Procedure,
    settings: PathSettings,
    approach: Approach = "transpedicular",
) -> NeedlePath:
    """A needle along a line that a person placed, judged by what its procedure asks of each wall.

    Parameters
    ----------
    walls : of the side that it goes in. entry_mm : (3,) LPS, any point of the axis behind the target.
    target_mm : (3,) LPS, where the tip comes to lie, in a kyphoplasty the balloon's centre; a curved
    one leaves the needle there.
    settings : needle and balloon; those that are usual at this level where it names none.

    Returns
    -------
    The path without its skin entry. In a kyphoplasty it names its balloon, whose channel may come nearer to the front.
    """
    needle = needles_for(walls.vertebra.level, procedure, settings)[0]
    if procedure != "kyphoplasty":
        return assess_path(walls, entry_mm, target_mm, needle, approach)
    lengths = balloon_lengths(settings)[0]
    bend_deg = 0.0 if settings.curved is None else float(settings.curved.bend_deg)
    ahead_mm = lengths.mm if bend_deg else lengths.mm / 2
    path = assess_path(walls, entry_mm, target_mm, needle, approach, ahead_mm, bend_deg)
    return replace(path, balloon=lengths.through(needle))


def _path(
    walls: AccessWalls, line: GivenLine, procedure: Procedure, settings: PathSettings, volume: Volume | None
) -> NeedlePath:
    path = judge_line(walls, np.array(line.entry_mm), np.array(line.target_mm), procedure, settings, line.approach)
    if procedure != "kyphoplasty":
        return _with_skin(path, volume)
    half_mm = balloon_lengths(settings)[0].mm / 2
    aim = find_target(walls.surface, "hemibody", -walls.outward if path.bend_deg else walls.outward, half_mm)
    foremost = float(walls.vertebra.to_local_mm(path.ahead_mm)[:, 1].max())
    return _with_skin(replace(path, front_share=aim.front_share(foremost)), volume)


def _with_skin(path: NeedlePath, volume: Volume | None) -> NeedlePath:
    """The path with its skin entry and a needle that reaches."""
    outwards = path.entry_mm - path.target_mm
    skin = find_skin(volume, path.entry_mm, outwards / np.linalg.norm(outwards))
    if skin.point_mm is None or skin.air_mm is not None:
        return path
    length_mm = path.channel_from(skin.point_mm)
    return replace(path, needle=reaching(path.needle, length_mm), skin_mm=skin.point_mm, length_mm=length_mm)
