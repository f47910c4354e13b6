"""The whole path for one patient: measure, rehearse the levels that matter, weigh record and findings."""

from __future__ import annotations

import warnings
from dataclasses import InitVar, dataclass, field, replace
from typing import Any

from endplate.case.assess import AssessSettings, assess
from endplate.case.care import weigh
from endplate.case.model import Case
from endplate.case.rehearse import rehearse
from endplate.cited import cited
from endplate.decision.facts.case_facts import fractured_levels
from endplate.errors import EndplateError, RecordError
from endplate.finding import Gap
from endplate.level import Level
from endplate.progress import Progress
from endplate.repair.rehearsal.findings import STOPPED
from endplate.repair.rehearsal.rehearse import RehearsalSettings

MAX_LEVELS = cited(
    3.0,
    "1",
    "3 levels: more than 3 fractures in a session are a relative limit of the LCDs; trials enrolled 1-3",
    "secondary",
    cite="medicare_lcd",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanSettings:
    """How the case is measured and rehearsed.

    Parameters
    ----------
    assess : AssessSettings, optional
        How the case is measured.
    rehearsal : RehearsalSettings, optional
        How each level is rehearsed.
    levels : tuple of Level, optional
        Those to rehearse; empty takes the fractured ones, three at most.
    repairs : bool, default True
        False rehearses none.
    rehearse : object, optional
        The former pair of both settings in one. Deprecated; goes with version 0.3.
    """

    assess: AssessSettings = field(default_factory=AssessSettings)
    rehearsal: RehearsalSettings = field(default_factory=RehearsalSettings)
    levels: tuple[Level, ...] = ()
    repairs: bool = True
    rehearse: InitVar[Any] = None

    def __post_init__(self, rehearse: Any) -> None:
        if rehearse is None:
            return
        warnings.warn("PlanSettings takes assess= and rehearsal= in place of rehearse=", DeprecationWarning, 3)
        object.__setattr__(self, "assess", rehearse.assess)
        object.__setattr__(self, "rehearsal", rehearse.rehearsal)


def plan(case: Case, settings: PlanSettings | None = None, progress: Progress | None = None) -> Case:
    """Everything that endplate does for one patient.

    Parameters
    ----------
    case : from `read_case`, with a record. settings : see there. progress : called as the work goes on.

    Returns
    -------
    Case : measured, with rehearsals of the fractured levels and the care path. A level that cannot be rehearsed is a
    gap with its reason, and the rest goes on.

    Raises
    ------
    RecordError : no patient record. InputError : a scan that cannot be measured.
    """
    settings = settings or PlanSettings()
    if case.record is None:
        raise RecordError("no patient record", "advice is about a patient", "give --record patient.json")
    case = assess(case, settings.assess, progress)
    levels, left = _matter(case, settings.levels) if settings.repairs else ((), ())
    for level in levels:
        case = _rehearsed(case, level, settings, progress)
    reason = f"only {MAX_LEVELS:g} levels are rehearsed in one plan; name it with --level to choose it"
    case = replace(case, gaps=(*case.gaps, *(Gap(code=STOPPED, level=level, reason=reason) for level in left)))
    if progress is not None:
        progress("decide", 0.0, "")
    stated = case.record
    care = weigh(stated, case.findings, settings.levels) if stated is not None else None
    if progress is not None:
        progress("decide", 1.0, "")
    return replace(case, care=care)


def _matter(case: Case, wanted: tuple[Level, ...]) -> tuple[tuple[Level, ...], tuple[Level, ...]]:
    """Levels to rehearse, worst first in the choice, and those left out."""
    if wanted or case.record is None:
        return wanted, ()
    broken = fractured_levels(case.record, case.findings)
    seen = {vertebra.level for vertebra in case.spine.vertebrae} if case.spine else set()
    loss = {reading.level: reading.height_loss.value or 0.0 for reading in case.fractures}
    held = sorted((level for level in broken if level in seen), key=lambda level: -loss.get(level, 0.0))
    chosen = held[: int(MAX_LEVELS)]
    return tuple(sorted(chosen)), tuple(sorted(set(held) - set(chosen)))


def _rehearsed(case: Case, level: Level, settings: PlanSettings, progress: Progress | None) -> Case:
    try:
        return rehearse(case, level, settings.rehearsal, progress, settings.assess)
    except EndplateError as error:
        return replace(case, gaps=(*case.gaps, Gap(code=STOPPED, level=level, reason=str(error))))
