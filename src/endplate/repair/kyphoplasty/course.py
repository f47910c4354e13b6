"""What an inflation went through: the curve to where a surgeon stops, and the course beyond it."""

from __future__ import annotations

from dataclasses import dataclass, field

from endplate.repair.kyphoplasty.height_gain import BodyHeights, Triple
from endplate.repair.kyphoplasty.inflation_result import NOT_MEASURED, WallDisplacement


@dataclass(slots=True, kw_only=True, eq=False)
class InflationCurve:
    """One row a step.

    Attributes
    ----------
    volume_ml : of all balloons together. pressure_mpa : the highest of them. gain_mm : (front, middle, back) since the
    body settled. pushed_mm : of the walls. stop : why it ended.
    """

    volume_ml: list[float] = field(default_factory=list)
    pressure_mpa: list[float] = field(default_factory=list)
    gain_mm: list[Triple] = field(default_factory=list)
    pushed_mm: list[WallDisplacement] = field(default_factory=list)
    stop: str = ""


@dataclass(slots=True, kw_only=True, eq=False)
class InflationCourse:
    """What a run went through: shapes, curve, why inflation stopped, and what found no equilibrium.

    Attributes
    ----------
    start : as the scan shows the body. settled : under the preload. before : placed on the table, before the balloons.
    full, deflated : with the balloons full, and emptied under the same load. curve : up to the stop.
    beyond : what would follow if one inflated on, after the walls gave way; None where nothing was followed.
    wall_displacement_inflated_mm, wall_displacement_deflated_mm : how far back wall, and front or sides, went out
    since the balloons began. down : what is to be said of the way down, empty where all went well.
    upright : under the load of standing, before anything was done; None where that was not looked at or not carried,
    and then `fell` says so.
    """

    start: BodyHeights
    settled: BodyHeights
    before: BodyHeights
    full: BodyHeights
    deflated: BodyHeights
    curve: InflationCurve = field(default_factory=InflationCurve)
    beyond: InflationCurve | None = None
    wall_displacement_inflated_mm: WallDisplacement = NOT_MEASURED
    wall_displacement_deflated_mm: WallDisplacement = NOT_MEASURED
    unconverged: list[str] = field(default_factory=list)
    down: str = ""
    upright: BodyHeights | None = None
    fell: str = ""

    @property
    def volume_ml(self) -> list[float]:
        """Of the curve."""
        return self.curve.volume_ml

    @property
    def pressure_mpa(self) -> list[float]:
        """Of the curve."""
        return self.curve.pressure_mpa

    @property
    def stop(self) -> str:
        """Why the inflation stopped."""
        return self.curve.stop
