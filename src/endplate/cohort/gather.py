"""From the folders of the cases to the tables, the page and the agreement of a study, exchanged in one step."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endplate.atomic import write_text
from endplate.cohort.agreement import Agreement, agreement
from endplate.cohort.dataset import (
    CASES,
    FINDINGS,
    WIDE,
    case_row,
    document_of,
    tidy_rows,
    wide_columns,
    write_cases,
    write_dataset,
    write_wide,
)
from endplate.cohort.page import Facts, sheet_entry, study_page
from endplate.cohort.run_options import CohortRun
from endplate.cohort.settings import Job
from endplate.cohort.stamp import Stamp, read_stamp
from endplate.cohort.study import Study
from endplate.cohort.tally import Tally, chosen_for_sheet
from endplate.cohort.truth import Truth
from endplate.finding import catalogue
from endplate.level import Level
from endplate.progress import Progress
from endplate.report.folder import exchanged

PAGE, AGREEMENT = "study.html", "agreement.json"
MEASURED = ("genant_grade", "anterior_height", "middle_height", "posterior_height")
NO_STAMP = "the run ended before this case did; run the same command again"


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathered:
    """What was written.

    Parameters
    ----------
    cases, failed, findings : rows of cases, of them those that failed, and rows of the tidy dataset.
    agreement : against the expert, where one was given. paths : by name.
    """

    cases: int
    failed: int
    findings: int
    agreement: Agreement | None
    paths: dict[str, Path]


class _Seen:
    """What is learnt in one pass over all cases."""

    def __init__(self, seed: int) -> None:
        self.tally = Tally(seed=seed)
        self.columns: set[str] = set()
        self.cases: list[dict[str, Any]] = []
        self.measured: dict[tuple[str, Level], dict[str, float]] = {}
        self.found: set[tuple[str, Level]] = set()


def gather(
    study: Study, jobs: Sequence[Job], truth: Truth | None, run: CohortRun, source: str, rows: int, tell: Progress
) -> Gathered:
    """Read every case once for tables and counts, once more for the wide table, and write the study.

    Raises
    ------
    OutputError : the folder cannot be written; what was there before is intact.
    """
    seen = _Seen(run.seed)
    with exchanged(study.folder, ("study",)) as new:
        total = write_dataset(new, _pass(jobs, seen, truth, tell))
        write_cases(new / CASES, seen.cases)
        write_wide(new / WIDE, seen.cases, _again(jobs, tell), sorted(seen.columns, key=_column_order))
        agreed = None if truth is None else agreement(truth, seen.measured, seen.found)
        if agreed is not None:
            write_text(new / AGREEMENT, json.dumps(agreed.document(), indent=2) + "\n")
        sheet, pictured = _sheet(jobs, run)
        facts = Facts(source=source, step=jobs[0].settings.step, rows=rows, chosen=len(jobs), thumbnails=pictured)
        write_text(new / PAGE, study_page(seen.tally, sheet, facts, agreed))
    tell("study", 1.0, "")
    names = {"Page": PAGE, "Findings": FINDINGS, "Spreadsheet": WIDE, "Cases": CASES}
    names |= {"Agreement": AGREEMENT} if agreed is not None else {}
    return Gathered(
        cases=len(jobs), failed=seen.tally.failed, findings=total, agreement=agreed,
        paths={title: study.folder / name for title, name in names.items()},
    )  # fmt: skip


def _pass(jobs: Sequence[Job], seen: _Seen, truth: Truth | None, tell: Progress) -> Iterator[list[dict[str, Any]]]:
    for place, job in enumerate(jobs):
        if place % 100 == 0:
            tell("study", 0.7 * place / len(jobs), f"{place} of {len(jobs)} cases")
        stamp = _stamp(job)
        rows = tidy_rows(stamp, job.folder)
        seen.tally.add(stamp, rows)
        seen.columns |= wide_columns(rows)
        seen.cases.append(case_row(stamp, job.folder, document_of(job.folder) if stamp.status == "done" else {}))
        if truth is not None:
            _compare(stamp, rows, truth, seen)
        yield rows


def _compare(stamp: Stamp, rows: Sequence[dict[str, Any]], truth: Truth, seen: _Seen) -> None:
    seen.found |= {(stamp.id, Level(level)) for level, *_ in stamp.marks}
    for row in rows:
        if row["code"] in MEASURED and row["value"] is not None and row["level"] and not row["condition"]:
            key = (stamp.id, Level(row["level"]))
            if key in truth:
                seen.measured.setdefault(key, {})[row["code"]] = row["value"]


def _again(jobs: Sequence[Job], tell: Progress) -> Iterator[list[dict[str, Any]]]:
    for place, job in enumerate(jobs):
        if place % 100 == 0:
            tell("study", 0.7 + 0.3 * place / len(jobs), f"{place} of {len(jobs)} cases")
        yield tidy_rows(_stamp(job), job.folder)


def _stamp(job: Job) -> Stamp:
    """The stamp of a case; of one that has none, as where only failed cases were run, a failure that says so."""
    return read_stamp(job.folder) or Stamp(id=job.row.id, status="failed", settings="", kind="NotRun", reason=NO_STAMP)


def _sheet(jobs: Sequence[Job], run: CohortRun) -> tuple[list[dict[str, Any]], int]:
    """The cases of the contact sheet, and how many have a picture."""
    pictured = [job for job in jobs if (job.folder / "thumbnail.jpg").is_file()]
    wanted = chosen_for_sheet([job.row.id for job in pictured], run.thumbnails, run.seed)
    found = [sheet_entry(_stamp(job), job.folder) for job in pictured if job.row.id in wanted]
    return [one for one in found if one is not None], len(pictured)


def _column_order(name: str) -> tuple[int, str]:
    """Columns in the order of the catalogue, bands behind their value, rules last."""
    codes = _codes()
    return codes.get(name.split(" ", 1)[0], len(codes)), name


def _codes() -> dict[str, int]:
    return {code: place for place, code in enumerate(catalogue())}


__all__: list[str] = ["Gathered", "gather"]
