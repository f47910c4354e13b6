"""The commands of `endplate follow`; what they do is in `work`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from endplate.cli import exit_codes as outcome
from endplate.cli.follow.options import (
    HERE,
    NOTHING,
    DatabaseOptions,
    Episode,
    Kind,
    Limit,
    Milestone,
    Part,
    Row,
    VisitInput,
)
from endplate.cli.options.run import NO_RUN, RunOptions, option

HELP = """Keep a patient's course: episodes, repairs, visits and follow-up scans, with every change of them.

    endplate follow start patient.json --level L1

    endplate follow visit 1 --nrs 4 --rmdq 9

    endplate follow show 1

    endplate follow due

The database is an SQLite file, `endplate.db` here unless said otherwise, or PostgreSQL by URL.
"""

app = App(name="follow", help=HELP, help_format="markdown")


@app.command
def start(
    record: Annotated[Path, Parameter(help="Patient record (JSON, TOML).")],
    /,
    *,
    case: Annotated[Path | None, option("Folder of an `assess` or `plan` run; its scan becomes the first.")] = None,
    level: Annotated[list[str] | None, option("Fractured level; may be given several times.")] = None,
    where: DatabaseOptions = HERE,
    run: RunOptions = NO_RUN,
) -> int:
    """Begin an episode from a patient record; its levels come from the record or the case where not given."""
    from endplate.cli.follow.actions import begin

    return outcome.answer(lambda talk: begin(record, case, level, where, talk), run)


@app.command
def visit(
    episode: Episode, /, *, seen: VisitInput = NOTHING, where: DatabaseOptions = HERE, run: RunOptions = NO_RUN
) -> int:
    """Add a visit, and tell the flags that it raises."""
    from endplate.cli.follow.actions import add_visit

    return outcome.answer(lambda talk: add_visit(episode, seen, where, talk), run)


@app.command
def repair(
    episode: Episode, kind: Kind, /, *, level: list[str], where: DatabaseOptions = HERE, run: RunOptions = NO_RUN
) -> int:
    """Add a repair; the course counts from it."""
    from endplate.cli.follow.actions import add_row

    return outcome.answer(lambda talk: add_row("repair", episode, {"kind": kind, "levels": level}, where, talk), run)


@app.command
def scan(
    episode: Episode,
    case: Annotated[Path, Parameter(help="Folder of an `assess` or `plan` run.")],
    /,
    *,
    where: DatabaseOptions = HERE,
    run: RunOptions = NO_RUN,
) -> int:
    """Add a follow-up CT, and compare it with the one before and the first."""
    from endplate.cli.follow.actions import add_case

    return outcome.answer(lambda talk: add_case(episode, case, where, talk), run)


@app.command
def milestone(episode: Episode, kind: Milestone, /, *, where: DatabaseOptions = HERE, run: RunOptions = NO_RUN) -> int:
    """Tick off a step of fracture liaison."""
    from endplate.cli.follow.actions import add_row

    return outcome.answer(lambda talk: add_row("milestone", episode, {"kind": kind}, where, talk), run)


@app.command
def correct(kind: Row, number: int, change: str, /, *, where: DatabaseOptions = HERE, run: RunOptions = NO_RUN) -> int:
    """Correct one field of a row, such as nrs=4; the old value is kept.

    endplate follow correct visit 3 nrs=4
    """
    from endplate.cli.follow.actions import correct_row

    return outcome.answer(lambda talk: correct_row(kind, number, change, where, talk), run)


@app.command
def remove(kind: Part, number: int, /, *, where: DatabaseOptions = HERE, run: RunOptions = NO_RUN) -> int:
    """Take a row out of an episode, such as a damaged one; the history keeps what it held.

    endplate follow remove scan 3
    """
    from endplate.cli.follow.actions import remove_row

    return outcome.answer(lambda talk: remove_row(kind, number, where, talk), run)


@app.command
def close(episode: Episode, /, *, where: DatabaseOptions = HERE, run: RunOptions = NO_RUN) -> int:
    """End an episode."""
    from endplate.cli.follow.actions import close_one

    return outcome.answer(lambda talk: close_one(episode, where, talk), run)


@app.command
def show(
    episode: Episode,
    /,
    *,
    page: Annotated[Path | None, option("Write the course as a page with the chart to this file.")] = None,
    where: DatabaseOptions = HERE,
    run: RunOptions = NO_RUN,
) -> int:
    """Show a course: flags, what is due, visits against the expected band."""
    from endplate.cli.follow.show import show_course

    return outcome.answer(lambda talk: show_course(episode, page, where, talk), run)


@app.command(name="list")
def list_(
    *, patient: str | None = None, limit: Limit = 100, where: DatabaseOptions = HERE, run: RunOptions = NO_RUN
) -> int:
    """List episodes, newest first."""
    from endplate.cli.follow.show import show_list

    return outcome.answer(lambda talk: show_list(patient, limit, where, talk), run)


@app.command
def due(*, limit: Limit = 100, where: DatabaseOptions = HERE, run: RunOptions = NO_RUN) -> int:
    """List whom to see: a visit is due or overdue."""
    from endplate.cli.follow.show import show_due

    return outcome.answer(lambda talk: show_due(limit, where, talk), run)


@app.command
def kpi(*, where: DatabaseOptions = HERE, run: RunOptions = NO_RUN) -> int:
    """Print the key figures of fracture liaison over the whole database."""
    from endplate.cli.follow.show import show_key_figures

    return outcome.answer(lambda talk: show_key_figures(where, talk), run)


@app.command
def history(episode: Episode, /, *, where: DatabaseOptions = HERE, run: RunOptions = NO_RUN) -> int:
    """Print every change of an episode: who, when, before, after."""
    from endplate.cli.follow.show import show_history

    return outcome.answer(lambda talk: show_history(episode, where, talk), run)
