"""What the writing commands of `endplate follow` do."""

from __future__ import annotations

import getpass
import os
from contextlib import AbstractContextManager
from dataclasses import asdict
from datetime import date, timedelta
from pathlib import Path
from typing import Any, get_args

from endplate.cli.exit_codes import Output
from endplate.cli.follow.gaps import gap, stored_anyway
from endplate.cli.follow.options import DatabaseOptions, Kind, Milestone, VisitInput
from endplate.cli.terminal import say
from endplate.decision.recovery.deformity import Change
from endplate.decision.recovery.flags import Flag
from endplate.errors import OptionError, RecordError
from endplate.followup.begin import beginning, in_range
from endplate.followup.read import course
from endplate.followup.write import (
    Author,
    add,
    add_scan,
    close_episode,
    correct,
    plain,
    remove,
    start_episode,
)
from endplate.level import parse_level
from endplate.patient import PatientRecord, read_record
from endplate.report.read_document import read_document
from endplate.store.database import Store, open_store

DATABASE, DEFAULT = "ENDPLATE_DATABASE", "endplate.db"
DERIVED = ("counts_from", "last_seen", "due_from", "alarm_since")
FIXED = ("id", "version", "episode_id", "patient_id", "document", "fingerprint", "record", *DERIVED)
CHOICES: dict[str, tuple[str, ...]] = {"repair": get_args(Kind), "milestone": get_args(Milestone)}


def opened(where: DatabaseOptions, create: bool = False) -> AbstractContextManager[Store]:
    """The database of a command."""
    return open_store(name_of(where), create=create)


def author(where: DatabaseOptions) -> Author:
    """Who writes."""
    try:
        return Author(name=(where.who or "").strip() or getpass.getuser())
    except (KeyError, OSError) as error:
        raise OptionError(
            "this computer does not say who writes", "every change keeps its author", "give --who"
        ) from error


def today(where: DatabaseOptions) -> date:
    """The day of a command."""
    return where.on or date.today()


def happened(where: DatabaseOptions) -> date:
    """The day something happened; a day to come would hide a patient from the due list.

    Raises
    ------
    OptionError : the day is still to come, everywhere on earth.
    """
    day = today(where)
    if day > date.today() + timedelta(days=1):
        raise OptionError(f"--on {day} lies in the future", "only what has happened is kept", "check the year")
    return day


def begin(
    record_path: Path, case: Path | None, levels: list[str] | None, where: DatabaseOptions, talk: Output
) -> dict[str, Any]:
    """Begin an episode."""
    record = read_record(record_path)
    if record.id is None:
        raise RecordError(f"the record {record_path} has no id", "a course belongs to a patient", "add an id to it")
    document = read_document(case, record.id) if case is not None else None
    wanted = _named(levels) if levels else _levels(record, document)
    first = happened(where) if record.recorded_on is None else record.recorded_on
    if where.on is not None and where.on != first:
        raise OptionError(
            f"--on is {where.on}, but the record {record_path} is of {first}",
            "an episode begins with its record",
            "leave out --on",
        )
    start = beginning(record, wanted, first, document)
    with opened(where, create=True) as store:
        number = start_episode(store, author(where), start.patient, first, wanted, start.rows, **start.more)
    talk_line(talk, f"episode {number}: patient {record.id}, {', '.join(wanted)}, from {first}")
    for other in start.others:
        talk_line(talk, f"not part of it: {other}")
    return {"episode": number, "levels": wanted, "not_part_of_it": list(start.others)}


def _levels(record: PatientRecord, document: dict[str, Any] | None) -> list[str]:
    """Fractured levels as the record names them, else as the scan found them."""
    found = [str(level) for level, read in record.levels.items() if read.fracture]
    if not found and document is not None:
        found = [f["level"] for f in document["findings"] if f["code"] == "fracture" and f["value"] == "yes"]
    if not found:
        raise OptionError(
            "no fractured level is known", "an episode is about a fracture", "give --level, e.g. --level L1"
        )
    return found


def _named(levels: list[str]) -> list[str]:
    """Levels by their names, each once."""
    return list(dict.fromkeys(parse_level(level).value for level in levels))


def add_visit(episode: int, seen: VisitInput, where: DatabaseOptions, talk: Output) -> dict[str, Any]:
    """Add a visit and tell its flags."""
    values = {name: value for name, value in asdict(seen).items() if value is not None}
    if not values.get("note", "").strip():
        values.pop("note", None)
    in_range(values)
    if not values:
        raise OptionError("the visit says nothing", "it would count as seen", "give a score, a sign or a --note")
    with opened(where) as store:
        number = add(store, author(where), "visit", episode, values | {"on": happened(where)})
        with stored_anyway(f"visit {number} of episode {episode}") as after:
            found = course(store, episode)
            flags = found.flags(today(where))
            after["flags"] = [plain_flag(flag) for flag in flags]
            after["lines"] = [*map(flag_line, flags), *map(gap, found.damage)]
            after["gaps"] = [str(one) for one in found.damage]
    talk_line(talk, f"visit {number} of episode {episode} on {today(where)}")
    for line in after.pop("lines", ()):
        talk_line(talk, line)
    return {"visit": number, "flags": [], **after}


def add_row(kind: str, episode: int, values: dict[str, Any], where: DatabaseOptions, talk: Output) -> dict[str, Any]:
    """Add a repair or a milestone."""
    if "levels" in values:
        values = values | {"levels": _named(values["levels"])}
    with opened(where) as store:
        number = add(store, author(where), kind, episode, values | {"on": happened(where)})
    talk_line(talk, f"{kind} {number} of episode {episode} on {today(where)}")
    return {kind: number}


def add_case(episode: int, folder: Path, where: DatabaseOptions, talk: Output) -> dict[str, Any]:
    """Add a scan, and tell what changed since the one before and since the first."""
    with opened(where) as store:
        patient = course(store, episode).episode.patient_id
        number = add_scan(store, author(where), episode, happened(where), read_document(folder, patient))
        with stored_anyway(f"scan {number} of episode {episode}") as after:
            seen = course(store, episode)
            changes = seen.changes(number)
            after["changes"] = [plain(asdict(change)) for change in changes]
            after["lines"] = [
                f"{change.level} since {change.against}: worse: {change.worse}; {_size(change)}" for change in changes
            ] + [gap(one) for one in seen.damage]
            after["gaps"] = [str(one) for one in seen.damage]
    talk_line(talk, f"scan {number} of episode {episode} on {today(where)}")
    for line in after.pop("lines", ()):
        talk_line(talk, line)
    return {"scan": number, "changes": [], **after}


def remove_row(kind: str, number: int, where: DatabaseOptions, talk: Output) -> dict[str, Any]:
    """Take a row out of its episode; the history keeps it."""
    with opened(where) as store:
        remove(store, author(where), kind, number)
    talk_line(talk, f"{kind} {number} is removed; the history keeps what it held")
    return {"removed": {"kind": kind, "number": number}}


def database_files(where: DatabaseOptions) -> list[Path]:
    """The files of a command's database; none where it is a server's."""
    name = name_of(where)
    return [] if "://" in name else [Path(name), Path(f"{name}-journal"), Path(f"{name}-wal")]


def name_of(where: DatabaseOptions) -> str:
    """File or URL of a command's database."""
    return where.database if where.database is not None else os.environ.get(DATABASE) or DEFAULT


def _size(change: Change) -> str:
    """How much changed, and why nothing more can be said."""
    size = "" if change.change is None else f"{change.what.replace('_', ' ')} {change.change:+.1f}"
    sure = "" if change.sd is None else f" (SD {change.sd:.1f})"
    return "; ".join(part for part in (size + sure, change.reason) if part)


def correct_row(kind: str, number: int, change: str, where: DatabaseOptions, talk: Output) -> dict[str, Any]:
    """Correct one field."""
    from endplate.store.tables import TABLES

    name, _, text = change.partition("=")
    column = TABLES[kind].columns.get(name)
    known = [c.name for c in TABLES[kind].columns if c.name not in FIXED]
    if column is None or name in FIXED or not text:
        raise OptionError(
            f"{change!r} changes nothing of this {kind}", "", f"write FIELD=VALUE; fields: {', '.join(known)}"
        )
    if text == "unknown" and not column.nullable:
        raise OptionError(f"{name} of this {kind} is always known", "", "give its value")
    values = {name: _parsed(text, column.type.python_type, name)}
    if kind in CHOICES and name == "kind" and text not in CHOICES[kind]:
        raise OptionError(f"{text!r} is no kind of {kind}", "", f"choose one of: {', '.join(CHOICES[kind])}")
    in_range({key: value for key, value in values.items() if value is not None})
    with opened(where) as store:
        correct(store, author(where), kind, number, values)
    talk_line(talk, f"{kind} {number}: {name} is now {text}; the old value is kept")
    return {kind: number, name: text}


def _parsed(text: str, kind: type, name: str) -> Any:
    if text == "unknown":
        return None
    if name == "levels":
        return _named([level.strip() for level in text.split(",")])
    try:
        if kind is date:
            return _past(date.fromisoformat(text))
        if kind is bool:
            return {"yes": True, "true": True, "no": False, "false": False}[text.lower()]
        return kind(text)
    except (ValueError, KeyError) as error:
        raise OptionError(
            f"{text!r} is no value of {name}", "", "write a number, a date, yes, no or unknown"
        ) from error


def _past(day: date) -> date:
    return happened(DatabaseOptions(on=day))


def close_one(episode: int, where: DatabaseOptions, talk: Output) -> dict[str, Any]:
    """End an episode."""
    with opened(where) as store:
        close_episode(store, author(where), episode, happened(where))
    talk_line(talk, f"episode {episode} is closed")
    return {"episode": episode}


def flag_line(flag: Flag) -> str:
    """A flag in a line."""
    return f"! {flag.urgency}: {flag.text}; {flag.action} (since {flag.since})"


def plain_flag(flag: Flag) -> dict[str, Any]:
    """A flag as JSON."""
    return plain(asdict(flag))


def talk_line(talk: Output, text: str) -> None:
    """A line for people."""
    if talk.for_people:
        say(text)
