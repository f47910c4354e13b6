"""The page: one self-contained HTML file that needs no network, from plain view objects and the templates."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from endplate.case import Case
from endplate.report.care.section import as_names, care_parts, unweighed_parts
from endplate.report.constants import by_source
from endplate.report.page import style, template_environment
from endplate.report.page_view import report_view
from endplate.report.phrase import moment, polished, stopped
from endplate.report.shared_pictures import shared

INDENT = re.compile(r"\n\s+")
"""White space that a browser shows as one space."""


def to_html(case: Case) -> str:
    """The report as one HTML text; everything that came from files or records is escaped."""
    return render(report_view(case), unweighed_parts() if case.care is None else care_parts(case.care))


def render(view: Mapping[str, Any], parts: Mapping[str, Markup], inside: bool = False) -> str:
    """The report from a view (see `report_view`) and the parts of a decision by the names of their places.

    Parameters
    ----------
    inside : without head and style sheet, for a place in another page (`style_within`).
    """
    environment = template_environment()
    environment.filters |= {"moment": moment, "polished": polished, "stopped": stopped, "by_source": by_source}
    name = "report_inside.html.j2" if inside else "report.html.j2"
    page = environment.get_template(name).render(**view, **as_names(parts), style=style())
    return shared(INDENT.sub("\n", page))
