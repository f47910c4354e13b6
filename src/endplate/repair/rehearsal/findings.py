"""A rehearsal as flat findings, gaps and cautions: each number with its band, what the band spans, and its source."""

from __future__ import annotations

from collections.abc import Iterator

from endplate.finding import Caution, Finding, Gap
from endplate.level import Level
from endplate.repair.access.access_result import NeedlePath
from endplate.repair.band import Band
from endplate.repair.rehearsal.design import TWO_POINT
from endplate.repair.rehearsal.result import ProcedureResult, Rehearsal
from endplate.repair.rehearsal.result_table import FLOW, NEIGHBOUR, NEIGHBOUR_CODES, result_kind

_PATH = "Geometry of the labels and the scan; margins are our own choice"


ALONE = "95 % band of calibration, method, cement and its interface"
"""What the band of a force spans in a single run."""
PROCEDURE_WORDS = {"none": "no repair", "vertebroplasty": "vertebroplasty", "kyphoplasty": "kyphoplasty"}
STOPPED = "repair_stopped"
UNCONVERGED = "repair_unconverged"


def findings(rehearsal: Rehearsal) -> tuple[Finding, ...]:
    """Every number of every procedure, and the needle paths."""
    numbers = [
        _number(rehearsal, procedure, name, band)
        for procedure, results in rehearsal.bands.items()
        for name, band in results.items()
    ]
    paths = [finding for done in rehearsal.nominal for finding in _paths(done)]
    openings = [finding for done in rehearsal.nominal for finding in _openings(done)]
    return (*(item for item in numbers if item is not None), *paths, *openings)


def gaps(rehearsal: Rehearsal) -> tuple[Gap, ...]:
    """What was not reached: procedures that stopped, paths and neighbours that do not exist, members that failed."""
    level = rehearsal.level
    every = (rehearsal.before, *rehearsal.nominal)
    out = [
        Gap(code=STOPPED, level=level, reason=f"{PROCEDURE_WORDS[done.procedure]}: {reason}")
        for done in every
        for reason in (done.unconverged, done.stopped)
        if reason
    ]
    out += [
        Gap(code="needle_path", level=level, reason=f"{done.procedure}: {done.access.reason}")
        for done in rehearsal.nominal
        if done.access is not None and not done.access.paths
    ]
    absent = dict.fromkeys(reason for done in rehearsal.nominal for reason in done.missing)
    out += [Gap(code=NEIGHBOUR_CODES["load"], level=level, reason=reason) for reason in absent]
    out += [Gap(code="repair_member", level=level, reason=reason) for reason in rehearsal.failed]
    return tuple(out)


def cautions(rehearsal: Rehearsal) -> tuple[Caution, ...]:
    """What a reader must know before trusting this rehearsal; notes of single runs stay with them."""
    failed = [
        Caution(code=UNCONVERGED, level=rehearsal.level, text=f"{PROCEDURE_WORDS[done.procedure]} did not converge, so "
        f"its numbers are those of the last good state: {done.unconverged}")
        for done in rehearsal.nominal
        if done.unconverged
    ]  # fmt: skip
    notes = [
        Caution(code="rehearsal", level=rehearsal.level, text=f"rehearsed repair: {note}")
        for note in dict.fromkeys(rehearsal.notes)
    ]
    return (*failed, *notes)


def _number(rehearsal: Rehearsal, procedure: str, name: str, band: Band) -> Finding | None:
    if band.value is None:
        return None
    words = PROCEDURE_WORDS[procedure]
    kind = result_kind(name)
    neighbour = NEIGHBOUR.fullmatch(name)
    where = f"{words} of {rehearsal.level}" if neighbour else words
    grid = "" if neighbour else f"; voxels of {rehearsal.voxel_mm:g} mm"
    return Finding(
        code=kind.code,
        level=Level[neighbour[2]] if neighbour else rehearsal.level,
        condition=", ".join(part for part in (where, kind.at) if part),
        value=band.value,
        unit=kind.unit,
        low=band.low,
        high=band.high,
        method=f"{kind.how}{grid}; {span(rehearsal, name, band)}",
        source=kind.source,
    )


def span(rehearsal: Rehearsal, name: str, band: Band) -> str:
    """What the band of a result spans, in words."""
    if band.low is None:
        return band.reason or "one run"
    if not band.members:
        return ALONE
    if bracketed(rehearsal):
        words = "spans a run with a healed fracture held fast under load and one with a loose fracture left free"
        return f"{words}, and the {ALONE}" if result_kind(name).force else words
    carried = ""
    if rehearsal.member_voxel_mm is not None and rehearsal.member_voxel_mm != rehearsal.voxel_mm:
        carried = (
            f" on voxels of {rehearsal.member_voxel_mm:g} mm, carried over by ratio or distance to the nominal run "
            "on the same voxels"
        )
    return f"band: lowest to highest of {band.members} members with the unknowns at their ends{carried}"


def bracketed(rehearsal: Rehearsal) -> bool:
    """Whether only the two runs were asked for that span the gain of height."""
    return rehearsal.members > 0 and rehearsal.members + len(rehearsal.failed) <= TWO_POINT + 1


def _paths(done: ProcedureResult) -> Iterator[Finding]:
    for path in done.access.paths if done.access is not None else ():
        for code, value, unit, how in (
            ("needle_clearance", path.min_clearance_mm, "mm", f"smallest of {_walls(path)}"),
            ("needle_axial_angle", path.axial_deg, "deg", "towards the midline in the axial plane"),
            ("needle_sagittal_angle", path.sagittal_deg, "deg", "towards the feet in the sagittal plane"),
            ("needle_depth", path.depth_mm, "mm", f"from the bone's surface to {_end(done)}"),
        ):
            yield Finding(
                code=code,
                level=path.level,
                condition=f"{done.procedure}, {path.side} {path.approach}",
                value=value,
                unit=unit,
                method=f"{_needle(path)}; {how}",
                source=_PATH,
            )


def _end(done: ProcedureResult) -> str:
    """How far the channel goes."""
    return "the front end of the balloon" if done.procedure == "kyphoplasty" else "the needle's tip"


def _needle(path: NeedlePath) -> str:
    return f"{path.needle.name} needle, {path.needle.outer_mm:g} mm thick, {path.needle.length_mm:g} mm long"


def _walls(path: NeedlePath) -> str:
    """The clearances in one phrase; a wall that was not measured is left out."""
    return ", ".join(f"{wall} {value:.1f} mm" for wall, value in path.clearance_mm.items())


def _openings(done: ProcedureResult) -> Iterator[Finding]:
    for reached in done.fill.reached if done.fill is not None else ():
        yield Finding(
            code="cement_reached",
            level=done.fill.level if done.fill is not None else None,
            condition=done.procedure,
            value=f"{reached.opening.name} (class {reached.opening.route})",
            unit="",
            method=f"reached {reached.time_s:.0f} s after the injection began, with {reached.injected_ml:.1f} mL in; "
            f"{reached.leaked_ml:.2f} mL went out",
            source=FLOW,
        )
