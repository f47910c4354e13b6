"""Which needles to try at a level, in which order, and by which route."""

from __future__ import annotations

from dataclasses import dataclass

from endplate.errors import OptionError
from endplate.level import Level
from endplate.repair.access.access_result import Approach, Procedure
from endplate.repair.access.settings import PathSettings
from endplate.repair.device.balloon import BALLOONS, DEFAULT, SHORTER, Balloon, choose_balloon
from endplate.repair.device.needle import NEEDLES, Needle, choose_needle

KYPHOPLASTY = ("8G", "10G")
"""Usual kyphoplasty cannulas, 8-10G (knowledge); no straight balloon passes a thinner one."""
VERTEBROPLASTY = {"lumbar": ("11G", "13G", "15G"), "thoracic": ("13G", "15G")}
"""Usual vertebroplasty needles: 11G lumbar, 13G thoracic (knowledge); thinner ones stand behind."""
FIRST_BESIDE, LAST_BESIDE = Level.T4, Level.T8
"""Usual routes: T9-L5 transpedicular, T4-T8 para- or costotransverse, T1-T3 under CT (knowledge)."""


def usual_needles(level: Level, procedure: Procedure) -> tuple[Needle, ...]:
    """Needles for a level and procedure, the usual one first, then thinner ones."""
    names = KYPHOPLASTY if procedure == "kyphoplasty" else VERTEBROPLASTY.get(level.region, VERTEBROPLASTY["thoracic"])
    return tuple(NEEDLES[name] for name in names)


def needles_for(level: Level, procedure: Procedure, settings: PathSettings) -> tuple[Needle, ...]:
    """Needles to try, in order: the one asked for alone, that of the balloon asked for, or the usual ones."""
    if settings.needle:
        return (choose_needle(settings.needle),)
    if procedure == "kyphoplasty" and settings.balloon:
        return (NEEDLES[choose_balloon(settings.balloon).access],)
    return usual_needles(level, procedure)


def balloon_through(needle: Needle, settings: PathSettings) -> Balloon:
    """The balloon asked for, or the usual one that passes a needle.

    Raises
    ------
    OptionError : it does not go through.
    """
    balloons = [choose_balloon(choice) for choice in ((settings.balloon,) if settings.balloon else DEFAULT)]
    for balloon in balloons:
        if balloon.passes(needle):
            return balloon
    thick = " or ".join(dict.fromkeys(balloon.access for balloon in balloons))
    raise OptionError(
        f"a kyphoplasty through a {needle.name} needle",
        f"{balloons[0].name if settings.balloon else 'a balloon'} needs {thick}",
        f"choose --needle {thick}, leave it out, or rehearse vertebroplasty alone",
    )


@dataclass(frozen=True, slots=True)
class BalloonLength:
    """Balloons of one nominal length; `last` where no shorter one is tried after it."""

    balloons: tuple[Balloon, ...]
    last: bool

    @property
    def mm(self) -> float:
        """Nominal length."""
        return float(self.balloons[0].length_mm)

    def through(self, needle: Needle) -> str:
        """Name of the first of them that passes a needle."""
        return next((one.name for one in self.balloons if one.passes(needle)), self.balloons[-1].name)


def balloon_lengths(settings: PathSettings) -> tuple[BalloonLength, ...]:
    """The balloon asked for alone; else the usual length, then a shorter one."""
    if settings.balloon:
        return (BalloonLength((choose_balloon(settings.balloon),), True),)
    usual, shorter = (tuple(BALLOONS[name] for name in names) for names in (DEFAULT, SHORTER))
    return BalloonLength(usual, False), BalloonLength(shorter, True)


def check_balloon(settings: PathSettings) -> None:
    """Refuse a needle that the balloon does not pass.

    Raises
    ------
    OptionError : a needle was named, and it is too thin.
    """
    if settings.needle:
        balloon_through(choose_needle(settings.needle), settings)


def routes_for(level: Level, settings: PathSettings) -> tuple[Approach, ...]:
    """Routes to try, in order."""
    if settings.route != "auto":
        return (settings.route,)
    beside = FIRST_BESIDE.order <= level.order <= LAST_BESIDE.order
    return ("extrapedicular", "transpedicular") if beside else ("transpedicular", "extrapedicular")


def route_note(level: Level) -> str:
    """What a reader must know about the route at this level; empty where nothing."""
    if level.region == "thoracic" and level.order < FIRST_BESIDE.order:
        return f"{level} is usually reached under CT guidance"
    return ""
