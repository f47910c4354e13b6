"""The command `cohort`; what it does is in `actions`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from endplate.cli import exit_codes as outcome
from endplate.cli.cohort.options import (
    NO_ENGINE,
    NO_STUDY,
    STUDY,
    EngineOptions,
    StudyOptions,
)
from endplate.cli.options.rehearse import NO_REPAIR, RepairOptions
from endplate.cli.options.run import INPUT, NO_RUN, RunOptions
from endplate.cli.options.scan import NO_MODEL, NO_SCAN, ModelOptions, ScanOptions


def cohort(
    source: Annotated[
        Path,
        Parameter(
            group=INPUT,
            show_default=False,
            help="CSV or Parquet table with the columns id, ct, labels, record; BIDS tree; folder of DICOM studies.",
        ),
    ],
    /,
    *,
    out: Annotated[
        Path, Parameter(name="--out", group=STUDY, help="Folder of the study; run again, it goes on there.")
    ],
    study: StudyOptions = NO_STUDY,
    scan: ScanOptions = NO_SCAN,
    engine: EngineOptions = NO_ENGINE,
    model: ModelOptions = NO_MODEL,
    repair: RepairOptions = NO_REPAIR,
    run: RunOptions = NO_RUN,
) -> int:
    """Measure many scans as one study, on all cores or on a Dask cluster.

    A table of cases; a BIDS tree as VerSe has it; a sample of it first:

        endplate cohort cases.csv --out study
        endplate cohort verse --out study --no-mechanics
        endplate cohort cases.csv --out study --sample 20 --seed 1

    Stopped or killed, the same command goes on where it was; a case that fails is a row with its reason. How far the
    grades agree with an expert's:

        endplate cohort cases.csv --out study --truth grades.csv
    """
    from endplate.cli.cohort.actions import Asked, run_study

    asked = Asked(
        source=source, out=out, study=study, scan=scan, engine=engine, model=model, repair=repair,
        members=study.members, cores=run.threads,
    )  # fmt: skip
    return outcome.answer(lambda talk: run_study(asked, talk), run)
