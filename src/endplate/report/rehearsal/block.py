"""The `rehearsals` block of the document: what findings are too flat to hold: paths, curves, stops, balances."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.repair.access.access_result import Access, NeedlePath
from endplate.repair.access.clearance import refusal, verdict
from endplate.repair.band import Band
from endplate.repair.cement.cement_fill import CementFill
from endplate.repair.cement.sphere_baseline import agreement
from endplate.repair.kyphoplasty.inflation_result import Beyond, Gain, Inflation
from endplate.repair.rehearsal.result import ProcedureResult, Rehearsal
from endplate.repair.site.bone import Bone
from endplate.repair.site.prefracture_shape import PrefractureShape
from endplate.report.rehearsal.before import results

DIGITS = 6


def block(rehearsal: Rehearsal) -> dict[str, Any]:
    """One rehearsal as plain values."""
    return {
        "level": str(rehearsal.level),
        "voxel_mm": float(rehearsal.voxel_mm),
        "members": {
            "ended": rehearsal.members,
            "failed": list(rehearsal.failed),
            "voxel_mm": rehearsal.member_voxel_mm,
            "seed": rehearsal.seed,
        },
        "unknowns": [
            {"name": u.name, "unit": u.unit, "nominal": u.nominal, "low": u.low, "high": u.high, "source": u.source}
            for u in rehearsal.unknowns
        ],
        "results": {
            procedure: {name: _band(band) for name, band in of.items()} for procedure, of in results(rehearsal).items()
        },
        "drivers": {
            key: [{"unknown": name, "effect": float(effect)} for name, effect in effects]
            for key, effects in rehearsal.drivers.items()
        },
        "zone": _zone(rehearsal.bone),
        "intact": _intact(rehearsal),
        "age": None
        if rehearsal.age is None
        else {
            "age": rehearsal.age.age,
            "days": rehearsal.age.days,
            "taken": rehearsal.age.nominal,
            "band": list(rehearsal.age.band),
            "decided_by": rehearsal.age.decided_by,
        },
        "procedures": [_procedure(done, rehearsal) for done in rehearsal.nominal],
        "notes": list(rehearsal.notes),
    }


def _band(band: Band) -> dict[str, Any]:
    return {"value": band.value, "low": band.low, "high": band.high, "reason": band.reason}


def _zone(bone: Bone | None) -> dict[str, Any] | None:
    """What was found of the fracture in the scan."""
    if bone is None or bone.zone is None:
        return None
    voxel_ml = bone.field.grid.voxel_mm3 / 1000
    zone = bone.zone
    return {
        "signs": list(zone.signs),
        "band_ml": float(zone.band.sum() * voxel_ml),
        "cleft_ml": float(zone.cleft.sum() * voxel_ml),
        "opening_mm": zone.opening_mm,
    }


def _intact(rehearsal: Rehearsal) -> dict[str, Any] | None:
    """The shape before the fracture."""
    shape = rehearsal.intact
    if shape is None:
        return None
    return {
        "heights_mm": None if shape.heights_mm is None else [float(height) for height in shape.heights_mm],
        "sd_mm": shape.sd_mm,
        "volume_ml": shape.volume_ml,
        "lost_ml": shape.lost_ml,
        "lost_sd_ml": shape.lost_sd_ml,
        "reference": shape.reference,
        "reason": shape.reason,
    }


def _procedure(done: ProcedureResult, rehearsal: Rehearsal) -> dict[str, Any]:
    return {
        "procedure": done.procedure,
        "access": None if done.access is None else _access(done.access),
        "balloon": None if done.inflation is None else _inflation(done.inflation),
        "cement": None if done.fill is None else _fill(done.fill, rehearsal.intact),
        "cured": None if done.after_cement is None else _gain(done.after_cement),
        "stopped": done.stopped,
    }


def _access(access: Access) -> dict[str, Any]:
    return {
        "paths": [_path(path) for path in access.paths],
        "alternatives": [_path(path) for path in access.alternatives],
        "reason": access.reason,
        "notes": list(access.notes),
    }


def _path(path: NeedlePath) -> dict[str, Any]:
    return {
        "side": path.side,
        "approach": path.approach,
        "needle": path.needle.name,
        "outer_mm": float(path.needle.outer_mm),
        "skin_mm": None if path.skin_mm is None else _point(path.skin_mm),
        "entry_mm": _point(path.entry_mm),
        "target_mm": _point(path.target_mm),
        "tip_mm": _point(path.end_mm),
        "bend_deg": float(path.bend_deg),
        "middle_off_mm": path.middle_off_mm,
        "axial_deg": float(path.axial_deg),
        "sagittal_deg": float(path.sagittal_deg),
        "clearance_mm": {wall: float(value) for wall, value in path.clearance_mm.items()},
        "band_mm": {wall: float(value) for wall, value in path.band_mm.items()},
        "least_mm": float(path.min_clearance_mm),
        "length_mm": float(path.length_mm),
        "verdict": verdict(path),
        "refusal": refusal(path),
        "breaches": [{"wall": b.wall, "depth_mm": float(b.depth_mm), "at_mm": _point(b.at_mm)} for b in path.breaches],
    }


def _inflation(blown: Inflation) -> dict[str, Any]:
    return {
        "balloons": [balloon.name for balloon in blown.balloons],
        "volume_ml": _curve(blown.volume_ml),
        "pressure_mpa": _curve(blown.pressure_mpa),
        "settled": None if blown.settled is None else _gain(blown.settled),
        "posture": None if blown.posture is None else _gain(blown.posture),
        "beyond": None if blown.beyond is None else _beyond(blown.beyond),
        "full": _gain(blown.full),
        "deflated": _gain(blown.deflated),
        "walls_pushed_mm": {
            "full": blown.wall_displacement_inflated_mm._asdict(),
            "deflated": blown.wall_displacement_deflated_mm._asdict(),
        },
        "cavity_ml": float(blown.cavity_ml),
        "mass_error": float(blown.mass_error),
        "volume_error": float(blown.volume_error),
        "energy_error": float(blown.energy_error),
        "mobility": blown.mobility,
        "preload_n": float(blown.preload_n),
        "stop": blown.stop,
        "unconverged": blown.unconverged,
        "steps": int(blown.steps),
        "notes": list(blown.notes),
    }


def _beyond(beyond: Beyond) -> dict[str, Any]:
    """The course after a wall gave way."""
    return {
        "volume_ml": _curve(beyond.volume_ml),
        "pressure_mpa": _curve(beyond.pressure_mpa),
        "anterior_gain_mm": _curve(beyond.gain_mm[:, 0]),
        "walls_pushed_mm": beyond.pushed_mm._asdict(),
        "stop": beyond.stop,
    }


def _fill(fill: CementFill, intact: PrefractureShape | None) -> dict[str, Any]:
    return {
        "cement": fill.cement.name,
        "volume_ml": float(fill.volume_ml),
        "leaked_ml": float(fill.leaked_ml),
        "injected_ml": float(fill.injected_ml),
        "fill_fraction": float(fill.fill_fraction),
        "fill_of_intact": None if intact is None or not intact.volume_ml else fill.volume_ml / intact.volume_ml,
        "time_s": _curve(fill.time_s),
        "injected_curve_ml": _curve(fill.injected_curve_ml),
        "bone_pressure_mpa": _curve(fill.bone_pressure_mpa),
        "cannula_pressure_mpa": _curve(fill.cannula_pressure_mpa),
        "openings": [
            {
                "route": reached.opening.route,
                "name": reached.opening.name,
                "centre_mm": _point(reached.opening.centre_mm),
                "time_s": float(reached.time_s),
                "injected_ml": float(reached.injected_ml),
                "leaked_ml": float(reached.leaked_ml),
            }
            for reached in fill.reached
        ],
        "against_sphere": _against_sphere(fill),
        "stop": fill.stop,
        "converged": fill.converged,
        "balance": float(fill.balance),
        "notes": list(fill.notes),
    }


def _against_sphere(fill: CementFill) -> dict[str, float] | None:
    """How the outlined cement agrees with the same volume as plain spheres about the tips."""
    found = agreement(fill.saturation, fill.sphere, float(fill.grid.spacing_mm[0]))
    if found is None:
        return None
    return {
        "dice": found.dice,
        "centroid_shift_mm": found.centroid_mm,
        "surface_mean_mm": found.mean_mm,
        "surface_95_mm": found.max_mm,
        "volume_error": found.volume_error,
    }


def _gain(gain: Gain) -> dict[str, Any]:
    return {
        "anterior_mm": float(gain.anterior_mm),
        "middle_mm": float(gain.middle_mm),
        "posterior_mm": float(gain.posterior_mm),
        "wedge_deg": float(gain.wedge_deg),
        "kyphosis_deg": None if gain.kyphosis_deg is None else float(gain.kyphosis_deg),
    }


def _point(xyz_mm: Any) -> list[float]:
    return [round(float(value), 3) for value in xyz_mm]


def _curve(values: NDArray[np.float64]) -> list[float]:
    return [float(value) for value in np.round(np.asarray(values, float), DIGITS)]
