"""The care section of the report, and the page of its own where there is no scan."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from endplate.case.care import Care, next_questions
from endplate.decision.recovery.techniques import techniques
from endplate.decision.recovery.trials import trials
from endplate.report.care.alarm import alarms
from endplate.report.care.caution import cautions, technique_lines
from endplate.report.care.criteria import Criteria
from endplate.report.care.matrix import matrix
from endplate.report.care.places import CARE, PLACES, marked, marks, put
from endplate.report.care.plan_page import topics
from endplate.report.care.recovery import bands
from endplate.report.care.sources import publications
from endplate.report.care.timeline import timeline
from endplate.report.care.words import (
    MOST_GIVEN,
    STATUS_MARKS,
    STATUS_WORDS,
    change_words,
    missing_word,
    missing_words,
    rule_title,
    trust_words,
)
from endplate.report.overview.care_answer import NO_RECORD, care_lines
from endplate.report.overview.guidelines import counted
from endplate.report.overview.steps import next_steps
from endplate.report.page import style, template_environment
from endplate.report.phrase import polished
from endplate.version import __version__

BEGIN, END = marks(CARE)
"""Where the section stands in a report, so that a later decision can replace it."""
CONTENTS = (
    ("asknext", "Ask next"),
    ("candidacy", "Candidacy"),
    ("timeline", "Episode in time"),
    ("recovery", "Expected recovery"),
    ("techniques", "Other techniques"),
    ("conservative", "Conservative plan"),
    ("prevention", "Prevention"),
)
"""Headings of the section, as the list of contents names them."""

MOST_CHANGES = 6
"""Answers that would decide a verdict and that its cell says; all that is not known is named below them."""


def care_parts(care: Care) -> dict[str, Markup]:
    """Every part of a decision between its marks, by the names of `places`."""
    held = context(care)
    bodies = {name: _environment().get_template(f"parts/{name}.html.j2").render(held) for name in PLACES}
    return {name: marked(name, body) for name, body in bodies.items()}


def unweighed_parts() -> dict[str, Markup]:
    """The same places in a report without a record: what was not asked is said."""
    empty = {name: marked(name, "") for name in PLACES}
    answer = _environment().get_template("parts/answer.html.j2").render(lines=NO_RECORD)
    verdicts = _environment().get_template("parts/unweighed.html.j2").render()
    return {**empty, "answer": marked("answer", answer), "verdicts": marked("verdicts", verdicts)}


def care_section(care: Care) -> Markup:
    """The sections of a decision between their marks."""
    return care_parts(care)[CARE]


def care_page(care: Care) -> str:
    """A page that holds a decision alone."""
    return (
        _environment()
        .get_template("care_page.html.j2")
        .render(**as_names(care_parts(care)), care=care, version=__version__, style=style())
    )


def as_names(parts: Mapping[str, Markup]) -> dict[str, Markup]:
    """The parts by the names that page templates give them."""
    names = {"answer": "care_answer", "contents": "care_contents", CARE: "care_section"}
    return {names.get(name, name): part for name, part in parts.items()}


def within(page: str, care: Care) -> str:
    """A report with every part of a decision put in, or in place of earlier ones.

    Raises
    ------
    ValueError : the page has no place for the section.
    """
    return put(page, care_parts(care))


@cache
def _environment() -> Environment:
    environment = template_environment()
    environment.filters |= {
        "missing_words": missing_words,
        "missing_word": missing_word,
        "change_words": change_words,
        "rule_title": rule_title,
        "polished": polished,
    }
    return environment


def context(care: Care) -> dict[str, Any]:
    """Everything that the parts print."""
    questions = next_questions(care)
    counts, steps = counted(care.decision), next_steps(care, questions)
    named = [(name, words) for name, words in CONTENTS if name != "asknext" or questions]
    dated = timeline(care.record)
    return {
        "alarms": alarms(care.decision),
        "cautions": cautions(care.decision),
        "lines": care_lines(counts, steps),
        "counts": counts,
        "steps": steps,
        "entries": [(name, words) for name, words in named if name != "timeline" or dated],
        "care": care,
        "levels": care.decision.levels,
        "questions": questions,
        "conservative": topics("conservative", care),
        "techniques": techniques(),
        "technique_choice": technique_lines(care.decision),
        "blocks": matrix(care.decision),
        "criteria": Criteria(care),
        "words": STATUS_WORDS,
        "marks": STATUS_MARKS,
        "timeline": dated,
        "bands": bands(care.record),
        "trials": trials(),
        "plan": care.prevention,
        "trust_words": trust_words(),
        "most_changes": MOST_CHANGES,
        "most_given": MOST_GIVEN,
        "publications": publications(care),
    }
