"""Coarse digital spines with known truth as a cohort: CT, labels and record of each, table and the expert's grades."""

from __future__ import annotations

import csv
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from endplate.image.nifti import write_labels, write_volume
from endplate.image.phantom import Deformity, PhantomSpec, make_phantom
from endplate.level import Level

LEVELS = (Level.L1, Level.L2)
SHAPES = ("wedge", "biconcave", "crush")


def spec_of(seed: int, spacing_mm: float) -> PhantomSpec:
    """A spine of two levels; every second one has a fracture, of another shape and depth each."""
    rng = np.random.default_rng(7000 + seed)
    broken = LEVELS[seed // 2 % 2]
    deformities = {}
    if seed % 2:
        deformities = {broken: Deformity(shape=SHAPES[seed % 3], loss=float(rng.uniform(0.27, 0.5)))}
    return PhantomSpec(
        levels=LEVELS,
        spacing_mm=(spacing_mm,) * 3,
        sex="male" if rng.random() < 0.3 else "female",
        size=float(rng.uniform(0.95, 1.05)),
        core_mg_cm3=float(rng.uniform(60, 140)),
        deformities=deformities,
        field_mm=(96.0, 110.0),
        seed=seed,
    )


def write_cohort(folder: Path, count: int, spacing_mm: float = 2.0) -> Path:
    """Write `count` cases, `cases.csv` and `grades.csv` into a folder; returns the table's path."""
    folder.mkdir(parents=True, exist_ok=True)
    rows: list[Sequence[object]] = [("id", "ct", "labels", "record")]
    truth: list[Sequence[object]] = [("id", "level", "grade", "anterior_mm", "middle_mm", "posterior_mm")]
    for seed in range(count):
        name = f"case-{seed:04d}"
        spec = spec_of(seed, spacing_mm)
        phantom = make_phantom(spec)
        here = folder / name
        here.mkdir()
        write_volume(here / "ct.nii.gz", phantom.volume.grid, phantom.volume.hu)
        write_labels(here / "labels.nii.gz", phantom.labels)
        record = {"id": name, "age_yr": 50 + seed % 45, "sex": spec.sex}
        (here / "record.json").write_text(json.dumps(record))
        rows.append((name, f"{name}/ct.nii.gz", f"{name}/labels.nii.gz", f"{name}/record.json"))
        for level, one in phantom.truth.levels.items():
            heights = (one.anterior_mm, one.middle_mm, one.posterior_mm)
            truth.append((name, str(level), one.grade, *(f"{height:.3f}" for height in heights)))
    for file, lines in (("cases.csv", rows), ("grades.csv", truth)):
        with (folder / file).open("w", newline="") as stream:
            csv.writer(stream).writerows(lines)
    return folder / "cases.csv"
