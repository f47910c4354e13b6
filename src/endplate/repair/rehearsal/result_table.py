"""Every result of a rehearsal once: unit, finding code, how it goes to another grid, and between which ends it lies."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from endplate.repair.kyphoplasty.wall_displacement import PATCH_MM2

Carry = Literal["ratio", "shift", "amount"]
FLOW = "Christopher-Middleman porous power-law flow (knowledge); permeability Baroud 2004 and Kozeny-Carman (knowledge)"
_POINTS = "Deshpande-Fleck crushable foam in implicit material points (knowledge); yield law Kopperdahl 2002"
_CURE = "Kinzl 2012a, b: cement porosity and interface, bone inside cement dropped"
_LOAD = "0.2 % offset load as before the repair, Walle, Matheson & Boyd, GigaScience 2025"
_MARGIN = "Moment balance of trunk models of the Schultz family (weak), as for load_to_strength"
_SEGMENT = "Linear disc layers (Yang 2016); ratios only, never fracture risk"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultKind:
    """A result of a rehearsal.

    Attributes
    ----------
    code, unit, at, how, source : its finding: code, UCUM unit, the state it was read at, how, and from which source.
    carry : how a member's result goes to the fine grid: by ratio to the nominal run on its own grid, by distance from
        it, or, an amount that may be a drop in some runs, downwards by ratio and upwards by distance.
    least, most : ends between which it must lie; None where there is none.
    force : its band in a single run spans calibration, method, cement and interface.
    """

    code: str
    unit: str
    how: str
    source: str
    at: str = ""
    carry: Carry = "ratio"
    least: float | None = 0.0
    most: float | None = None
    force: bool = False


STAGES = {
    "upright": "standing, before anything was done",
    "posture": "placed on the table",
    "full": "balloon full",
    "deflated": "balloon emptied",
    "cured": "cement set",
    "standing": "standing again",
}
AGAINST = {
    "upright": "against that lying under the table's load",
    "posture": "against that under the same preload before the neighbours were extended",
    "standing": "against that under the table's load before the neighbours were extended: posture and balloon "
    "together, less what the cemented body gives elastically under the load of standing",
}
"""What a gain is counted against, where it is not the body placed on the table before the balloon."""
BEFORE = "against that under the same preload before the balloon"
PLACES = {"anterior": "front", "middle": "middle", "posterior": "back"}
_PLATES = {"superior": "upper endplate", "inferior": "lower endplate"}
_WALLS = {"back": "the wall that faces the canal", "side": "the front and side walls"}


def _move(code: str, unit: str, how: str, at: str = "") -> ResultKind:
    """A length or angle that may go either way, and may be nothing in the nominal run."""
    return ResultKind(code=code, unit=unit, how=how, at=at, source=_POINTS, carry="shift", least=None)


def _share(code: str, how: str, at: str = "") -> ResultKind:
    """A part of a whole."""
    return ResultKind(code=code, unit="1", how=how, at=at, source=FLOW, carry="shift", most=1.0)


def _amount(code: str, how: str, source: str) -> ResultKind:
    """A volume that is nothing, or next to nothing, in some runs."""
    return ResultKind(code=code, unit="mL", how=how, source=source, carry="amount")


def _force(code: str, unit: str, how: str, source: str, at: str = "") -> ResultKind:
    return ResultKind(code=code, unit=unit, how=how, source=source, at=at, force=True)


def _gains() -> dict[str, ResultKind]:
    found = {}
    for stage, words in STAGES.items():
        for place, side in PLACES.items():
            how = f"height at the {side} of the body {AGAINST.get(stage, BEFORE)}"
            found[f"{stage}_{place}_mm"] = _move(f"repair_gain_{place}", "mm", how, words)
        for angle in ("wedge", "kyphosis"):
            how = f"change of the angle {AGAINST.get(stage, BEFORE)}, negative is less bent forward; discs keep theirs"
            found[f"{stage}_{angle}_deg"] = _move(f"repair_{angle}_change", "deg", how, words)
    return found


def _settled() -> dict[str, ResultKind]:
    return {
        f"settled_{place}_mm": _move(
            f"repair_settled_{place}",
            "mm",
            f"height at the {side} of the body under the preload, before the balloon, against the scan",
        )
        for place, side in PLACES.items()
    }


def _walls() -> dict[str, ResultKind]:
    return {
        f"{stage}_{wall}_wall_mm": _move(
            f"repair_{wall}_wall_pushed",
            "mm",
            f"how far {PATCH_MM2:g} mm2 of {words} went out, against the body under the same preload before the "
            "balloon",
            STAGES[stage],
        )
        for stage in ("full", "deflated")
        for wall, words in _WALLS.items()
    }


RESULTS: dict[str, ResultKind] = {
    **_gains(),
    **_settled(),
    **_walls(),
    "balloon_volume_ml": _amount("balloon_volume", "all balloons together", _POINTS),
    "balloon_pressure_mpa": ResultKind(
        code="balloon_pressure", unit="MPa", how="highest while filling", source=_POINTS
    ),
    "cavity_ml": _amount("balloon_cavity", "left when the balloon was emptied", _POINTS),
    "cement_ml": _amount("cement_volume", "inside the body", FLOW),
    "leaked_ml": _amount("cement_outside", "beyond an opening of the body", FLOW),
    "fill_fraction": _share("cement_fill_fraction", "cement over the body's volume"),
    "openings": ResultKind(
        code="cement_openings_reached", unit="1", how="leakage routes that cement reached", source=FLOW, carry="shift"
    ),
    "right_share": _share("cement_right_share", "cement in the patient's right half"),
    **{
        f"contact_{plate}": _share("cement_endplate_contact", "area that cement touches", words)
        for plate, words in _PLATES.items()
    },
    "bone_pressure_mpa": ResultKind(code="cement_bone_pressure", unit="MPa", how="highest at the tip", source=FLOW),
    "cannula_pressure_mpa": ResultKind(
        code="cement_cannula_pressure", unit="MPa", how="highest lost in the cannula", source=FLOW
    ),
    "strength_n": _force("repair_failure_load", "N", "0.2 % offset load", f"{_CURE}; {_LOAD}"),
    "stiffness_n_per_mm": _force("repair_stiffness", "N/mm", "elastic, cap to cap", _CURE),
    "strength_ratio": _force("repair_failure_load_ratio", "1", "after over before", _CURE),
    "stiffness_ratio": _force("repair_stiffness_ratio", "1", "after over before", _CURE),
    **{
        f"load_share_{case}": _force(
            "repair_load_to_strength", "1", "estimated load over the failure load", _MARGIN, case
        )
        for case in ("standing", "flexed")
    },
}
"""Results of the level itself, by name."""
NEIGHBOUR = re.compile(r"neighbour_(load|strain|disc)_(\w+?)_(standing|flexed)")
"""Results of a neighbour: what, its level, load case."""
NEIGHBOUR_CODES = {
    "load": "neighbour_load_ratio",
    "strain": "neighbour_endplate_strain_ratio",
    "disc": "neighbour_disc_pressure_ratio",
}


def result_kind(name: str) -> ResultKind:
    """How a result behaves and how it is reported.

    Raises
    ------
    KeyError : there is no such result.
    """
    if match := NEIGHBOUR.fullmatch(name):
        what, _, case = match.groups()
        how = f"after over before in the segment of three, {case} load"
        return ResultKind(code=NEIGHBOUR_CODES[what], unit="1", how=how, at=case, source=_SEGMENT)
    try:
        return RESULTS[name]
    except KeyError:
        raise KeyError(
            f"{name!r} is no result of a rehearsal; give it a line in repair/rehearsal/result_table.py"
        ) from None
