"""`python -m verification.lift_cohort`: 24 made fractures rehearsed, their gains by posture and by balloon.

Digital spines of four densities with a wedge of 20, 35 or 50 % at T11 to L4, fresh or healed; each is scanned, read
back and rehearsed as a patient's. Rows are kept in a file, so that a run that was stopped goes on.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from endplate.anatomy.locate import locate_vertebrae
from endplate.errors import EndplateError
from endplate.fracture.reading import grade_fractures
from endplate.level import Level
from endplate.numerics.threads import one_blas_thread
from endplate.repair.access.plan import plan_access
from endplate.repair.kyphoplasty.inflation import inflate
from endplate.repair.kyphoplasty.inflation_result import Gain
from endplate.repair.rehearsal.design import ParameterSet
from endplate.repair.rehearsal.planned_inflation import planned_inflation, planned_sites
from endplate.repair.rehearsal.rehearsal_input import RehearsalInput, prepare_bone
from endplate.repair.rehearsal.run_settings import RunSettings
from endplate.repair.site.bone import body_ml
from endplate.repair.site.prefracture_shape import depressed_endplate
from endplate.synthetic_fracture.crush import CrushSettings
from endplate.synthetic_fracture.generate import make_fracture
from endplate.synthetic_fracture.plan import Collapse
from verification.bodies import digital_scan

DENSITIES_MG_CM3 = (60.0, 95.0, 130.0, 160.0)
LOSSES = (0.20, 0.35, 0.50)
LEVELS = (Level.T11, Level.T12, Level.L1, Level.L2, Level.L3, Level.L4)
ORDER = (Level.T10, *LEVELS, Level.L5)
CLINIC = (
    "posture, 39 patients: 6.5 +- 4.1 degrees; the balloon 3.4 more (Voggenreiter 2005)",
    "posture, 50 acute: 5.5 mm in front; the balloon beyond it not significant (Liu 2014)",
    "both, 252 bodies: 1.5 +- 2.9 mm in front, 2.1 +- 2.9 in the middle (Winkelmann 2018)",
    "balloon, at 6 months: 0.31 +- 2.22 mm in the middle (SAKOS 2019)",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Patient:
    """One made patient: density of the core, level, share of the anterior height lost, and whether it has healed."""

    core_mg_cm3: float
    level: Level
    loss: float
    age: Literal["fresh", "healed"]

    @property
    def key(self) -> str:
        """A name of its own."""
        return f"{self.core_mg_cm3:g} {self.level} {self.loss:g} {self.age}"


def cohort() -> list[Patient]:
    """Densities, losses and ages crossed; the levels run through."""
    ages: tuple[Literal["fresh", "healed"], ...] = ("fresh", "healed")
    grid = [(age, core, loss) for age in ages for loss in LOSSES for core in DENSITIES_MG_CM3]
    return [
        Patient(core_mg_cm3=core, level=LEVELS[(5 * place) % len(LEVELS)], loss=loss, age=age)
        for place, (age, core, loss) in enumerate(grid)
    ]


def rehearsed(patient: Patient, voxel_mm: float) -> dict[str, object]:
    """What posture and balloons gain in one of them, front and middle mm and degrees; a reason where nothing did.

    Needles, balloons and volumes are those that a rehearsal plans; only the age of the fracture is given.
    """
    scene = made_patient(patient, voxel_mm)
    if scene is None:
        return {"reason": "the crushed level was not found"}
    draw = ParameterSet(mobility="mobile" if patient.age == "fresh" else "rigid")
    settings = RunSettings(procedures=("kyphoplasty",), voxel_mm=voxel_mm, follow=False)
    readings = (*scene.others, scene.fracture) if scene.fracture is not None else scene.others
    depressed = depressed_endplate(scene.vertebra, scene.spine, readings)
    access = plan_access(scene.spine, scene.vertebra, "kyphoplasty", settings.path, scene.volume, depressed)
    if not access.paths:
        return {"reason": f"no needle path: {access.reason}"}
    prepared = prepare_bone(scene, voxel_mm, draw)
    sites = planned_sites(settings, access)
    plan = planned_inflation(settings, draw, prepared.bone, len(sites))
    done = inflate(prepared.bone, scene.vertebra, sites, plan, intact=prepared.intact)
    posture = done.posture or Gain(anterior_mm=0.0, middle_mm=0.0, posterior_mm=0.0, wedge_deg=0.0)
    walls = done.wall_displacement_inflated_mm
    return {
        "balloons": [site.balloon.name for site in sites],
        "front_share": [path.front_share for path in access.paths],
        "planned_ml": plan.planned_ml * len(sites),
        "body_ml": body_ml(prepared.bone),
        "lost": prepared.intact.lost_mm,
        "posture": [posture.anterior_mm, posture.middle_mm, -posture.wedge_deg],
        "full": [done.full.anterior_mm, done.full.middle_mm, -done.full.wedge_deg],
        "kept": [done.deflated.anterior_mm, done.deflated.middle_mm, -done.deflated.wedge_deg],
        "ml": float(done.volume_ml[-1]),
        "mpa": float(done.pressure_mpa.max()),
        "walls": [walls.back, walls.side],
        "stop": done.stop,
        "unconverged": done.unconverged,
    }


def made_patient(patient: Patient, voxel_mm: float) -> RehearsalInput | None:
    """A digital spine with the level crushed, scanned and read as a patient's; None where the level is not found."""
    place = ORDER.index(patient.level)
    scan = digital_scan("female", ORDER[max(0, place - 2) : place + 2], patient.core_mg_cm3)
    made = make_fracture(
        scan.volume, scan.labels, scan.spine, scan.calibration,
        Collapse(level=patient.level, shape="wedge", loss=patient.loss), CrushSettings(voxel_mm=voxel_mm),
    )  # fmt: skip
    spine = locate_vertebrae(made.warped.labels, made.warped.volume)
    vertebra = spine.at(patient.level)
    if vertebra is None:
        return None
    readings = grade_fractures(spine)
    return RehearsalInput(
        vertebra=vertebra,
        spine=spine,
        volume=made.warped.volume,
        calibration=scan.calibration,
        fracture=next(reading for reading in readings if reading.level is patient.level),
        others=tuple(reading for reading in readings if reading.level is not patient.level),
    )


def run(rows: Path, voxel_mm: float, most: int) -> None:
    """Rehearse what is not yet in the file, at most so many, and add it line by line."""
    have = {row["key"] for row in read(rows)}
    waiting = [patient for patient in cohort() if f"{patient.key} {voxel_mm:g}" not in have][:most]
    for patient in waiting:
        start = time.process_time()
        try:
            found = rehearsed(patient, voxel_mm)
        except EndplateError as error:
            found = {"reason": str(error)}
        found |= asdict(patient) | {"level": str(patient.level), "key": f"{patient.key} {voxel_mm:g}"}
        found["cpu_s"] = round(time.process_time() - start, 1)
        with rows.open("a", encoding="utf-8") as out:
            out.write(json.dumps(found) + "\n")
        print(f"{found['key']}: {found.get('reason') or found['stop']} ({found['cpu_s']} s)", flush=True)


def read(rows: Path) -> list[dict[str, object]]:
    """The rows so far."""
    if not rows.exists():
        return []
    return [json.loads(line) for line in rows.read_text(encoding="utf-8").splitlines() if line]


def table(rows: Sequence[dict[str, object]]) -> str:
    """Each row, and mean and SD of the gains by age beside the clinic."""
    lines = ["core level loss age | posture mm, deg | balloon full, kept mm, deg | mL MPa | why it stopped"]
    for row in rows:
        name = f"{row['core_mg_cm3']:g} {row['level']} {row['loss']:.0%} {row['age']}"
        if "full" not in row:
            lines.append(f"{name} | {row['reason']}")
            continue
        posture, full, kept = (np.array(row[part], float) for part in ("posture", "full", "kept"))
        lines.append(
            f"{name} | {posture[0]:.1f}, {posture[2]:.1f} | {full[0]:.1f}, {kept[0]:.1f}, {full[2]:.1f} | "
            f"{row['ml']:.1f} {row['mpa']:.1f} | {row['stop']}"
        )
    for age in ("fresh", "healed", "fresh and healed"):
        held = [row for row in rows if "full" in row and str(row["age"]) in age]
        if len(held) > 1:
            lines.append(f"{age}, n {len(held)}: " + "; ".join(_spread(held, part) for part in ("posture", "kept")))
    return "\n".join([*lines, *CLINIC])


def _spread(rows: Sequence[dict[str, object]], part: str) -> str:
    values = np.array([row[part] for row in rows], float)
    mean, sd = values.mean(axis=0), values.std(axis=0, ddof=1)
    return (
        f"{part} {mean[0]:.1f} +- {sd[0]:.1f} mm in front, {mean[1]:.1f} +- {sd[1]:.1f} in the middle, "
        f"{mean[2]:.1f} +- {sd[2]:.1f} degrees"
    )


def main() -> None:
    """Run and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=Path, default=Path("build/lift_cohort.jsonl"))
    parser.add_argument("--voxel-mm", type=float, default=2.0)
    parser.add_argument("--most", type=int, default=len(cohort()))
    given = parser.parse_args()
    given.rows.parent.mkdir(parents=True, exist_ok=True)
    with one_blas_thread():
        run(given.rows, given.voxel_mm, given.most)
    print(table(read(given.rows)))


if __name__ == "__main__":
    main()
