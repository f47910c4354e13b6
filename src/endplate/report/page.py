"""What every page is made with: one template environment, one style sheet."""

from __future__ import annotations

from importlib.resources import files
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from endplate.report.phrase import anatomical

POLICY = "default-src 'none'; style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
"""Content security of every page: no script, no network, no form; its own styles and pictures only."""


def template_environment() -> Environment:
    """A fresh environment of the packaged templates: everything escaped, nothing undefined passed over."""
    environment = Environment(
        loader=PackageLoader("endplate.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        finalize=_shown,
    )
    environment.globals["policy"] = POLICY
    environment.filters["anatomical"] = anatomical
    return environment


def _shown(value: Any) -> Any:
    """A value as it may stand on a page: text of any origin without control, escape and direction characters."""
    if not isinstance(value, str) or isinstance(value, Markup) or value.isprintable():
        return value
    return "".join(letter if letter.isprintable() or letter.isspace() else "\ufffd" for letter in value)


def style() -> Markup:
    """The style sheet of every page, that of the figures in it."""
    return Markup(_sheet("frame.css") + _sheet("report.css") + _sheet("figures.css"))


def style_within(selector: str) -> str:
    """The style sheet of the report for a place in another page, which keeps its own colours, frame and type size."""
    return f"{selector} {{\n{_sheet('report.css')}{_sheet('figures.css')}}}\n"


def figure_style() -> str:
    """The style sheet of the figures alone, for drawings that leave their page."""
    return _sheet("figures.css")


def _sheet(name: str) -> str:
    return files("endplate.report").joinpath(f"templates/{name}").read_text(encoding="utf-8")
