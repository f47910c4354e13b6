"""A study from its rows to its results: what is done already is kept, the rest is run, then everything is gathered."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from endplate.cohort.cluster import given_cluster, local_cluster
from endplate.cohort.engine import run_jobs
from endplate.cohort.gather import Gathered, gather
from endplate.cohort.run_case import Outcome
from endplate.cohort.run_options import CohortRun
from endplate.cohort.settings import CohortSettings, Job, settings_hash
from endplate.cohort.size import Crew, crew_of
from endplate.cohort.source import read_rows, sampled
from endplate.cohort.stamp import Stamp, fits, is_done, read_stamp
from endplate.cohort.study import Study, opened_study
from endplate.cohort.truth import read_truth
from endplate.errors import OptionError
from endplate.progress import Progress, silent

LOGGER = logging.getLogger("endplate.cohort")


@dataclass(slots=True, kw_only=True)
class Result:
    """What came of a run.

    Parameters
    ----------
    rows, chosen : cases of the cohort, and of them those of this run. kept : done before.
    ran, failed : cases that were run now, and of them those that failed.
    wall_s, compute_s : time of the engine, and the sum of the times of the cases.
    processes, threads : as they were. rss_mb : memory of the processes at the end of each case, in their order.
    """

    rows: int
    chosen: int
    kept: int = 0
    ran: int = 0
    failed: int = 0
    wall_s: float = 0.0
    compute_s: float = 0.0
    processes: int = 0
    threads: int = 0
    dashboard: str = ""
    rss_mb: list[float] = field(default_factory=list)
    gathered: Gathered | None = None

    @property
    def overhead(self) -> float | None:
        """Share of the processes' time in which no case was computed; None where nothing ran."""
        return 1.0 - self.compute_s / (self.wall_s * self.processes) if self.compute_s and self.processes else None

    @property
    def scans_per_hour_core(self) -> float | None:
        """Cases an hour of wall time and core."""
        cores = self.processes * self.threads
        return 3600.0 * self.ran / (self.wall_s * cores) if self.ran and self.wall_s and cores else None


def run_cohort(
    source: Path, out: Path, settings: CohortSettings, run: CohortRun | None = None, progress: Progress | None = None
) -> Result:
    """Run a cohort, or what is left of it, and write the study.

    Parameters
    ----------
    source : Path
        CSV or Parquet table, BIDS tree, or folder of DICOM studies.
    out : Path
        Folder of the study.
    settings : CohortSettings
        What is done with every case.
    run : CohortRun, optional
        How it is run.
    progress : callable, optional
        Called with the stage, the share of it that is done, and what it is at.

    Returns
    -------
    Result

    Raises
    ------
    InputError : anything given that cannot be used. A case that cannot be used is a row of the results instead.
    """
    run, tell = run or CohortRun(), progress or silent
    _refuse(run)
    rows = read_rows(source, settings.reading.limits)
    chosen = sampled(rows, run.sample, run.seed)
    truth = None if run.truth is None else read_truth(run.truth)
    if settings.segmenter is not None and run.scheduler is None:
        from endplate.image.labels.segmenter import check_choice

        check_choice(settings.segmenter)
    with opened_study(out, source, settings) as study:
        result = Result(rows=len(rows), chosen=len(chosen))
        jobs = [Job(row=row, folder=study.case(row).resolve(), settings=settings) for row in chosen]
        left, past, result.kept = _left(jobs, settings_hash(settings), run, tell)
        if left:
            _run(left, past, settings, run, result, tell)
        result.gathered = gather(study, jobs, truth, run, str(source), len(rows), tell)
    return result


def _refuse(run: CohortRun) -> None:
    if run.scheduler is not None and (run.workers or run.cores or run.memory_mb):
        raise OptionError(
            "--workers, --threads or --memory-mb with --scheduler",
            "its workers are as they were started",
            "leave them out",
        )
    if not 0 <= run.retries <= 100:
        raise OptionError(f"--retries {run.retries}", "", "give 0 to 100")
    if not 0 <= run.thumbnails <= 5000:
        raise OptionError(f"--thumbnails {run.thumbnails}", "a page with more cannot be opened", "give 0 to 5000")


def _left(jobs: Sequence[Job], settings: str, run: CohortRun, tell: Progress) -> tuple[list[Job], list[Stamp], int]:
    """Jobs that are still to be run, what is known of cases that were, and how many are done."""
    left, past, kept = [], [], 0
    for place, job in enumerate(jobs):
        if place % 200 == 0:
            tell("resume", place / len(jobs), f"{place} of {len(jobs)} cases looked at")
        stamp = read_stamp(job.folder)
        if stamp is not None and fits(job, stamp, settings):
            past.append(stamp)
        if run.only_failed and stamp is not None and stamp.status == "failed":
            job.folder.joinpath("cohort.json").unlink(missing_ok=True)
            left.append(job)
        elif is_done(job, stamp, settings):
            kept += 1
        elif not run.only_failed:
            left.append(job)
    tell("resume", 1.0, f"{len(left)} of {len(jobs)} cases to run")
    return left, past, kept


def _run(
    jobs: list[Job], past: Sequence[Stamp], settings: CohortSettings, run: CohortRun, result: Result, tell: Progress
) -> None:
    """The jobs on the cluster, progress reported and outcomes counted."""
    crew = crew_of([job.row for job in jobs], settings, past, run.workers, run.cores, run.memory_mb)
    with _cluster(crew, run) as client:
        workers = client.scheduler_info(n_workers=-1)["workers"].values()
        result.processes = sum(int(worker["nthreads"]) for worker in workers)
        result.threads = crew.threads if run.scheduler is None else 1
        result.dashboard = client.dashboard_link
        jobs = [Job(row=job.row, folder=job.folder, settings=settings, threads=result.threads) for job in jobs]
        begun, before = time.perf_counter(), result.kept

        def count(outcome: Outcome) -> None:
            result.ran += outcome.status != "kept"
            result.kept += outcome.status == "kept"
            result.failed += outcome.status == "failed"
            result.compute_s += outcome.seconds
            LOGGER.info("%s %s in %.1f s %s", outcome.id, outcome.status, outcome.seconds, outcome.reason)
            if outcome.rss_mb:
                result.rss_mb.append(outcome.rss_mb)
            done = result.ran + result.kept - before
            words = f"{done} of {len(jobs)} cases, {result.failed} failed; {result.dashboard}"
            tell("cohort", done / len(jobs), words)

        tell("cohort", 0.0, f"0 of {len(jobs)} cases on {result.processes} processes; {result.dashboard}")
        run_jobs(client, jobs, run.retries, count)
        result.wall_s = time.perf_counter() - begun


def _cluster(crew: Crew, run: CohortRun) -> AbstractContextManager[Any]:
    if run.scheduler is not None:
        return given_cluster(run.scheduler, verbose=run.verbose)
    return local_cluster(crew, run.retries, verbose=run.verbose)


__all__ = ["CohortRun", "Result", "Study", "run_cohort"]
