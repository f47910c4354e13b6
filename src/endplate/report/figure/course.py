"""The course of a repair: balloon pressure over volume; cement volume and pressures over time."""

from __future__ import annotations

from markupsafe import Markup

from endplate.repair.cement.cement_fill import CementFill
from endplate.repair.kyphoplasty.inflation_result import Inflation
from endplate.repair.rehearsal.result import Rehearsal
from endplate.report.figure.plot import Line, Mark, Words, line_plot

STYLES = {"vertebroplasty": "curve", "kyphoplasty": "curve second"}


def course_figures(rehearsal: Rehearsal) -> list[Markup]:
    """All curves that the rehearsal holds."""
    blown = [done.inflation for done in rehearsal.nominal if done.inflation is not None]
    fills: dict[str, CementFill] = {}
    for done in rehearsal.nominal:
        if done.fill is not None and done.fill.time_s.size:
            fills[done.procedure] = done.fill
    drawn = [_balloon(item) for item in blown if item.volume_ml.size > 1]
    return drawn + (_cement(rehearsal, fills) if fills else [])


def _balloon(inflation: Inflation) -> Markup:
    line = Line(name="balloon", x=inflation.volume_ml, y=inflation.pressure_mpa)
    limit = min((balloon.max_mpa for balloon in inflation.balloons), default=None)
    top = float(inflation.pressure_mpa.max())
    words = Words(
        title="Balloon",
        across="volume of all balloons (mL)",
        up="pressure (MPa)",
        alt=f"{inflation.level}: balloon pressure over volume, highest {top:.2f} MPa.",
        identity=f"balloon-curve-{inflation.level}",
    )
    return line_plot(words, [line], limit=limit)


def _cement(rehearsal: Rehearsal, fills: dict[str, CementFill]) -> list[Markup]:
    level = rehearsal.level
    marks = [
        Mark(x=reached.time_s, y=reached.injected_ml, word=reached.opening.route)
        for fill in fills.values()
        for reached in fill.reached
    ]
    rows: tuple[tuple[str, str, str, str, list[Mark]], ...] = (
        ("Cement injected", "volume (mL)", "injected_curve_ml", "volume", marks),
        ("Pressure in the bone", "pressure (MPa)", "bone_pressure_mpa", "bone", []),
        ("Pressure lost in the cannula", "pressure (MPa)", "cannula_pressure_mpa", "cannula", []),
    )
    figures = []
    for title, up, name, identity, drawn in rows:
        lines = [Line(name=who, x=fill.time_s, y=getattr(fill, name), style=STYLES[who]) for who, fill in fills.items()]
        alt = f"{level}: {title.lower()} over time for {' and '.join(fills)}."
        words = Words(title=title, across="time (s)", up=up, alt=alt, identity=f"cement-{identity}-{level}")
        figures.append(line_plot(words, lines, drawn))
    return figures
