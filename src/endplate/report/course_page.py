"""A page of one course: flags, what is due, the patient against the band, and the trials behind the band."""

from __future__ import annotations

from datetime import date
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from endplate.decision.recovery.tracks import Scale, tracks_for
from endplate.decision.recovery.trials import trials
from endplate.follow.read import Course
from endplate.report.figure.recovery import recovery_figure

SCALES: tuple[Scale, ...] = ("nrs", "rmdq", "odi")


def course_page(seen: Course, today: date) -> str:
    """The page as HTML, complete in itself."""
    environment = Environment(
        loader=PackageLoader("endplate.report"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
    )
    style = files("endplate.report").joinpath("templates/report.css").read_text(encoding="utf-8")
    figures = [
        (track.name, figure)
        for scale in SCALES
        for track in tracks_for(seen.procedure, scale, seen.fracture_days)
        if (figure := recovery_figure(track, seen.start, seen.readings)) is not None
    ]
    return environment.get_template("course.html.j2").render(
        seen=seen,
        today=today,
        flags=seen.flags(today),
        due=seen.due(today),
        figures=figures,
        trials=trials(),
        style=Markup(style),
    )
