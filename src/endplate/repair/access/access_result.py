"""The way in: one needle path with its clearances, and the chosen paths of a procedure or why there is none."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.level import Level
from endplate.repair.device.arc import Arc, arc_between
from endplate.repair.device.needle import Needle
from endplate.short_repr import short_repr

Side = Literal["left", "right"]
Approach = Literal["transpedicular", "extrapedicular"]
Procedure = Literal["vertebroplasty", "kyphoplasty"]
ARC_CORNERS = cited(17, "1", "Own choice: a drawn arc of 20 mm and 90 degrees is off by 0.02 mm at most", "design")


@dataclass(frozen=True, slots=True, kw_only=True)
class Breach:
    """A wall that the needle would break: which, by how much, where (LPS mm)."""

    wall: str
    depth_mm: float
    at_mm: tuple[float, float, float]


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NeedlePath:
    """One needle path: straight, and for a curved balloon an arc beyond it.

    Attributes
    ----------
    skin_mm, entry_mm, target_mm : (3,) LPS; skin None where the scan does not hold it.
    axial_deg : medial inclination in the axial plane; sagittal_deg : caudal positive.
    clearance_mm : least distance from the needle's surface to each wall: medial (canal side), lateral, superior,
    inferior (of the pedicle), anterior, endplates; negative where it breaks through.
    min_clearance_mm : the smallest of them.
    length_mm : from the skin, or from the bone's entry where the skin is not seen, to the end of the channel.
    tip_mm : (3,) LPS, that end: the target itself, or the front end of the balloon centred there.
    bend_deg : by how much a curved balloon turns from the needle's axis, from the target where it leaves the needle to
    its front end at the tip; 0 for all that is straight.
    middle_off_mm : how far the middle of a curved balloon lies from the midline, negative beyond it; None for others.
    balloon : name of the balloon that it is planned for; empty for a needle alone.
    front_share : how far behind the front wall the balloon's front end lies, as a share of the depth; None for none.
    useful : whether a balloon there can lift, by the rule of `endplate.repair.access.target`.
    band_mm : what the mask leaves open of each clearance, half a voxel along the wall's normal.
    """

    level: Level
    side: Side
    approach: Approach
    needle: Needle
    skin_mm: NDArray[np.float64] | None
    entry_mm: NDArray[np.float64]
    target_mm: NDArray[np.float64]
    axial_deg: float
    sagittal_deg: float
    clearance_mm: dict[str, float]
    min_clearance_mm: float
    length_mm: float
    breaches: tuple[Breach, ...] = ()
    tip_mm: NDArray[np.float64] | None = None
    band_mm: dict[str, float] = field(default_factory=dict)
    balloon: str = ""
    front_share: float | None = None
    useful: bool = True
    bend_deg: float = 0.0
    middle_off_mm: float | None = None

    __repr__ = short_repr

    @property
    def end_mm(self) -> NDArray[np.float64]:
        """(3,) LPS, how far the instruments go: the end of the channel, the target where it is not told apart."""
        return self.target_mm if self.tip_mm is None else self.tip_mm

    @property
    def depth_mm(self) -> float:
        """Length of the channel in bone, along its arc where it has one."""
        return self.channel_from(self.entry_mm)

    @property
    def bends_to(self) -> NDArray[np.float64]:
        """(3,) from the target to the end of the channel: the side to which a curved balloon bends."""
        return np.asarray(self.end_mm - self.target_mm)

    @property
    def arc(self) -> Arc | None:
        """The arc of a curved balloon; None for what is straight."""
        if not self.bend_deg:
            return None
        return arc_between(self.target_mm, self.target_mm - self.entry_mm, self.end_mm, self.bend_deg)

    @property
    def middle_mm(self) -> NDArray[np.float64]:
        """(3,) LPS, the middle of the balloon: of its arc where it is curved, else the target."""
        return self.target_mm if self.arc is None else self.arc.at(0.5)

    @property
    def ahead_mm(self) -> NDArray[np.float64]:
        """(n, 3) LPS, places among which the foremost of the balloon is: along its arc, or its front end alone."""
        return self.end_mm[None] if self.arc is None else self.course_mm[1:]

    @property
    def course_mm(self) -> NDArray[np.float64]:
        """(n, 3) LPS, corners of the line along the channel from the bone's entry to its end."""
        arc = self.arc
        if arc is None:
            return np.stack([self.entry_mm, self.end_mm])
        return np.stack([self.entry_mm, *(arc.at(share) for share in np.linspace(0, 1, int(ARC_CORNERS)))])

    def channel_from(self, point_mm: NDArray[np.float64]) -> float:
        """Length, mm, from a point (3,) of the needle's axis to the end of the channel."""
        if self.arc is None:
            return float(np.linalg.norm(self.end_mm - point_mm))
        return float(np.linalg.norm(self.target_mm - point_mm)) + self.arc.length_mm


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The way in: the chosen paths (one or two), alternatives from best to worst, or why there is none; and notes."""

    level: Level
    procedure: Procedure
    paths: tuple[NeedlePath, ...]
    alternatives: tuple[NeedlePath, ...] = ()
    reason: str = ""
    notes: tuple[str, ...] = ()

    __repr__ = short_repr
