"""What the rules say in two lines, candidacy and next step; it needs no scan, nor the libraries that one loads."""

from __future__ import annotations

from endplate.report.overview.guidelines import Counts
from endplate.report.overview.line import Line
from endplate.report.overview.steps import Step


def care_lines(counts: tuple[Counts, ...], steps: tuple[Step, ...]) -> tuple[Line, Line]:
    """What the rules say: candidacy and the first next step."""
    return _candidacy(counts), _next(steps)


NO_RECORD = (
    Line(
        label="Candidacy", text="No patient record was weighed with this scan, so no guideline was asked.", tone="note"
    ),
    Line(
        label="Next step",
        text="Weigh the patient's record: emergencies and contraindications have not been asked about.",
        tone="note",
    ),
)
"""The lines of a scan without a record."""


def _candidacy(counts: tuple[Counts, ...]) -> Line:
    if not counts:
        return Line(
            label="Candidacy", text="No level is known to be fractured, so no guideline was asked.", tone="note"
        )
    return Line(label="Candidacy", text=" ".join(f"{one.level}: {one.in_words}." for one in counts))


def _next(steps: tuple[Step, ...]) -> Line:
    if not steps:
        return Line(label="Next step", text="Nothing is left to ask or to do by these rules.")
    first = steps[0]
    return Line(label="Next step", text=first.text, tone="alarm" if first.urgent else "calm")
