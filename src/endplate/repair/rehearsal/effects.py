"""What the procedures changed, side by side: results by name, their bands over the ensemble, and what moves them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from endplate.repair.band import Band
from endplate.repair.kyphoplasty.inflation_result import Gain
from endplate.repair.rehearsal.design import NAMES
from endplate.repair.rehearsal.result import ProcedureResult
from endplate.repair.rehearsal.result_table import ResultKind, result_kind

Results = dict[str, float]
"""Result name to number, of one run of one procedure."""
Run = dict[str, Results]
"""Procedure to results, of one set of the unknowns."""
Limits = Mapping[str, Mapping[str, float]]
"""Procedure, then result: the most that there can be of it, such as the planned volume."""


def measured(done: ProcedureResult, before: ProcedureResult, loads_n: Mapping[str, float]) -> Results:
    """Every number of one run by its name; what was not reached is absent.

    Parameters
    ----------
    done : one procedure. before : the level without repair, for the same unknowns.
    loads_n : estimated load on the level by load case, as far as known.
    """
    out: Results = {}
    if done.inflation is not None:
        out |= _balloon(done)
    if done.fill is not None:
        out |= _cement(done)
    if done.after_cement is not None:
        out |= _gain("cured", done.after_cement)
    out |= _strength(done, before)
    out |= _standing(done, loads_n)
    if "strength_n" in out:
        out |= {f"load_share_{case}": load / out["strength_n"] for case, load in loads_n.items()}
    for neighbour in done.neighbours:
        of = f"{neighbour.level}_{neighbour.load_case}"
        out[f"neighbour_load_{of}"] = neighbour.load_ratio
        out[f"neighbour_strain_{of}"] = neighbour.endplate_strain_ratio
        out[f"neighbour_disc_{of}"] = neighbour.disc_pressure_ratio
    return out


def carried(name: str, member: float, coarse: float, fine: float, most: float | None = None) -> float:
    """A member's result on the fine grid: its ratio to the nominal run on its own grid, or its distance from it.

    Lengths, counts and shares go by distance, since their nominal may be zero; forces and pressures by ratio; volumes,
    whose nominal may be a drop, downwards by ratio and upwards by distance. `most` is what there can be at most, or
    what the member itself had where that is more.
    """
    kind = result_kind(name)
    by_ratio = kind.carry == "ratio" or (kind.carry == "amount" and member < coarse)
    value = fine * member / coarse if by_ratio and coarse > 0 else fine + member - coarse
    value = _within(value, kind)
    return value if most is None else min(value, max(most, member))


def bands(nominal: Run, coarse: Run, members: Sequence[Run], most: Limits | None = None) -> dict[str, dict[str, Band]]:
    """Lowest and highest of each result over the nominal run and all members.

    Parameters
    ----------
    nominal : the run on the fine grid. coarse : the same unknowns on the members' grid. members : those that ended.
    most : what there can be at most of a result.
    """
    most = most or {}
    return {
        procedure: {
            name: _band(procedure, name, value, coarse, members, most.get(procedure, {}).get(name))
            for name, value in results.items()
        }
        for procedure, results in nominal.items()
    }


def _band(procedure: str, name: str, value: float, coarse: Run, members: Sequence[Run], most: float | None) -> Band:
    reference = coarse.get(procedure, {}).get(name)
    found = [member[procedure][name] for member in members if name in member.get(procedure, {})]
    if not members:
        return Band(value=value, reason="a single run: no ensemble was asked for")
    if reference is None or not found:
        return Band(value=value, reason="no member of the ensemble has this result")
    spread = [value, *(carried(name, item, reference, value, most) for item in found)]
    return Band(value=value, low=min(spread), high=max(spread), members=len(found))


def main_effects(
    signs: NDArray[np.int8], members: Sequence[Run | None], procedure: str, name: str
) -> tuple[tuple[str, float], ...]:
    """How far each unknown moves a result from its low to its high end, largest first.

    Least squares on the signs, so that a missing member costs balance but no answer; empty where fewer members than
    unknowns and mean have the result.

    Parameters
    ----------
    signs : (members, 7) design. members : results of each row, None for one that failed.
    """
    held = [
        (row, member[procedure][name])
        for row, member in zip(signs, members, strict=True)
        if member is not None and name in member.get(procedure, {})
    ]
    if len(held) <= len(NAMES):
        return ()
    rows = np.array([[1.0, *row] for row, _ in held])
    values = np.array([value for _, value in held])
    slopes = np.linalg.lstsq(rows, values, rcond=None)[0][1:]
    order = np.argsort(-np.abs(slopes), kind="stable")
    return tuple((NAMES[place], float(2 * slopes[place])) for place in order)


def drivers(
    signs: NDArray[np.int8], members: Sequence[Run | None], nominal: Run
) -> dict[str, tuple[tuple[str, float], ...]]:
    """Main effects of every result as "procedure: result"."""
    found = {
        f"{procedure}: {name}": main_effects(signs, members, procedure, name)
        for procedure, results in nominal.items()
        for name in results
    }
    return {key: effects for key, effects in found.items() if effects}


def as_numbers(
    before: ProcedureResult, done: Iterable[ProcedureResult], loads_n: Mapping[str, float] | None = None
) -> Run:
    """Results of the level as it is and of every procedure, of one set of the unknowns."""
    return {item.procedure: measured(item, before, loads_n or {}) for item in (before, *done)}


def _within(value: float, kind: ResultKind) -> float:
    low = value if kind.least is None else max(value, kind.least)
    return low if kind.most is None else min(low, kind.most)


def _heights(stage: str, gain: Gain) -> Results:
    return {
        f"{stage}_anterior_mm": gain.anterior_mm,
        f"{stage}_middle_mm": gain.middle_mm,
        f"{stage}_posterior_mm": gain.posterior_mm,
    }


def _gain(stage: str, gain: Gain) -> Results:
    out = _heights(stage, gain) | {f"{stage}_wedge_deg": gain.wedge_deg}
    return out if gain.kyphosis_deg is None else out | {f"{stage}_kyphosis_deg": gain.kyphosis_deg}


def _balloon(done: ProcedureResult) -> Results:
    inflation = done.inflation
    if inflation is None:
        return {}
    out = {"cavity_ml": inflation.cavity_ml}
    if inflation.volume_ml.size:
        out["balloon_volume_ml"] = float(inflation.volume_ml.max())
        out["balloon_pressure_mpa"] = float(inflation.pressure_mpa.max())
    if inflation.settled is not None:
        out |= _heights("settled", inflation.settled)
    for stage, walls in (
        ("full", inflation.wall_displacement_inflated_mm),
        ("deflated", inflation.wall_displacement_deflated_mm),
    ):
        out |= {f"{stage}_{name}_wall_mm": mm for name, mm in walls._asdict().items() if mm is not None}
    if inflation.upright is not None:
        out |= _heights("upright", inflation.upright)
    if inflation.posture is not None:
        out |= _gain("posture", inflation.posture)
    return out | _gain("full", inflation.full) | _gain("deflated", inflation.deflated)


def _standing(done: ProcedureResult, loads_n: Mapping[str, float]) -> Results:
    """Heights when the patient stands again: posture and balloon, less what the cemented body gives elastically."""
    blown, cured, strength = done.inflation, done.after_cement, done.strength
    if blown is None or cured is None or strength is None or "standing" not in loads_n:
        return {}
    given = max(loads_n["standing"] - blown.preload_n, 0.0) / strength.stiffness_n_per_mm
    placed = blown.posture
    moved = {} if placed is None else _heights("standing", placed)
    return {name: value + moved.get(name, 0.0) - given for name, value in _heights("standing", cured).items()}


def _cement(done: ProcedureResult) -> Results:
    fill = done.fill
    if fill is None:
        return {}
    out = {
        "cement_ml": fill.volume_ml,
        "leaked_ml": fill.leaked_ml,
        "fill_fraction": fill.fill_fraction,
        "openings": float(len(fill.reached)),
    }
    if fill.volume_ml > 0:
        out["right_share"] = fill.right_share
        out |= {f"contact_{plate}": share for plate, share in fill.endplate_contact.items()}
    if fill.bone_pressure_mpa.size:
        out["bone_pressure_mpa"] = float(np.nanmax(fill.bone_pressure_mpa))
        out["cannula_pressure_mpa"] = float(np.nanmax(fill.cannula_pressure_mpa))
    return out


def _strength(done: ProcedureResult, before: ProcedureResult) -> Results:
    """Stiffness and strength, and both over those of the level as it is."""
    if done.strength is None:
        return {}
    out = {"stiffness_n_per_mm": done.strength.stiffness_n_per_mm}
    if done.strength.failure_load_n is not None:
        out["strength_n"] = done.strength.failure_load_n
    if done.procedure == "none" or before.strength is None:
        return out
    out["stiffness_ratio"] = done.strength.stiffness_n_per_mm / before.strength.stiffness_n_per_mm
    if done.strength.failure_load_n is not None and before.strength.failure_load_n:
        out["strength_ratio"] = done.strength.failure_load_n / before.strength.failure_load_n
    return out
