"""What the reading commands of `endplate follow` print and write."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table

from endplate.cli.exit_codes import Output
from endplate.cli.follow.actions import database_files, flag_line, opened, plain_flag, talk_line, today
from endplate.cli.follow.gaps import gap
from endplate.cli.follow.options import DatabaseOptions
from endplate.cli.terminal import plain as one_line
from endplate.cli.terminal import say_table
from endplate.decision.recovery.expected_course import course_models_for, expected
from endplate.followup.key_figures import key_figures
from endplate.followup.read import EpisodeCourse, course, due_list, episode_exists, episodes, history
from endplate.followup.row import Damage
from endplate.followup.write import plain

KEY_FIGURES_SAY = (
    "IOF/FFN/NOF set (Javaid 2020). An episode counts once the time allowed has passed; those known to be of high"
    " energy are left out. How many fractures were found at all cannot be told from this database."
)


def show_course(episode: int, page: Path | None, where: DatabaseOptions, talk: Output) -> dict[str, Any]:
    """Print a course, and write its page when asked."""
    with opened(where) as store:
        seen = course(store, episode)
    day = today(where)
    flags, settled, due = seen.flags(day), seen.settled(), seen.due(day)
    if page is not None:
        from endplate.report.course_page import course_page
        from endplate.report.folder import write_file

        write_file(page, course_page(seen, day), "page", database_files(where))
    if talk.for_people:
        row = seen.episode
        state = f"closed {row.closed_on}" if row.closed_on else "open"
        talk_line(talk, f"episode {row.id} ({state}): patient {row.patient_id}, {', '.join(row.levels)}")
        talk_line(talk, f"counts from {seen.start.on}: {_what(seen)}")
        for flag in flags:
            talk_line(talk, flag_line(flag))
        for flag in settled:
            talk_line(talk, f"settled {flag.settled_on}: {flag.text} (since {flag.since})")
        if due is not None:
            talk_line(talk, f"due: {due.words}{f'; {due.missed}' if due.overdue else ''}")
        for change in seen.score_changes():
            before = "–" if change.before is None else f"{change.before:g}"
            talk_line(talk, f"{change.name}: {before} to {change.after:g} by {change.on}: {change.text}")
        for one in seen.damage:
            talk_line(talk, gap(one))
        _print(_visits(seen))
        if page is not None:
            talk_line(talk, f"Page     {page.resolve()}")
    return {
        "episode": episode,
        "procedure": seen.procedure,
        "counts_from": seen.start.on.isoformat(),
        "flags": [plain_flag(flag) for flag in flags],
        "settled": [plain_flag(flag) for flag in settled],
        "changed": [plain(asdict(change)) for change in seen.score_changes()],
        "due": None if due is None else {"visit": due.visit, "closes": due.closes.isoformat(), "overdue": due.overdue},
        "visits": [_plain(visit) for visit in seen.visits],
        "gaps": [str(one) for one in seen.damage],
    }


def _what(seen: EpisodeCourse) -> str:
    if not seen.repairs:
        return "care without a procedure"
    return f"{seen.procedure} of {', '.join(seen.repairs[-1].levels)}"


def _visits(seen: EpisodeCourse) -> Table:
    """Visits with what trials let expect beside the pain."""
    asked = {"eq5d": "EQ-5D", "qualeffo": "QUALEFFO", "pcs": "SF-36 PCS"}
    asked = {key: head for key, head in asked.items() if any(getattr(v, key) is not None for v in seen.visits)}
    table = _table("Visit", "On", "Day", "Pain", "Expected pain", "RMDQ", "ODI", *asked.values(), "Note")
    tracks = course_models_for(seen.procedure, "nrs", seen.fracture_days)
    for visit in seen.visits:
        day = (visit.on - seen.start.on).days
        bands = []
        if seen.start.nrs is not None and day > 0:
            bands = [band for track in tracks if (band := expected(track, seen.start.nrs, day)) is not None]
        span = f"{min(b.low for b in bands):.1f}-{max(b.high for b in bands):.1f}" if bands else "–"
        others = [getattr(visit, key) for key in asked]
        cells = [visit.id, visit.on, day, visit.nrs, span, visit.rmdq, visit.odi, *others, visit.note]
        table.add_row(*(_cell(cell) for cell in cells))
    return table


def show_list(patient: str | None, limit: int, where: DatabaseOptions, talk: Output) -> dict[str, Any]:
    """Print episodes."""
    damage: list[Damage] = []
    with opened(where) as store:
        rows = episodes(store, patient, limit, damage)
    tell_gaps(damage, talk)
    columns = ("id", "patient_id", "levels", "started_on", "last_seen", "closed_on")
    if talk.for_people:
        table = _table("Episode", "Patient", "Levels", "Started", "Last seen", "Closed")
        for row in rows:
            table.add_row(*(_cell(getattr(row, name)) for name in columns))
        if rows:
            _print(table)
        else:
            talk_line(talk, "no episode" + (f" of patient {patient}" if patient else ""))
    told_rows = [{name: _jsonable(getattr(row, name)) for name in columns} for row in rows]
    return {"episodes": told_rows, "gaps": [str(one) for one in damage]}


def tell_gaps(damage: Sequence[Damage], talk: Output) -> None:
    """What cannot be read, a line each."""
    for one in damage:
        talk_line(talk, gap(one))


def show_due(limit: int, where: DatabaseOptions, talk: Output) -> dict[str, Any]:
    """Print the due list."""
    damage: list[Damage] = []
    with opened(where) as store:
        rows, total = due_list(store, today(where), limit, damage)
    tell_gaps(damage, talk)
    if talk.for_people:
        table = _table("Episode", "Patient", "Visit", "Until", "State", "Last seen")
        for row in rows:
            state = f"overdue, was due by {row.due.missed_since}" if row.due.overdue else "due"
            cells = [row.episode_id, row.patient_id, row.due.visit, row.due.closes, state, row.last_seen]
            table.add_row(*(_cell(cell) for cell in cells))
        if rows:
            _print(table)
        talk_line(talk, f"{total} due on {today(where)}" + (f", {len(rows)} shown" if len(rows) < total else ""))
    told_rows = [
        {
            "episode": row.episode_id,
            "patient": row.patient_id,
            "visit": row.due.visit,
            "until": row.due.closes.isoformat(),
            "overdue": row.due.overdue,
        }
        for row in rows
    ]
    return {"due": told_rows, "total": total, "gaps": [str(one) for one in damage]}


def show_key_figures(where: DatabaseOptions, talk: Output) -> dict[str, Any]:
    """Print the key figures."""
    damage: list[Damage] = []
    with opened(where) as store:
        figures = key_figures(store, today(where), damage)
    tell_gaps(damage, talk)
    if talk.for_people:
        table = _table("Key figure", "Done", "Of", "Percent", "Band")
        for f in figures:
            table.add_row(f.name, str(f.done), str(f.of), "–" if f.percent is None else f"{f.percent:.0f}", f.band)
        _print(table)
        talk_line(talk, KEY_FIGURES_SAY)
    told_figures = [{"name": f.name, "done": f.done, "of": f.of, "percent": f.percent} for f in figures]
    return {"figures": told_figures, "gaps": [str(one) for one in damage]}


def show_history(episode: int, where: DatabaseOptions, talk: Output) -> dict[str, Any]:
    """Print every change of an episode."""
    damage: list[Damage] = []
    with opened(where) as store:
        episode_exists(store, episode)
        rows = history(store, episode, damage)
    tell_gaps(damage, talk)
    if talk.for_people:
        table = _table("When (UTC)", "Who", "What", "Before", "After")
        for row in rows:
            before, after = _difference(row.before, row.after)
            table.add_row(
                f"{row.at:%Y-%m-%d %H:%M:%S}",
                one_line(row.who),
                one_line(f"{row.entity} {row.entity_id}"),
                before,
                after,
            )
        _print(table)
    return {
        "changes": [
            {
                "at": row.at.isoformat(),
                "who": row.who,
                "what": f"{row.entity} {row.entity_id}",
                "before": row.before,
                "after": row.after,
            }
            for row in rows
        ],
        "gaps": [str(one) for one in damage],
    }


def _difference(before: dict[str, Any] | None, after: dict[str, Any] | None) -> tuple[str, str]:
    """Only what differs; long values are cut."""
    old = before or {}
    if after is None:
        return _short(old), "removed"
    names = [name for name in after if name != "version" and old.get(name) != after[name]]
    return _short({n: old[n] for n in names if n in old}), _short({n: after[n] for n in names})


def _short(values: dict[str, Any]) -> str:
    text = ", ".join(f"{name} {json.dumps(value)}" for name, value in values.items() if value is not None)
    return one_line(text if len(text) <= 160 else text[:157] + "...")


def _table(*columns: str) -> Table:
    table = Table(box=SIMPLE_HEAD)
    for column in columns:
        table.add_column(column)
    return table


def _print(table: Table) -> None:
    # What people typed is text, whatever brackets it holds.
    say_table(table, markup=False)


def _cell(value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, float):
        return f"{value:g}"
    return one_line(", ".join(value) if isinstance(value, Sequence) and not isinstance(value, str) else value)


def _plain(row: Any) -> dict[str, Any]:
    return {name: _jsonable(value) for name, value in row._mapping.items()}


def _jsonable(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date) else value
