"""What is true of a made fracture, as a document: heights, losses, mass, motion, what was lost, and from what."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Spine
from endplate.bone.result import Calibration
from endplate.finding import BAND_SD
from endplate.fracture.grade import KINDS
from endplate.fracture.normals import Triple
from endplate.fracture.result import Fracture
from endplate.synthetic_fracture.crush import CrushedBody, CrushSettings
from endplate.synthetic_fracture.generate import SyntheticFracture
from endplate.synthetic_fracture.motion import Rigid
from endplate.version import __version__

FORMAT = "endplate made fracture 1"
DEFINITION = (
    "heights between the endplates as material surfaces, at 12.5, 50 and 87.5 % of the depth at mid-height, along the "
    "superior axis of the intact body; loss = 1 - after / intact, after unloading"
)
LIMITS = (
    "arch and processes of the crushed vertebra move as one piece, joined to the crushed body over some millimetres",
    "soft tissue follows smoothly and is not simulated; bone without a label moves as soft tissue does, but for the "
    "spine above the labels, which goes with the level below it",
    "marrow leaves the crushed bone; no bleeding, oedema or healing is shown",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Origin:
    """Where a made fracture came from: fingerprints of the inputs by role, when, and with what settings."""

    inputs: dict[str, str]
    started: str
    settings: CrushSettings
    calibration: Calibration


def to_document(
    made: SyntheticFracture, spine: Spine, before: Sequence[Fracture], after: Sequence[Fracture], origin: Origin
) -> dict[str, Any]:
    """The truth of a made fracture, ready for JSON.

    Parameters
    ----------
    spine : of the scan before. before, after : readings of both scans by the same morphometry as `endplate assess`.
    """
    level, body = made.collapse.level, made.body
    return {
        "format": FORMAT,
        "version": __version__,
        "started": origin.started,
        "inputs": origin.inputs,
        "level": str(level),
        "shape": made.collapse.shape,
        "loss_asked": made.collapse.loss,
        "loss": reached(made),
        "definition": DEFINITION,
        "intact_mm": _by_kind(body.intact_mm),
        "after_mm": _by_kind(body.after_mm),
        "losses": _by_kind(body.losses),
        "measured_before": _measured(before, level),
        "measured_after": _measured(after, level),
        "mass": _mass(made),
        "mechanics": _mechanics(body),
        "motion": _motion(made, spine),
        "lost": _lost(made),
        "parameters": {
            "voxel_mm": origin.settings.voxel_mm,
            "smoothing_mm": origin.settings.smoothing_mm,
            "law": "kopperdahl, crushable foam that loses cohesion",
            "calibration": {
                "slope_mg_cm3_per_hu": origin.calibration.slope_mg_cm3_per_hu,
                "offset_mg_cm3": origin.calibration.offset_mg_cm3,
                "route": origin.calibration.route,
            },
        },
        "seconds": {stage: round(seconds, 1) for stage, seconds in made.seconds.items()},
        "limits": list(LIMITS),
    }


def reached(made: SyntheticFracture) -> float:
    """The loss that was reached: the mean of the heights that this shape is to lose."""
    return float(np.mean([made.body.losses[kind] for kind in made.collapse.kinds]))


def _by_kind(values: Triple) -> dict[str, float]:
    return {kind: round(value, 4) for kind, value in zip(KINDS, values, strict=True)}


def _measured(readings: Sequence[Fracture], level: Any) -> dict[str, Any] | None:
    """Heights and height loss against the neighbours as `endplate assess` measures them; None where it does not."""
    reading = next((one for one in readings if one.level is level), None)
    if reading is None or reading.height_loss.value is None:
        return None
    loss, sd = reading.height_loss.value, reading.height_loss.sd
    half = None if sd is None else BAND_SD * sd
    return {
        "heights_mm": {kind: getattr(reading.heights, kind).value for kind in KINDS},
        "height_loss": loss,
        "low": None if half is None else loss - half,
        "high": None if half is None else loss + half,
        "worst": reading.worst,
        "grade": reading.genant_grade,
        "shape": reading.shape,
        "fracture": reading.fracture,
    }


def _mass(made: SyntheticFracture) -> dict[str, float]:
    """Bone mineral of the crushed body's points, and of the vertebra's labels on both CTs, K2HPO4-equivalent.

    `ct_carried_mg` is what the new CT held before its bone of this vertebra was multiplied by `density_factor`.
    """
    before, carried, after = made.warped.mass_mg
    return {
        "points_before_mg": made.body.mass_before_mg,
        "points_after_mg": made.body.mass_after_mg,
        "ct_before_mg": before,
        "ct_carried_mg": carried,
        "density_factor": made.warped.density_factor,
        "ct_after_mg": after,
        "ct_change": after / before - 1,
    }


def _mechanics(body: CrushedBody) -> dict[str, Any]:
    least, low, most = body.ratio
    return {
        "peak_force_n": round(body.peak_n, 1),
        "loss_under_load": body.loaded_loss,
        "volume_ratio": {"least": least, "percentile_5": low, "greatest": most},
        "presses": body.presses,
        "steps": body.steps,
        "iterations": body.iterations,
        "loose_steps": body.loose_steps,
        "notes": list(body.notes),
    }


def _motion(made: SyntheticFracture, spine: Spine) -> dict[str, Any]:
    """Rigid motions by level, and the size of the displacement in the crushed body."""
    moved = np.linalg.norm(made.body.carried["nodes"], axis=1)
    still = {"turn_deg": 0.0, "shift_mm": [0.0, 0.0, 0.0]}
    levels = {}
    for vertebra in spine.vertebrae:
        above = vertebra.level < made.collapse.level
        if vertebra.level is not made.collapse.level:
            levels[str(vertebra.level)] = _rigid(made.upper, vertebra.centroid_mm) if above else still
    arch = next(v for v in spine.vertebrae if v.level is made.collapse.level)
    return {
        "body_mm": {"mean": float(moved.mean()), "greatest": float(moved.max())},
        "upper_endplate": _rigid(made.upper, made.upper.about_mm) | {"matrix": _matrix(made.upper)},
        "own_arch": _rigid(made.arch, arch.centroid_mm),
        "bodies": levels,
    }


def _rigid(motion: Rigid, at_mm: NDArray[np.float64]) -> dict[str, Any]:
    shift = motion.displacement(at_mm[None])[0]
    return {"turn_deg": round(motion.angle_deg, 3), "shift_mm": [round(float(part), 3) for part in shift]}


def _matrix(motion: Rigid) -> list[list[float]]:
    """LPS mm before to LPS mm after, 4 x 4."""
    matrix = np.eye(4)
    matrix[:3, :3] = motion.turn
    matrix[:3, 3] = motion.about_mm + motion.shift_mm - motion.turn @ motion.about_mm
    return [[float(value) for value in row] for row in matrix]


def _lost(made: SyntheticFracture) -> dict[str, Any]:
    """What is not known or not kept in the new scan."""
    unseen = made.warped.unseen
    return {
        "unseen_share": float(unseen.mean()),
        "unseen_ml": float(unseen.sum()) * made.warped.volume.grid.voxel_mm3 / 1000,
        "folded_voxels": made.warped.folded,
        "shared_ml": made.warped.shared * made.warped.volume.grid.voxel_mm3 / 1000,
        "bone_out_of_field_ml": {str(level): volume for level, volume in made.lost_ml.items()},
    }
