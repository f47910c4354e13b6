"""The conservative plan on the page, and the sheet for after a procedure."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby

from endplate.bibliography import bibliography
from endplate.case.care import Care
from endplate.decision.recovery.care_plan import PlanLine, PlanName, plan_lines
from endplate.report.page import style, template_environment
from endplate.version import __version__


@dataclass(frozen=True, slots=True, kw_only=True)
class Topic:
    """The lines of one topic."""

    name: str
    lines: tuple[PlanLine, ...]


def topics(name: PlanName, care: Care) -> tuple[Topic, ...]:
    """A plan for this patient, topic by topic; by the facts of the first level and of the patient."""
    facts = {**care.prevention.facts, **(care.facts[0].values if care.facts else {})}
    return tuple(
        Topic(name=topic, lines=tuple(lines))
        for topic, lines in groupby(plan_lines(name, facts), key=lambda line: line.topic)
    )


def after_page(care: Care) -> str:
    """The sheet for after a procedure, a page of its own, in plain words."""
    stated = topics("after_procedure", care)
    keys = dict.fromkeys(key for topic in stated for line in topic.lines for key in line.citation.cite)
    sources = [str(bibliography()[key]) for key in keys]
    return (
        template_environment()
        .get_template("after.html.j2")
        .render(topics=stated, sources=sources, style=style(), version=__version__, care=care)
    )
