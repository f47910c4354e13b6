"""The commands `decide` and `rules`; what they do is in `work`, `views` and `batch`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from endplate.cli import exit_codes as outcome
from endplate.cli.options.run import NO_RUN, RunOptions
from endplate.errors import OptionError

GIVEN = Group("Given", sort_key=1)
VIEW = Group("Look into it", sort_key=2)


def _option(words: str, group: Group = GIVEN) -> Parameter:
    return Parameter(negative="", show_default=False, help=words, group=group)


def decide(
    case: Annotated[Path | None, _option("Folder of an `assess` run; its findings are weighed too.")] = None,
    /,
    *,
    record: Annotated[Path | None, _option("Patient record (JSON, TOML).")] = None,
    out: Annotated[Path | None, _option("Folder for the pages and documents; default the case folder.")] = None,
    level: Annotated[list[str] | None, _option("Level to decide on; default the fractured ones.")] = None,
    explain: Annotated[str | None, _option("Print why this rule set or grading says what it says.", VIEW)] = None,
    what_if: Annotated[list[str] | None, _option("FIELD=VALUE: print which verdicts move.", VIEW)] = None,
    batch: Annotated[
        Path | None, _option("One record a line (JSON); --out names the file of rows, .jsonl, .csv or .parquet.", VIEW)
    ] = None,
    run: RunOptions = NO_RUN,
) -> int:
    """Ask every rule set, level by level: is a repair indicated, and by which rule? And how to prevent the next.

    endplate decide --record patient.json --out advice

    endplate decide results --record patient.json

    endplate decide --record patient.json --explain nice_ta279

    endplate decide --record patient.json --what-if nrs=4 --what-if mri_oedema=no

    endplate decide --batch records.jsonl --out rows.jsonl

    endplate decide --batch records.jsonl --out rows.csv
    """
    if batch is not None:
        if record or case or level or explain is not None or what_if:
            raise OptionError(
                "--batch takes no other option than --out", "each line is a record of its own", "leave it out"
            )
        if out is None:
            raise OptionError("--batch needs --out", "rows go into a file", "name one, such as --out rows.csv")
        from endplate.cli.decide.batch import run_batch

        return outcome.answer(lambda talk: run_batch(batch, out, talk), run)
    if record is None:
        raise OptionError("no --record given", "rules are asked about a patient", "make one with `endplate record new`")
    if explain is not None and what_if:
        raise OptionError("--explain and --what-if are two views", "", "ask for one at a time")
    if (explain is not None or what_if) and out is not None:
        raise OptionError("--out is not for a view", "--explain and --what-if print and write nothing", "leave it out")
    if explain is not None or what_if:
        from endplate.cli.decide.views import run_explain, run_what_if

        if explain is not None:
            return outcome.answer(lambda talk: run_explain(case, record, level, explain, talk), run)
        return outcome.answer(lambda talk: run_what_if(case, record, level, what_if or [], talk), run)
    from endplate.cli.decide.actions import run_decide

    return outcome.answer(lambda talk: run_decide(case, record, out, level, talk), run)


def rules(
    *,
    weak: Annotated[bool, _option("Only what a clinician should check, weakest first.")] = False,
    markdown: Annotated[bool, _option("The page of all rule sets, with scope and what each leaves out.")] = False,
    run: RunOptions = NO_RUN,
) -> int:
    """List every constant and criterion of the rule files with source, edition and trust mark."""
    from endplate.cli.decide.views import run_rules, run_rules_page

    if markdown:
        return outcome.answer(run_rules_page, run)
    return outcome.answer(lambda talk: run_rules(weak, talk), run)
