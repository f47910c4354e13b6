"""A report of a case with rehearsals that somebody chose: the report as it stands, with a section for each of them."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from endplate.atomic import private_folder, write_bytes, write_text
from endplate.errors import EndplateError, InputError
from endplate.jobs.context import JobContext
from endplate.store.audit import note
from endplate.store.rehearsals import RehearsalRow, basis_of, rehearsals_of, why_old

if TYPE_CHECKING:
    from endplate.case import Case

PART = "part.json"
PAGE, PDF = "report.html", "report.pdf"
NAMES = (PAGE, PDF)
MAX_BYTES = 2**25
_IDS = re.compile(r'(\bid|aria-labelledby|aria-describedby|href)="(#?)([^"]+)"')


def write_part(case: Case, folder: Path) -> None:
    """Write what a report prints of the last rehearsal of a case.

    Raises
    ------
    OutputError : the file cannot be written.
    """
    from endplate.report.overview.repairs import repairs
    from endplate.report.plain_view import plain_view, view_to_json
    from endplate.report.rehearsal.section import sections

    done = case.rehearsals[-1]
    view = {"section": sections(case)[-1], "repairs": repairs(done), "level": str(done.level)}
    write_text(folder / PART, view_to_json(plain_view(view)))


def rehearsal_report(context: JobContext) -> dict[str, Any]:
    """The task: the page, and the PDF where one can be made, in the folder of the job.

    Arguments of the job: `rehearsals`, ids of those chosen, in the order of their sections.

    Raises
    ------
    InputError : none was chosen, one is gone or out of date, or the case was not measured.
    """
    from endplate.report.again import render_again
    from endplate.report.plain_view import view_from_json

    case = context.case()
    if case.folder is None:
        raise InputError("this case was not measured yet", "there is no report to add to", "wait for its job")
    context.tell("report", 0.0, "")
    chosen = _chosen(context)
    parts = []
    for row in chosen:
        place = context.files.run(row.id) / PART
        try:
            parts.append((row, view_from_json(place.read_text(encoding="utf-8"))))
        except (OSError, ValueError) as error:
            raise InputError(f"the pictures of {row.title} are gone", "", "run that rehearsal again") from error
    text = render_again(case.folder, lambda view: _with(view, parts))
    here = context.folder()
    private_folder(here)
    write_text(here / PAGE, text)
    context.tell("report", 0.6, "")
    made, missing = [PAGE], ""
    try:
        from endplate.report.pdf import report_pdf

        write_bytes(here / PDF, report_pdf(text))
        made.append(PDF)
    except (EndplateError, ImportError, OSError) as error:
        missing = str(error)
    note(context.store, context.job.asked_by, "wrote a report with rehearsals", case)
    context.tell("report", 1.0, "")
    return {"files": made, "missing": missing, "rehearsals": [row.id for row in chosen], "of": case.version}


def _chosen(context: JobContext) -> list[RehearsalRow]:
    held = {row.id: row for row in rehearsals_of(context.store, context.case().id)}
    chosen = [held[one] for one in context.arguments.get("rehearsals", []) if one in held]
    if not chosen or len(chosen) != len(context.arguments.get("rehearsals", [])):
        raise InputError("a rehearsal that was chosen is not there", "it was removed meanwhile", "choose again")
    for row in chosen:
        why = why_old(row.basis, basis_of(context.store, row.case_id, row.level))
        if why:
            raise InputError(f"{row.title} is out of date", why, "leave it out, or run it again")
    return chosen


def _with(view: dict[str, Any], parts: list[tuple[RehearsalRow, dict[str, Any]]]) -> dict[str, Any]:
    """The view of a report with more rehearsals in it; names of drawings are made their own."""
    sections, tables, anchors, contents = [], [], [], []
    for number, (row, part) in enumerate(parts, 1):
        anchor = f"{part['level']}-kept-{number}"
        made = (
            f"Run in the workbench: {row.title}; asked by {row.who}, {row.at:%Y-%m-%d %H:%M} UTC, "
            f"endplate {row.version}."
        )
        section = _apart(part["section"], f"kept{number}-")
        sections.append(section | {"anchor": anchor, "title": row.title, "made": made})
        tables.append(part["repairs"] | {"title": f"{row.title} ({row.who}, {row.at:%Y-%m-%d})"})
        anchors.append(anchor)
        contents.append([f"rehearsal-{anchor}", f"Rehearsal: {row.title}"])
    titles = "; ".join(row.title for row, _ in parts)
    said = {"label": "Rehearsal", "text": f"Chosen from the workbench, each in its section: {titles}.", "tone": "calm"}
    lines = [
        line if line.get("label") != "Rehearsal" else said | {"text": _both(line, said["text"], view)}
        for line in view["lines"]
    ]
    return view | {
        "lines": lines,
        "rehearsals": [*view["rehearsals"], *sections],
        "repairs": [*view["repairs"], *tables],
        "rehearsed": [*view["rehearsed"], *anchors],
        "own_contents": [*view["own_contents"], *contents],
    }


def _both(line: dict[str, Any], words: str, view: dict[str, Any]) -> str:
    """The line of the answer about rehearsals: what it said where there was one, and what was added."""
    return f"{line.get('text', '')} {words}" if view["rehearsals"] else words


def _apart(value: Any, prefix: str) -> Any:
    """The same part with ids of its drawings that no other part has."""
    if isinstance(value, Markup):
        named = _IDS.sub(_renamed(prefix), str(value))
        return Markup(named.replace("url(#", f"url(#{prefix}"))
    if isinstance(value, dict):
        return {key: _apart(item, prefix) for key, item in value.items()}
    return [_apart(item, prefix) for item in value] if isinstance(value, list) else value


def _renamed(prefix: str) -> Any:
    def named(found: re.Match[str]) -> str:
        name, hash_, ids = found.groups()
        if name == "href" and not hash_:
            return found[0]
        return f'{name}="{hash_}{" ".join(prefix + one for one in ids.split())}"'

    return named
