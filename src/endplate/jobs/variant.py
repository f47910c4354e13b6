"""What is kept of one rehearsed variant: its results as numbers and as a table, needles, routes, drivers, its end."""

from __future__ import annotations

from typing import Any

from endplate.repair.access.access_result import NeedlePath
from endplate.repair.access.clearance import describe, walls_by_spare
from endplate.repair.rehearsal.result import ProcedureResult, Rehearsal
from endplate.report.document import plain
from endplate.report.rehearsal.block import block
from endplate.report.rehearsal.table import GROUPS, MIN_SHARE, UNKNOWN_WORDS, comparison, moved, openings
from endplate.report.rehearsal.words import band_words
from endplate.report.view.scene import needle

MOST_MOVERS = 3


def variant(rehearsal: Rehearsal, given: dict[str, Any]) -> dict[str, Any]:
    """One procedure of a rehearsal as plain values.

    `values` holds every result by procedure ("none" among them) and name, in its own unit, with its band; `rows` the
    tables of the report; `moved` what moves each result most, where an ensemble was run.
    """
    held = block(rehearsal)
    done = rehearsal.nominal[-1]
    shown = held["procedures"][-1]
    paths = done.access.paths if done.access else ()
    found: dict[str, Any] = plain(
        {
            "level": str(rehearsal.level),
            "procedure": done.procedure,
            "kind": given.get("kind") or ("mine" if given.get("lines") else "found"),
            "values": held["results"],
            "rows": _rows(rehearsal),
            "members": held["members"],
            "band_words": band_words(rehearsal),
            "moved": _movers(rehearsal, done.procedure),
            "needles": [needle(path) | {"clearances": _clearances(path)} for path in paths],
            "notes": list(done.access.notes) if done.access else [],
            "routes": [
                {"name": way.name, "route": way.route, "when": way.when, "out": way.out} for way in openings(rehearsal)
            ],
            "reason": done.access.reason if done.access and not paths else "",
            "stopped": done.stopped,
            "unconverged": done.unconverged,
            "missing": list(done.missing),
            "balloon": _pick(shown.get("balloon"), "volume_ml", "pressure_mpa", "stop"),
            "cement": _pick(shown.get("cement"), "injected_curve_ml", "bone_pressure_mpa", "stop"),
            "voxel_mm": rehearsal.voxel_mm,
            "devices": _devices(done),
        }
    )
    return found


def _devices(done: ProcedureResult) -> dict[str, str]:
    """What was used in the end, where the plan left it open."""
    found = {}
    if done.access is not None and done.access.paths:
        found["needle"] = ", ".join(dict.fromkeys(path.needle.name for path in done.access.paths))
    if done.inflation is not None:
        found["balloon"] = ", ".join(dict.fromkeys(balloon.name for balloon in done.inflation.balloons))
    if done.fill is not None:
        found["cement"] = done.fill.cement.name
    return found


def _rows(rehearsal: Rehearsal) -> list[dict[str, Any]]:
    rows = []
    for table in comparison(rehearsal):
        heads = [title.lower() for title, _ in table.heads]
        for name, cells in table.rows:
            shown = {head: {"value": cell.value, "band": cell.band} for head, cell in zip(heads, cells, strict=True)}
            rows.append({"group": table.title, "title": name, "cells": shown})
    return rows


def _clearances(path: NeedlePath) -> list[dict[str, Any]]:
    """Every wall of a needle, the one with least to spare first."""
    return [
        {"wall": describe(one.wall), "mm": one.mm, "band": one.band_mm, "least": one.least_mm}
        for one in walls_by_spare(path)
    ]


def _movers(rehearsal: Rehearsal, procedure: str) -> list[dict[str, Any]]:
    """What moves each result that `moved` names, with the effect as a number and as a share of the strongest."""
    stated = {item.result: item.by for item in moved(rehearsal) if item.procedure.lower() == procedure}
    found = []
    for group, rows in GROUPS.items():
        for row in rows:
            if row.title not in stated:
                continue
            effects = rehearsal.drivers.get(f"{procedure}: {row.name}", ())[:MOST_MOVERS]
            top = abs(effects[0][1]) if effects else 0.0
            by = [
                {"unknown": UNKNOWN_WORDS[name], "effect": row.factor * effect, "share": abs(effect) / top}
                for name, effect in effects
                if top > 0 and abs(effect) >= MIN_SHARE * top
            ]
            words = list(stated[row.title])
            found.append({"group": group, "name": row.name, "title": row.title, "by": by, "words": words})
    return found


def _pick(held: Any, *names: str) -> dict[str, Any] | None:
    return None if not isinstance(held, dict) else {name: held.get(name) for name in names}
