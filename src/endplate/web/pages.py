"""Pages from templates: one environment, escaping always on, and what every page knows."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from typing import Any

from fastapi import Request
from fastapi.responses import HTMLResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from endplate import __version__
from endplate.api.progress import STAGE_WORDS
from endplate.errors import EndplateError
from endplate.jobs.job import Job
from endplate.report.care.words import change_words, fact_words, missing_words
from endplate.report.page import template_environment
from endplate.store.cases import CaseRow
from endplate.web.screens import CASE_SCREENS, MAIN_SCREENS

WORDS = STAGE_WORDS | {"recognise": "Recognising the files"}


@cache
def templates() -> Environment:
    """The templates of the workbench."""
    found = Environment(
        loader=PackageLoader("endplate.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        # No control or direction character of a name reaches a page, as in the report.
        finalize=template_environment().finalize,
    )
    found.filters |= {"stage_words": stage_words, "seconds": seconds_words, "ago": ago_words, "percent": percent_words}
    found.filters |= {
        "sentence": sentence,
        "fact_words": fact_words,
        "missing_words": missing_words,
        "change_words": change_words,
    }
    found.globals |= {"version": __version__}
    return found


def page(request: Request, template: str, status: int = 200, **values: Any) -> HTMLResponse:
    """A page, or a part of one.

    Parameters
    ----------
    template : file in `templates/`. values : for it; `case` also opens the navigation of the case.
    """
    user = request.state.user
    token = "" if user is None else user.csrf
    known = {
        "request": request,
        "user": user,
        "csrf": token,
        "csrf_field": Markup('<input type="hidden" name="csrf" value="{}">').format(token),
        "main_screens": [one for one in MAIN_SCREENS if user is not None and user.may(one.role)],
        "case_screens": _case_screens(values.get("case")),
        "here": request.url.path,
        "signs_in": not request.app.state.bench.settings.local,
    }
    return HTMLResponse(templates().get_template(template).render(known | values), status)


def _case_screens(case: Any) -> list[tuple[str, str]]:
    if not isinstance(case, CaseRow):
        return []
    shown = [one for one in sorted(CASE_SCREENS, key=lambda one: one.order) if one.shown(case)]
    return [(one.title, one.path.format(case_id=case.id)) for one in shown]


def error_page(request: Request, status: int, error: EndplateError) -> HTMLResponse:
    """An error as one clear line: a whole page, or the line alone where a part of a page was asked for."""
    if "hx-request" in request.headers:
        return HTMLResponse(f'<p class="refusal" role="alert">{escape(str(error))}</p>', status)
    return page(request, "error.html.j2", status, error=error)


def bare_page(title: str, what: str, fix: str) -> str:
    """A small page for those whom we do not know."""
    return templates().get_template("bare.html.j2").render(title=title, what=what, fix=fix)


def stage_words(job: Job) -> str:
    """What a job does now, in words."""
    if job.state == "queued":
        return "Waiting for a worker"
    return WORDS.get(job.stage or "", job.stage or "Starting")


def sentence(words: str) -> str:
    """Words as a sentence: a capital first and a full stop last."""
    return f"{words[:1].upper()}{words[1:].rstrip('.')}." if words else ""


def seconds_words(seconds: float | None) -> str:
    """A time in words that is as exact as it is known."""
    if seconds is None:
        return "time left not known yet"
    if seconds < 50:
        return f"about {max(5 * round(seconds / 5), 5)} s left"
    return f"about {round(seconds / 60) or 1} min left"


def ago_words(moment: datetime | None) -> str:
    """How long ago something was, in UTC."""
    if moment is None:
        return ""
    seconds = (datetime.now(UTC).replace(tzinfo=None) - moment).total_seconds()
    for size, word in ((86400, "d"), (3600, "h"), (60, "min")):
        if seconds >= size:
            return f"{int(seconds // size)} {word} ago"
    return "just now"


def percent_words(fraction: float | None) -> int:
    """A fraction as whole per cent."""
    return round(100 * (fraction or 0.0))
