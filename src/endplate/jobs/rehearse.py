"""Rehearse a repair of one level of a case: a variant beside others, with its curve while it is computed."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from endplate.atomic import private_folder, write_text
from endplate.jobs.context import JobContext
from endplate.jobs.view import read_case_of
from endplate.store.audit import note

if TYPE_CHECKING:
    from endplate.repair.access.settings import GivenLine
    from endplate.repair.rehearsal.result import Rehearsal

CURVE = "curve.json"
READING = re.compile(r" (\d+\.\d+) mL (\d+\.\d+) MPa$")
EVERY_S = 0.3
CHOICES = ("procedure", "needle", "balloon", "cement", "cement_ml", "balloon_ml", "sides", "voxel_mm")


def rehearse(context: JobContext) -> dict[str, Any]:
    """The task: one procedure at one level, a single run; what it found is kept with the job.

    Arguments of the job: `level`; any of `CHOICES` as of `endplate.rehearse`; `lines`, needles that a person placed:
    side, entry and target (RAS mm) each.
    """
    from endplate.api.choices import rehearsal_settings
    from endplate.case.rehearse import rehearse as rehearse_stage

    given = context.arguments
    wanted = {key: given[key] for key in CHOICES if given.get(key) not in (None, "")}
    settings = rehearsal_settings(None, wanted | {"members": 0})
    if given.get("lines"):
        path = replace(settings.run.path, lines=tuple(_line(one) for one in given["lines"]))
        settings = replace(settings, run=replace(settings.run, path=path))
    case = read_case_of(context)
    curve = _Curve(context)
    case = rehearse_stage(case, given["level"], settings, curve.tell)
    note(context.store, context.job.asked_by, "rehearsed a repair", context.case(), str(given["level"]))
    return variant(case.rehearsals[-1], given)


def _line(given: dict[str, Any]) -> GivenLine:
    """A placed needle, from RAS to LPS."""
    from endplate.repair.access.settings import GivenLine

    def lps(place: Any) -> tuple[float, float, float]:
        x, y, z = (float(number) for number in place)
        return -x, -y, z

    return GivenLine(side=given["side"], entry_mm=lps(given["entry"]), target_mm=lps(given["target"]))


def variant(rehearsal: Rehearsal, given: dict[str, Any]) -> dict[str, Any]:
    """What a variant is shown by: its table beside no repair, its needles, curves and why it ended."""
    from endplate.report.rehearsal.block import block
    from endplate.report.rehearsal.table import comparison
    from endplate.report.view.scene import needle

    held = block(rehearsal)
    done = rehearsal.nominal[-1]
    rows = []
    for table in comparison(rehearsal):
        heads = [title.lower() for title, _ in table.heads]
        for name, cells in table.rows:
            shown = {head: {"value": cell.value, "band": cell.band} for head, cell in zip(heads, cells, strict=True)}
            rows.append({"group": table.title, "title": name, "cells": shown})
    shown = held["procedures"][-1]
    return {
        "level": str(rehearsal.level),
        "procedure": done.procedure,
        "rows": rows,
        "needles": [needle(path) for path in (done.access.paths if done.access else ())],
        "reason": done.access.reason if done.access and not done.access.paths else "",
        "stopped": done.stopped,
        "balloon": _pick(shown.get("balloon"), "volume_ml", "pressure_mpa", "stop"),
        "cement": _pick(shown.get("cement"), "injected_ml", "bone_pressure_mpa", "stop"),
        "asked": given,
    }


def _pick(held: Any, *names: str) -> dict[str, Any] | None:
    return None if not isinstance(held, dict) else {name: held.get(name) for name in names}


class _Curve:
    """Passes progress on, and keeps every reading of volume and pressure where the page finds it."""

    def __init__(self, context: JobContext) -> None:
        self.context, self._written = context, 0.0
        self.points: list[tuple[str, float, float]] = []
        private_folder(context.folder())

    def tell(self, stage: str, fraction: float, detail: str) -> None:
        """See `endplate.progress`."""
        found = READING.search(detail)
        if found is not None:
            point = (stage, float(found[1]), float(found[2]))
            if not self.points or self.points[-1] != point:
                self.points.append(point)
            if time.monotonic() - self._written > EVERY_S or fraction >= 1:
                self._written = time.monotonic()
                write_text(self.context.folder() / CURVE, json.dumps(self.points))
        self.context.tell(stage, fraction, detail)
