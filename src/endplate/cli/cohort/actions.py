"""What `endplate cohort` does: options to settings, the run, and what is said of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endplate.cli.cohort.options import EngineOptions, StudyOptions
from endplate.cli.exit_codes import Output
from endplate.cli.options.rehearse import RepairOptions, UnknownOptions
from endplate.cli.options.scan import ModelOptions, ScanOptions
from endplate.cli.progress import progress_bars
from endplate.cli.terminal import say

if TYPE_CHECKING:
    from endplate.cohort.agreement import Estimate
    from endplate.cohort.conduct import Result
    from endplate.cohort.settings import CohortSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Everything that was asked on the command line."""

    source: Path
    out: Path
    study: StudyOptions
    scan: ScanOptions
    engine: EngineOptions
    model: ModelOptions
    repair: RepairOptions
    members: int | None
    cores: int | None


def run_study(asked: Asked, talk: Output) -> dict[str, Any]:
    """Run a cohort; returns what `--json` prints.

    Raises
    ------
    InputError : anything given that cannot be used.
    """
    from endplate.cohort.conduct import run_cohort
    from endplate.cohort.run_options import CohortRun

    settings = cohort_settings(asked)
    study, engine = asked.study, asked.engine
    run = CohortRun(
        scheduler=engine.scheduler, workers=engine.workers, cores=asked.cores, memory_mb=engine.memory_mb,
        retries=engine.retries, only_failed=study.only_failed, sample=study.sample, seed=study.seed,
        thumbnails=study.thumbnails, truth=study.truth, verbose=talk.verbose,
    )  # fmt: skip
    with progress_bars(talk.progress) as tell:
        result = run_cohort(asked.source, asked.out, settings, run, tell)
    if talk.for_people:
        _print(result)
    return _document(result)


def cohort_settings(asked: Asked) -> CohortSettings:
    """What is done with each case.

    Raises
    ------
    OptionError : options that have no meaning, or do not go together.
    """
    from endplate.case.plan import PlanSettings
    from endplate.cli.plan import plan_settings
    from endplate.cli.settings import assess_settings, read_settings, segmenter_choice
    from endplate.cohort.settings import CohortSettings

    unknown = UnknownOptions(members=asked.members)
    rehearses = asked.study.steps in ("plan", "rehearse")
    plan = (
        plan_settings(asked.repair, unknown, asked.model)
        if rehearses
        else PlanSettings(assess=assess_settings(asked.model))
    )
    return CohortSettings(
        step=asked.study.steps, plan=plan, reading=read_settings(asked.scan), scheme=asked.scan.scheme,
        segmenter=segmenter_choice(asked.scan), pages=asked.study.pages, volumes=asked.study.volumes,
    )  # fmt: skip


def _print(result: Result) -> None:
    """Counts, speed, agreement, and where everything is."""
    done = result.gathered
    say(f"{result.chosen} cases: {result.kept} done before, {result.ran} run now, {result.failed} of these failed")
    if result.scans_per_hour_core is not None and result.overhead is not None:
        say(
            f"{result.scans_per_hour_core:.0f} scans an hour and core; {100 * result.overhead:.1f} % of the time of "
            f"{result.processes} processes went into no case"
        )
    if done is None:
        return
    if done.failed:
        cases = "1 case" if done.failed == 1 else f"{done.failed} cases"
        say(f"Failed or not run: {cases} of the study; the page says why")
        say("--only-failed runs those that failed again; without it, what was not run is run")
    if done.agreement is not None:
        for name, one in (("Weighted kappa", done.agreement.kappa), ("Sensitivity", done.agreement.sensitivity),
                          ("Specificity", done.agreement.specificity)):  # fmt: skip
            say(f"{name}: {_estimate(one)}")
    width = max(map(len, done.paths))
    for name, path in done.paths.items():
        say(f"{name:<{width}}  {path.resolve()}")


def _estimate(one: Estimate) -> str:
    if one.value is None:
        return f"none, {one.reason}"
    return f"{one.value:.3f} ({one.low:.3f} to {one.high:.3f}), n = {one.count}"


def _document(result: Result) -> dict[str, Any]:
    done = result.gathered
    return {
        "rows": result.rows, "chosen": result.chosen, "kept": result.kept, "ran": result.ran,
        "failed_now": result.failed, "failed": 0 if done is None else done.failed,
        "findings": 0 if done is None else done.findings, "wall_s": round(result.wall_s, 3),
        "compute_s": round(result.compute_s, 3), "overhead": result.overhead,
        "scans_per_hour_core": result.scans_per_hour_core, "processes": result.processes, "threads": result.threads,
        "rss_mb": result.rss_mb,
        "agreement": None if done is None or done.agreement is None else done.agreement.document(),
        "paths": {} if done is None else {name: str(path.resolve()) for name, path in done.paths.items()},
    }  # fmt: skip
