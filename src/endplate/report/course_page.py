"""A page of one course: flags, what is due, the patient against the band, and the trials behind the band."""

from __future__ import annotations

from datetime import date

from endplate.decision.recovery.expected_course import Scale, course_models_for
from endplate.decision.recovery.trials import trials
from endplate.followup.read import EpisodeCourse
from endplate.report.figure.recovery import recovery_figure
from endplate.report.page import style, template_environment

SCALES: tuple[Scale, ...] = ("nrs", "rmdq", "odi")


def course_page(seen: EpisodeCourse, today: date) -> str:
    """The page as HTML, complete in itself."""
    figures = [
        (track.name, figure)
        for scale in SCALES
        for track in course_models_for(seen.procedure, scale, seen.fracture_days)
        if (figure := recovery_figure(track, seen.start, seen.readings)) is not None
    ]
    return (
        template_environment()
        .get_template("course.html.j2")
        .render(
            seen=seen,
            today=today,
            flags=seen.flags(today),
            settled=seen.settled(),
            due=seen.due(today),
            changes=seen.score_changes(),
            figures=figures,
            trials=trials(),
            style=style(),
        )
    )
