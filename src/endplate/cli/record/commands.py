"""The commands of `endplate record`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from endplate.cli import exit_codes as outcome
from endplate.cli.options.run import NO_RUN, RunOptions

HELP = """Make and check patient records.

    endplate record new --out patient.json

    endplate record new --from-fhir bundle.json --out patient.json

    endplate record check patient.json

A record is JSON or TOML; `endplate schema record` prints every field. Only age and sex are needed.
"""

app = App(name="record", help=HELP, help_format="markdown")


@app.command
def new(
    *,
    out: Annotated[Path, Parameter(help="File to write (JSON).")],
    from_fhir: Annotated[
        Path | None,
        Parameter(negative="", show_default=False, help="Fill it from a FHIR R4 or R4B bundle, not by asking."),
    ] = None,
    sex: Annotated[
        Literal["female", "male"] | None,
        Parameter(negative="", show_default=False, help="With --from-fhir: where the bundle does not tell it."),
    ] = None,
    age: Annotated[
        float | None,
        Parameter(negative="", show_default=False, help="With --from-fhir, in years: likewise."),
    ] = None,
    run: RunOptions = NO_RUN,
) -> int:
    """Ask for a record step by step; Enter leaves a thing unknown, ? explains."""
    from endplate.cli.record.actions import new_record

    return outcome.answer(lambda talk: new_record(out, from_fhir, talk, sex, age), run)


@app.command
def check(record: Path, /, *, run: RunOptions = NO_RUN) -> int:
    """Check a record and say what of it is still unknown."""
    from endplate.cli.record.actions import check_record

    return outcome.answer(lambda talk: check_record(record, talk), run)
