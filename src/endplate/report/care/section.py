"""The care section of the report, and the page of its own where there is no scan."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from endplate.case.care import Care, next_questions
from endplate.decision.recovery.techniques import techniques
from endplate.decision.recovery.trials import trials
from endplate.report.care.alarm import alarms
from endplate.report.care.caution import cautions, technique_lines
from endplate.report.care.matrix import matrix
from endplate.report.care.plan_page import topics
from endplate.report.care.recovery import bands
from endplate.report.care.sources import publications
from endplate.report.care.timeline import timeline
from endplate.report.care.words import (
    STATUS_MARKS,
    STATUS_WORDS,
    change_words,
    fact_words,
    missing_words,
    rule_title,
    trust_words,
)
from endplate.report.page import style, template_environment
from endplate.version import __version__

BEGIN, END = "<!-- care: begin -->", "<!-- care: end -->"
"""Where the section stands in a report, so that a later decision can replace it."""
ALARM_BEGIN, ALARM_END = "<!-- emergencies: begin -->", "<!-- emergencies: end -->"
"""Where emergencies stand in a report: at its top, far from the section."""
EMPTY, ALARM_EMPTY = Markup(f"{BEGIN}{END}"), Markup(f"{ALARM_BEGIN}{ALARM_END}")
"""The places of what is not there yet."""


def care_section(care: Care) -> Markup:
    """The section between its marks."""
    body = _environment().get_template("care.html.j2").render(context(care))
    return Markup(f"{BEGIN}\n{body}\n{END}")


def care_alarm(care: Care) -> Markup:
    """Emergencies, cautions and the choice of technique between their marks."""
    decision = care.decision
    body = (
        _environment()
        .get_template("alarm.html.j2")
        .render(alarms=alarms(decision), cautions=cautions(decision), techniques=technique_lines(decision))
    )
    return Markup(f"{ALARM_BEGIN}\n{body}\n{ALARM_END}")


def care_page(care: Care) -> str:
    """A page that holds the section alone."""
    return (
        _environment()
        .get_template("care_page.html.j2")
        .render(alarm=care_alarm(care), section=care_section(care), care=care, version=__version__, style=style())
    )


def within(page: str, care: Care) -> str:
    """A report with emergencies and section put in, or in place of earlier ones.

    Raises
    ------
    ValueError : the page has no place for the section.
    """
    alarm, section = str(care_alarm(care)), str(care_section(care))
    if ALARM_BEGIN in page:
        return _put(_put(page, alarm, ALARM_BEGIN, ALARM_END), section, BEGIN, END)
    return _put(page, alarm + section, BEGIN, END)


def _put(page: str, text: str, begin: str, end: str) -> str:
    """A page with what stands between two marks, and the marks, replaced."""
    head, begun, rest = page.partition(begin)
    _, ended, tail = rest.partition(end)
    if not (begun and ended):
        raise ValueError("the page has no place for the care section")
    return head + text + tail


@cache
def _environment() -> Environment:
    environment = template_environment()
    environment.filters |= {
        "fact_words": fact_words,
        "missing_words": missing_words,
        "change_words": change_words,
        "rule_title": rule_title,
    }
    return environment


def context(care: Care) -> dict[str, Any]:
    """Everything the template prints."""
    return {
        "care": care,
        "levels": care.decision.levels,
        "questions": next_questions(care),
        "conservative": topics("conservative", care),
        "techniques": techniques(),
        "blocks": matrix(care.decision),
        "words": STATUS_WORDS,
        "marks": STATUS_MARKS,
        "timeline": timeline(care.record),
        "bands": bands(care.record),
        "trials": trials(),
        "plan": care.prevention,
        "trust_words": trust_words(),
        "publications": publications(care),
    }
