"""Rehearse a repair of one level of a case: a variant that becomes part of the case, its course seen as it is made."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from endplate import __version__
from endplate.errors import InputError, OutputError
from endplate.jobs.context import JobContext
from endplate.jobs.live import Live
from endplate.jobs.view import read_case_of
from endplate.store.audit import note
from endplate.store.rehearsals import basis_of, keep_rehearsal, why_old

if TYPE_CHECKING:
    from endplate.repair.access.settings import GivenLine

CHOICES = (
    "procedure", "needle", "balloon", "cement", "cement_ml", "balloon_ml", "sides", "voxel_mm", "members",
    "member_voxel_mm",
)  # fmt: skip
KINDS = ("mine", "found")
"""Needles as a person placed them, or the best that the search finds for the same devices and volumes."""


def rehearse(context: JobContext) -> dict[str, Any]:
    """The task: one procedure at one level, a single run or an ensemble; what it found is kept with the case.

    Arguments of the job: `level`; any of `CHOICES` as of `endplate.rehearse`; `kind`, one of `KINDS`; `lines`, needles
    that a person placed: side, entry and target (RAS mm) each; `basis`, what the page was made from.

    Raises
    ------
    InputError : files or readings of the case changed since this was asked for.
    """
    from endplate.api.choices import rehearsal_settings
    from endplate.case.rehearse import rehearse as rehearse_stage
    from endplate.jobs.variant import variant

    given, level = context.arguments, str(context.arguments["level"])
    basis = basis_of(context.store, context.case().id, level)
    _refuse_changed(given.get("basis"), basis)
    wanted = {key: given[key] for key in CHOICES if given.get(key) not in (None, "")}
    settings = rehearsal_settings(None, {"members": 0} | wanted)
    if given.get("lines"):
        path = replace(settings.run.path, lines=tuple(_line(one) for one in given["lines"]))
        settings = replace(settings, run=replace(settings.run, path=path))
    case = read_case_of(context)
    live = Live(context)
    case = rehearse_stage(case, level, settings, live)
    found = variant(case.rehearsals[-1], given) | {"trouble": live.trouble}
    with suppress(OutputError, OSError):  # a report can do without; the table cannot
        _keep_part(context, case)
    keep_rehearsal(
        context.store,
        context.case().id,
        {
            "id": context.job.id,
            "level": level,
            "title": context.job.title,
            "asked": {key: value for key, value in given.items() if key != "basis"},
            "result": found,
            "basis": basis,
            "version": __version__,
            "who": context.job.asked_by,
        },
    )
    note(context.store, context.job.asked_by, "rehearsed a repair", context.case(), level)
    return {"level": level, "procedure": found["procedure"]}


def _refuse_changed(asked: Any, present: dict[str, Any]) -> None:
    why = why_old(asked, present) if isinstance(asked, dict) else ""
    if why:
        raise InputError("this rehearsal was planned on former pictures", why, "load the page again, then run it anew")


def _keep_part(context: JobContext, case: Any) -> None:
    """The section of a report about this rehearsal, for a report of the case with those that are chosen."""
    from endplate.jobs.rehearsal_report import write_part

    write_part(case, context.folder())


def _line(given: dict[str, Any]) -> GivenLine:
    """A placed needle, from RAS to LPS."""
    from endplate.repair.access.settings import GivenLine

    def lps(place: Any) -> tuple[float, float, float]:
        x, y, z = (float(number) for number in place)
        return -x, -y, z

    return GivenLine(side=given["side"], entry_mm=lps(given["entry"]), target_mm=lps(given["target"]))
