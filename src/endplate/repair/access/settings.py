"""What may be chosen about the way in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from endplate.errors import OptionError
from endplate.repair.access.access_result import Approach, Side
from endplate.repair.device.balloon import Balloon, choose_balloon
from endplate.repair.device.needle import Needle, choose_needle

Sides = Literal["auto", "left", "right", "both"]
Route = Literal["auto", "transpedicular", "extrapedicular"]


@dataclass(frozen=True, slots=True, kw_only=True)
class GivenLine:
    """A needle's line as a person placed it.

    Attributes
    ----------
    side : the patient's. entry_mm, target_mm : (3,) LPS, a point behind the bone and the tip (or a balloon's centre; a
    curved one leaves the needle there).
    approach : through the pedicle or beside it.
    """

    side: Side
    entry_mm: tuple[float, float, float]
    target_mm: tuple[float, float, float]
    approach: Approach = "transpedicular"


@dataclass(frozen=True, slots=True, kw_only=True)
class PathSettings:
    """How the needle may go.

    Attributes
    ----------
    sides : "left" or "right" for one needle to the midline, "both" for one to the middle of each half; "auto" is both
    for kyphoplasty, one for vertebroplasty where one reaches the midline with every margin kept.
    route : "auto" takes the route that is usual for the level, and the other where that one is closed.
    needle : gauge such as "11G", or a needle of your own; None takes the usual one for level and procedure, and
    thinner ones where it does not fit.
    balloon : name in the catalogue, or a balloon of your own; its length sets how far a kyphoplasty's channel goes
    beyond the target, its access how thick a needle it needs. None takes the usual one that passes the needle.
    lines : needles that a person placed; where there are any, no other way is searched for.
    """

    sides: Sides = "auto"
    route: Route = "auto"
    needle: str | Needle | None = None
    balloon: str | Balloon | None = None
    lines: tuple[GivenLine, ...] = ()

    def __post_init__(self) -> None:
        if self.needle is not None:
            choose_needle(self.needle)
        if self.balloon is not None:
            choose_balloon(self.balloon)
        if self.curved is not None and (self.sides == "both" or len(self.lines) > 1):
            raise OptionError(
                f"{self.curved.name} from both sides",
                "a curved balloon goes in through one pedicle and crosses the midline",
                "choose left, right or auto, or a straight balloon",
            )
        if self.sides not in ("auto", "left", "right", "both"):
            raise OptionError(f"sides {self.sides}", "a needle goes in left, right or on both sides")
        if self.route not in ("auto", "transpedicular", "extrapedicular"):
            raise OptionError(f"route {self.route}", "choose transpedicular or extrapedicular")

    @property
    def curved(self) -> Balloon | None:
        """The balloon asked for where it is curved; None for straight ones."""
        balloon = None if self.balloon is None else choose_balloon(self.balloon)
        return balloon if balloon is not None and balloon.bend_deg else None
