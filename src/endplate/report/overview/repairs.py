"""The repairs of one level side by side in a few rows: needle, height, strength, cement, and how each run ended."""

from __future__ import annotations

from endplate.repair.rehearsal.findings import PROCEDURE_WORDS
from endplate.repair.rehearsal.result import ProcedureResult, Rehearsal
from endplate.report.phrase import anatomical, listed, number
from endplate.report.rehearsal.before import results
from endplate.report.rehearsal.table import GROUPS, Row, cell
from endplate.report.table import Cell, Table

SHOWN = {
    "cured_anterior_mm": "Anterior height gained",
    "cured_wedge_deg": "Wedge angle change (minus: less wedged)",
    "strength_ratio": "Predicted failure load over no repair",
    "load_share_flexed": "Load of bending forward over failure load",
    "cement_ml": "Cement in the body",
}
"""Results on the first screen, with their titles there."""
NONE = "none"


def repairs(rehearsal: Rehearsal) -> Table:
    """No repair and every procedure that was rehearsed, as columns."""
    done: dict[str, ProcedureResult] = {one.procedure: one for one in rehearsal.nominal}
    columns = [name for name in PROCEDURE_WORDS if name == NONE or name in done]
    rows = [("Needle trajectory", tuple(_needle(done.get(name)) for name in columns))]
    held = results(rehearsal)
    for row in _rows():
        if any(row.name in held.get(name, {}) for name in columns):
            title = f"{SHOWN[row.name]} ({row.unit})" if row.unit else SHOWN[row.name]
            rows.append((title, tuple(cell(held.get(name, {}).get(row.name), row, name) for name in columns)))
    rows.append(("Cement leakage routes reached", tuple(_routes(done.get(name)) for name in columns)))
    heads = tuple((PROCEDURE_WORDS[name].capitalize(), _ended(done.get(name))) for name in columns)
    return Table(title=f"Repairs of {rehearsal.level} side by side", heads=heads, rows=tuple(rows))


def _rows() -> list[Row]:
    known = {row.name: row for rows in GROUPS.values() for row in rows}
    return [known[name] for name in SHOWN if name in known]


def _ended(done: ProcedureResult | None) -> str:
    """What stands under the head of a column whose run found no equilibrium; empty elsewhere."""
    return "did not converge: last good state" if done is not None and done.unconverged else ""


def _needle(done: ProcedureResult | None) -> Cell:
    """The needles with their smallest clearance; without a trajectory the reason."""
    if done is None:
        return Cell(reason="no part of this")
    if done.access is None:
        return Cell(reason=done.stopped or "not computed")
    if not done.access.paths:
        return Cell(value="no safe trajectory", band=done.access.reason)
    kinds = listed([f"{path.side} {path.needle.name.split(' ')[0]}" for path in done.access.paths])
    least = min(path.min_clearance_mm for path in done.access.paths)
    return Cell(value=kinds, band=f"smallest clearance {number(least, 1)} mm")


def _routes(done: ProcedureResult | None) -> Cell:
    if done is None:
        return Cell(reason="no part of this")
    if done.fill is None:
        return Cell(reason=done.stopped or "not computed")
    names = list(dict.fromkeys(item.opening.name for item in done.fill.reached))
    return Cell(value=str(len(names)), band=anatomical(listed(names))) if names else Cell(value="none")
