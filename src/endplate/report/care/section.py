"""The care section of the report, and the page of its own where there is no scan."""

from __future__ import annotations

from functools import cache
from typing import Any

from jinja2 import Environment
from markupsafe import Markup

from endplate.case.care import Care
from endplate.decision.recovery.trials import trials
from endplate.report.care.matrix import matrix
from endplate.report.care.recovery import bands
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
EMPTY = Markup(f"{BEGIN}{END}")
"""The place of a section that is not there yet."""


def care_section(care: Care) -> Markup:
    """The section between its marks."""
    body = _environment().get_template("care.html.j2").render(context(care))
    return Markup(f"{BEGIN}\n{body}\n{END}")


def care_page(care: Care) -> str:
    """A page that holds the section alone."""
    return (
        _environment()
        .get_template("care_page.html.j2")
        .render(section=care_section(care), care=care, version=__version__, style=style())
    )


def within(page: str, care: Care) -> str:
    """A report with the section put in, or in place of an earlier one.

    Raises
    ------
    ValueError : the page has no place for it.
    """
    head, begin, rest = page.partition(BEGIN)
    _, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError("the page has no place for the care section")
    return head + str(care_section(care)) + tail


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
        "blocks": matrix(care.decision),
        "words": STATUS_WORDS,
        "marks": STATUS_MARKS,
        "timeline": timeline(care.record),
        "bands": bands(care.record),
        "trials": trials(),
        "plan": care.prevention,
        "trust_words": trust_words(),
    }
