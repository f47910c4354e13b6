"""One case of a cohort from its inputs to its folder: the one function that the workers run."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from endplate.atomic import write_text
from endplate.case import Case
from endplate.case.care import Care
from endplate.cohort.fingerprint import full_prints, inputs_of, quick_prints, same_content
from endplate.cohort.settings import Job, settings_hash
from endplate.cohort.stamp import KINDS, PICTURE, STAMP, STAMP_KIND, Stamp, fits, read_stamp
from endplate.errors import EndplateError, InputError, LabelError, OutputError, RecordError, SolverError
from endplate.finding import Gap
from endplate.patient import PatientRecord
from endplate.repair.rehearsal.findings import STOPPED
from endplate.report.folder import exchanged

NO_STRENGTH = "left out: only shape and density are weighed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """How a case ended, as its process tells the one that asked.

    Parameters
    ----------
    id : name of the case. status : "done", "failed", or "kept" where its earlier results still hold.
    kind, reason : of a failure. seconds : of the work. rss_mb : memory of the process at its end.
    """

    id: str
    status: str
    kind: str = ""
    reason: str = ""
    seconds: float = 0.0
    rss_mb: float = 0.0


@dataclass(slots=True)
class _Made:
    """What came of a case: the case where there is a scan, the care path where there is a record."""

    case: Case | None = None
    care: Care | None = None
    record: PatientRecord | None = None
    segmenter: Mapping[str, Any] | None = None


def run_case(job: Job) -> Outcome:
    """Run one case and write its folder, unless what lies there still holds.

    What is wrong with the inputs is an outcome, written into the folder with its reason; anything else is raised, so
    that it can be tried again.

    Parameters
    ----------
    job : Job

    Returns
    -------
    Outcome

    Raises
    ------
    Exception : a fault that is not of the inputs: the disk, the memory, a solver, ourselves.
    """
    begun = time.perf_counter()
    _use_threads(job.threads)
    settings = settings_hash(job.settings)
    prints = full_prints(job)
    before = read_stamp(job.folder)
    if before is not None and fits(job, before, settings) and same_content(prints, before.inputs):
        _renew(job, replace(before, inputs=prints))
        return Outcome(id=job.row.id, status="kept", kind=before.kind, reason=before.reason)
    stamp = Stamp(id=job.row.id, status="done", settings=settings, inputs=prints, notes=job.row.notes)
    try:
        made = _made(job)
    except (OutputError, SolverError):
        raise
    except InputError as error:
        stamp = replace(stamp, status="failed", kind=type(error).__name__, reason=str(error))
        made = _Made()
    stamp = replace(stamp, seconds=round(time.perf_counter() - begun, 3), rss_mb=_rss_mb(), segmenter=made.segmenter)
    _write(job, made, stamp)
    seconds = time.perf_counter() - begun
    return Outcome(
        id=job.row.id, status=stamp.status, kind=stamp.kind, reason=stamp.reason, seconds=seconds,
        rss_mb=stamp.rss_mb or 0.0,
    )  # fmt: skip


def record_failure(job: Job, kind: str, reason: str) -> Outcome:
    """Write that a case failed for a fault that its own process could not write down, such as its death."""
    stamp = Stamp(
        id=job.row.id, status="failed", settings=settings_hash(job.settings), kind=kind, reason=reason,
        inputs=quick_prints(job), notes=job.row.notes,
    )  # fmt: skip
    _write(job, _Made(), stamp)
    return Outcome(id=job.row.id, status="failed", kind=kind, reason=reason)


def _made(job: Job) -> _Made:
    """The step of the cohort on one case."""
    row, step = job.row, job.settings.step
    if row.record is None and step in ("plan", "decide"):
        raise RecordError(f"{row.id} has no record", f"the step {step} is about a patient", "give one")
    if row.ct is None and row.labels is None:
        if step != "decide":
            raise LabelError(f"{row.id} has neither a CT nor labels", "there is nothing to measure", "give one of them")
        return _decided(row.record, None, None)
    with _labels(job) as (labels, scheme, facts):
        case = _read(job, labels, scheme, facts)
        made = _step(job, case)
        made.segmenter = facts
        return made


def _step(job: Job, case: Case) -> _Made:
    from endplate.case.assess import assess
    from endplate.case.plan import plan

    settings = job.settings.plan
    if job.settings.step == "assess":
        return _Made(case=assess(case, settings.assess), record=case.record)
    if job.settings.step == "plan":
        case = plan(case, settings)
        return _Made(case=case, care=case.care, record=case.record)
    if job.settings.step == "rehearse":
        return _Made(case=_rehearsed(case, job), record=case.record)
    case = assess(case, replace(settings.assess, mechanics=False))
    return _decided(case.record, case, case.findings)


def _rehearsed(case: Case, job: Job) -> Case:
    """Each fractured level rehearsed, the worst three at most, or the levels that were named."""
    from endplate.case.plan import MAX_LEVELS
    from endplate.case.rehearse import rehearse

    settings = job.settings.plan
    from endplate.case.assess import assess

    case = assess(case, replace(settings.assess, mechanics=False))
    broken = [reading for reading in case.fractures if reading.fracture == "yes"]
    worst = sorted(broken, key=lambda reading: -(reading.height_loss.value or 0.0))
    levels = settings.levels or tuple(sorted(reading.level for reading in worst[: int(MAX_LEVELS)]))
    for level in levels:
        try:
            case = rehearse(case, level, settings.rehearsal, None, settings.assess)
        except EndplateError as error:
            case = replace(case, gaps=(*case.gaps, Gap(code=STOPPED, level=level, reason=str(error))))
    return case


def _decided(record: Any, case: Case | None, findings: Any) -> _Made:
    from endplate.case.care import weigh
    from endplate.case.given import record_of

    patient = record if isinstance(record, PatientRecord) else record_of(record)[0]
    return _Made(case=case, care=weigh(patient, findings or ()), record=patient)


def _read(job: Job, labels: Path, scheme: str | None, facts: Mapping[str, Any] | None) -> Case:
    from endplate.case.provenance import with_parameters
    from endplate.case.read import read_case

    row = job.row
    case = read_case(row.ct, labels, record=row.record, scheme=scheme, reading=job.settings.reading)
    return with_parameters(case, {"segmenter": dict(facts)}) if facts else case


@contextmanager
def _labels(job: Job) -> Iterator[tuple[Path, str | None, Mapping[str, Any] | None]]:
    """The labels of a case, its own or freshly made; their numbering; and what made them."""
    row, chosen = job.row, job.settings.segmenter
    if row.labels is not None:
        yield row.labels, job.settings.scheme, None
        return
    if chosen is None or row.ct is None:
        raise LabelError(f"{row.id} has no labels", "", "give them, or --segment NAME to make them")
    from endplate.image.labels.segmenter import run_segmenter

    with tempfile.TemporaryDirectory(prefix="endplate-labels-") as folder:
        made = run_segmenter(chosen, row.ct, Path(folder), reading=job.settings.reading)
        yield made.path, job.settings.scheme or made.scheme, made.facts


def _write(job: Job, made: _Made, stamp: Stamp) -> None:
    """Everything of a case in one step, the stamp with it."""
    from endplate.cohort.thumbnail import draw_thumbnail
    from endplate.report.write import fill_report

    with exchanged(job.folder, KINDS, inputs_of(job).values()) as new:
        marks: tuple[tuple[str, float, float, str], ...] = ()
        if made.case is not None:
            # What was decided is kept in the stamp; pages for a patient only where pages are asked for.
            fill_report(made.case if job.settings.pages else replace(made.case, care=None), new, job.settings.formats)
            marks = draw_thumbnail(made.case, new / PICTURE)
        outputs = {path.relative_to(new).as_posix(): path.stat().st_size for path in new.rglob("*") if path.is_file()}
        person = made.record
        stamp = replace(
            stamp, outputs=dict(sorted(outputs.items())), marks=marks, verdicts=_verdicts(made.care),
            age_yr=None if person is None else person.age_yr, sex=None if person is None else person.sex,
        )  # fmt: skip
        write_text(new / STAMP, stamp.text())


def _renew(job: Job, stamp: Stamp) -> None:
    """Note that unchanged inputs have another path or time now, so that the next run need not read them."""
    from endplate.report.folder import write_file

    with suppress(EndplateError):
        write_file(job.folder / STAMP, stamp.text(), STAMP_KIND)


def _verdicts(care: Care | None) -> tuple[tuple[str, str, str, str], ...]:
    """Every verdict by level, and those on prevention without one."""
    if care is None:
        return ()
    levels = [
        (str(level.level), verdict.ruleset, verdict.status, verdict.answer)
        for level in care.decision.levels
        for verdict in level.verdicts
    ]
    plan = care.prevention
    others = (*plan.treat, *plan.very_high_risk, *plan.drugs, *plan.first_drug, plan.falls)
    return (
        *levels,
        *(("", verdict.ruleset, verdict.status, verdict.answer) for verdict in others if verdict is not None),
    )


def _use_threads(count: int) -> None:
    import numba

    most = int(numba.config.NUMBA_NUM_THREADS)  # type: ignore[attr-defined]
    numba.set_num_threads(max(1, min(count, most)))


def _rss_mb() -> float:
    """Memory of this process now, not at its highest, so that what stays behind can be seen."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0.0
    import os

    return round(pages * os.sysconf("SC_PAGE_SIZE") / 2**20, 1)
