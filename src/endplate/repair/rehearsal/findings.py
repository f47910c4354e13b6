"""A rehearsal as flat findings, gaps and cautions: each number with its band, what the band spans, and its source."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from endplate.finding import Caution, Finding, Gap
from endplate.level import Level
from endplate.repair.access.access_result import NeedlePath
from endplate.repair.band import Band
from endplate.repair.kyphoplasty.wall_displacement import PATCH_MM2
from endplate.repair.rehearsal.design import TWO_POINT
from endplate.repair.rehearsal.result import ProcedureResult, Rehearsal

_FLOW = "Christopher-Middleman porous power-law flow (known); permeability Baroud 2004 and Kozeny-Carman (known)"
_POINTS = "Deshpande-Fleck crushable foam in implicit material points (known); yield law Kopperdahl 2002"
_CURE = "Kinzl 2012a, b: cement porosity and interface, bone inside cement dropped"
_LOAD = "0.2 % offset load as before the repair, Walle, Matheson & Boyd, GigaScience 2025"
_SEGMENT = "Linear disc layers of the biomechanics reference 9 (known); ratios only, never fracture risk"
_MARGIN = "Moment balance of trunk models of the Schultz family (weak), as for load_to_strength"
_PATH = "Geometry of the labels and the scan; margins of the clinical reference 6.3 (own choice there)"


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingSpec:
    """How a result is told: finding code, what it was measured at, unit, how, and from which source."""

    code: str
    unit: str
    how: str
    source: str
    at: str = ""


STAGES = {"full": "balloon full", "deflated": "balloon emptied", "cured": "cement set"}
PLACES = {"anterior": "front", "middle": "middle", "posterior": "back"}
RESULTS: dict[str, FindingSpec] = {
    **{
        f"{stage}_{place}_mm": FindingSpec(
            code=f"repair_gain_{place}",
            unit="mm",
            at=words,
            how=f"height at the {PLACES[place]} of the body against that under the same preload before the balloon",
            source=_POINTS,
        )
        for stage, words in STAGES.items()
        for place in PLACES
    },
    **{
        f"{stage}_{angle}_deg": FindingSpec(
            code=f"repair_{angle}_change",
            unit="deg",
            at=words,
            how="change of the angle against that under the same preload before the balloon, negative is less bent "
            "forward; discs keep their angles",
            source=_POINTS,
        )
        for stage, words in STAGES.items()
        for angle in ("wedge", "kyphosis")
    },
    **{
        f"settled_{place}_mm": FindingSpec(
            code=f"repair_settled_{place}",
            unit="mm",
            how=f"height at the {PLACES[place]} of the body under the preload, before the balloon, against the scan",
            source=_POINTS,
        )
        for place in PLACES
    },
    **{
        f"{stage}_{wall}_wall_mm": FindingSpec(
            code=f"repair_{wall}_wall_pushed",
            unit="mm",
            at=STAGES[stage],
            how=f"how far {PATCH_MM2:g} mm2 of {words} went out, against the body under the same "
            "preload before the balloon; the arch, which holds the body from behind, is not in the model",
            source=_POINTS,
        )
        for stage in ("full", "deflated")
        for wall, words in (("back", "the wall that faces the canal"), ("side", "the front and side walls"))
    },
    "balloon_volume_ml": FindingSpec(code="balloon_volume", unit="mL", how="all balloons together", source=_POINTS),
    "balloon_pressure_mpa": FindingSpec(
        code="balloon_pressure", unit="MPa", how="highest while filling", source=_POINTS
    ),
    "cavity_ml": FindingSpec(code="balloon_cavity", unit="mL", how="left when the balloon was emptied", source=_POINTS),
    "cement_ml": FindingSpec(code="cement_volume", unit="mL", how="inside the body", source=_FLOW),
    "leaked_ml": FindingSpec(code="cement_outside", unit="mL", how="beyond an opening of the body", source=_FLOW),
    "fill_fraction": FindingSpec(
        code="cement_fill_fraction", unit="1", how="cement over the body's volume", source=_FLOW
    ),
    "openings": FindingSpec(code="cement_openings_reached", unit="1", how="ways out that cement came to", source=_FLOW),
    "right_share": FindingSpec(
        code="cement_right_share", unit="1", how="cement in the patient's right half", source=_FLOW
    ),
    "contact_superior": FindingSpec(
        code="cement_endplate_contact", unit="1", at="upper endplate", how="area that cement touches", source=_FLOW
    ),
    "contact_inferior": FindingSpec(
        code="cement_endplate_contact", unit="1", at="lower endplate", how="area that cement touches", source=_FLOW
    ),
    "bone_pressure_mpa": FindingSpec(code="cement_bone_pressure", unit="MPa", how="highest at the tip", source=_FLOW),
    "cannula_pressure_mpa": FindingSpec(
        code="cement_cannula_pressure", unit="MPa", how="highest lost in the cannula", source=_FLOW
    ),
    "strength_n": FindingSpec(
        code="repair_failure_load", unit="N", how="0.2 % offset load", source=f"{_CURE}; {_LOAD}"
    ),
    "stiffness_n_per_mm": FindingSpec(code="repair_stiffness", unit="N/mm", how="elastic, cap to cap", source=_CURE),
    "strength_ratio": FindingSpec(code="repair_failure_load_ratio", unit="1", how="after over before", source=_CURE),
    "stiffness_ratio": FindingSpec(code="repair_stiffness_ratio", unit="1", how="after over before", source=_CURE),
}
RESULTS |= {
    f"load_share_{case}": FindingSpec(
        code="repair_load_to_strength", unit="1", at=case, how="estimated load over the failure load", source=_MARGIN
    )
    for case in ("standing", "flexed")
}
NEIGHBOUR = re.compile(r"neighbour_(load|strain|disc)_(\w+?)_(standing|flexed)")
NEIGHBOUR_CODES = {
    "load": "neighbour_load_ratio",
    "strain": "neighbour_endplate_strain_ratio",
    "disc": "neighbour_disc_pressure_ratio",
}
ALONE = "95 % band of calibration, method, cement and its interface"
"""What the band of a force spans in a single run."""
FORCES = ("strength_", "stiffness_", "load_share_")
"""How the results begin that have such a band."""
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
    neighbour = NEIGHBOUR.fullmatch(name)
    if neighbour:
        what, level, load_case = neighbour.groups()
        return Finding(
            code=NEIGHBOUR_CODES[what],
            level=Level[level],
            condition=f"{words} of {rehearsal.level}, {load_case}",
            value=band.value,
            unit="1",
            low=band.low,
            high=band.high,
            method=f"after over before in the segment of three, {load_case} load; {span(rehearsal, name, band)}",
            source=_SEGMENT,
        )
    told = RESULTS[name]
    return Finding(
        code=told.code,
        level=rehearsal.level,
        condition=", ".join(part for part in (words, told.at) if part),
        value=band.value,
        unit=told.unit,
        low=band.low,
        high=band.high,
        method=f"{told.how}; voxels of {rehearsal.voxel_mm:g} mm; {span(rehearsal, name, band)}",
        source=told.source,
    )


def span(rehearsal: Rehearsal, name: str, band: Band) -> str:
    """What the band of a result spans, in words."""
    if band.low is None:
        return band.reason or "one run"
    if not band.members:
        return ALONE
    if bracketed(rehearsal):
        words = "spans a run with a healed fracture held fast under load and one with a loose fracture left free"
        return f"{words}, and the {ALONE}" if name.startswith(FORCES) else words
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
            source=_FLOW,
        )
