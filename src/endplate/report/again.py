"""A report rendered again from a results folder, without the scan: after an update, or as PDF."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from markupsafe import Markup

from endplate.errors import OptionError, OutputError
from endplate.report.care.places import CARE, PLACES, marks
from endplate.report.care.section import unweighed_parts
from endplate.report.care.write import AID
from endplate.report.folder import PAGE, VIEW, exchanged, settle
from endplate.report.html import render
from endplate.report.manifest import read_manifest, standing
from endplate.report.owned import DECISION, StandingError
from endplate.report.pdf import report_pdf
from endplate.report.plain_view import view_from_json

PDFS = {"Report as PDF": (PAGE, "report.pdf"), "Decision aid as PDF": (AID, "decision-aid.pdf")}
"""Which pages become which PDF."""


def render_again(
    folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]] | None = None, *, inside: bool = False
) -> str:
    """The report of a results folder, rendered anew from the view objects kept there.

    Parameters
    ----------
    folder : Path
        What `write_report` wrote; a decision that stands in its page is kept as it stands.
    change : callable, optional
        Takes the view and returns the one to render, such as with more rehearsals in it.
    inside : bool, default False
        Whether the report is wanted for a place in another page, without head and style sheet.

    Returns
    -------
    str
        The page, or the part of one.

    Raises
    ------
    OptionError
        The folder holds no view, or not as endplate left it: view and page are parts of a page and must be our own.
    """
    view = _view(folder) if change is None else change(_view(folder))
    page = _own(folder, PAGE)
    if inside and page is None:
        raise OptionError(
            f"{folder} holds no {PAGE} as endplate left it", "what was decided stands in it", "open the file"
        )
    return render(view, {**unweighed_parts(), **({} if page is None else _parts(page))}, inside)


def write_again(folder: Path, pdf: bool = False, inputs: Iterable[Path] = ()) -> dict[str, Path]:
    """Render the report of a results folder again; with `pdf`, write it and the decision aid as PDF too.

    Parameters
    ----------
    folder : Path
        What an earlier run wrote.
    pdf : bool, default False
        Whether to write report.pdf, and decision-aid.pdf where there is an aid.
    inputs : iterable of Path, optional
        What is never replaced.

    Returns
    -------
    dict of str to Path
        Title of each file written, to its path.

    Raises
    ------
    OptionError
        As `render_again`, or WeasyPrint is not installed.
    OutputError
        The folder cannot be written, or holds pages that are not ours as we left them.
    """
    settle(folder)
    page = render_again(folder)
    paths = {"Report": folder / PAGE}
    try:
        with exchanged(folder, ("pdf",), inputs) as new:
            (new / PAGE).write_text(page, encoding="utf-8")
            for title, (source, name) in PDFS.items() if pdf else ():
                text = page if source == PAGE else _own(folder, source)
                if text is not None:
                    (new / name).write_bytes(report_pdf(text))
                    paths[title] = folder / name
    except StandingError as error:  # a page is rendered into its own folder, so no other place can be advised
        decided = f", then `endplate decide {folder} --record RECORD` for the verdicts in it"
        fix = f"move it away and run this again{decided if (folder / DECISION).is_file() else ''}"
        raise OutputError(error.what, error.why, fix) from error
    return paths


def _view(folder: Path) -> dict[str, Any]:
    text = _own(folder, VIEW)
    try:
        view = None if text is None else view_from_json(text)
    except ValueError:
        view = None
    if not isinstance(view, dict):
        raise OptionError(
            f"{folder} holds no {VIEW} as endplate left it",
            "a page is rendered again from it",
            "assess or plan the scan again, or give the folder of such a run",
        )
    return view


def _own(folder: Path, name: str) -> str | None:
    """A file of a results folder; None where it is not there as endplate left it."""
    if standing(folder, name, read_manifest(folder).get(name)) != "ours":
        return None
    try:
        return (folder / name).read_text(encoding="utf-8")
    except (OSError, ValueError):
        return None


def _parts(page: str) -> dict[str, Markup]:
    """The parts of a decision that stand in a page of ours; none where nothing was decided."""
    found = {}
    for name in PLACES:
        begin, end = marks(name)
        match = re.search(re.escape(begin) + ".*?" + re.escape(end), page, re.DOTALL)
        if match:
            found[name] = Markup(match[0])
    decided = len(found.get(CARE, "")) > len("".join(marks(CARE)))
    return found if decided else {}
