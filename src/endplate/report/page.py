"""What every page is made with: one template environment, one style sheet."""

from __future__ import annotations

from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup


def template_environment() -> Environment:
    """A fresh environment of the packaged templates: everything escaped, nothing undefined passed over."""
    return Environment(
        loader=PackageLoader("endplate.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def style() -> Markup:
    """The style sheet."""
    return Markup(files("endplate.report").joinpath("templates/report.css").read_text(encoding="utf-8"))
