"""The flow of cement against general packages on the ball that has a closed form, and its growth with the voxels.

Both sides solve the same injection from a point on the same voxels, in turn; the errors against the closed form stand
beside the times. `python -m benchmarks.cement` prints the rows.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from verification.cylinder_body import cylinder_body, tip_at
from verification.point_source import (
    CONSISTENCY_MPA_S,
    FLOW_MM3_S,
    HALF_MM,
    NEEDLE_RADIUS_MM,
    OFF_CENTRE,
    PERMEABILITY_MM2,
    POROSITY,
    UPTAKE,
    VOLUME_MM3,
    front_radius_mm,
    inject_point,
    radii,
)

from benchmarks._goal import with_goal
from endplate.repair.cement.injection import inject
from endplate.repair.cement.injection_plan import InjectionPlan
from endplate.repair.device.cement import CEMENTS

VENV = Path(__file__).resolve().parents[1] / ".bench-venv"
MARROW_MPA_S = 1e-7
"""0.1 Pa s, in the middle of what was measured: 0.04 to 0.14."""
STEPS = 40
LONGEST_S = 900


def case(voxel_mm: float) -> dict[str, Any]:
    """The injection of `inject_point` as numbers."""
    n = int(2 * HALF_MM / voxel_mm)
    return {
        "n": n,
        "voxel_mm": voxel_mm,
        "tip": list(np.full(3, (n - 1) / 2) + OFF_CENTRE),
        "flow": FLOW_MM3_S,
        "volume": VOLUME_MM3,
        "permeability": PERMEABILITY_MM2,
        "pores": POROSITY * UPTAKE,
        "consistency": CONSISTENCY_MPA_S,
        "marrow": MARROW_MPA_S,
        "steps": STEPS,
    }


def peer(script: str, voxel_mm: float) -> tuple[float, dict[str, np.ndarray]] | str:
    """Seconds by its own clock and its fields; or why it did not run."""
    if not (VENV / "bin/python").exists():
        return "no .bench-venv: make bench makes it"
    with tempfile.TemporaryDirectory() as folder:
        given, out = Path(folder) / "case.json", Path(folder) / "out.npz"
        given.write_text(json.dumps(case(voxel_mm)), encoding="utf-8")
        command = [str(VENV / "bin/python"), str(Path(__file__).parent / script), str(given), str(out)]
        # One core each: ours uses one, and the peers' small vectors only lose by threads.
        environment = {**os.environ, "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
        try:
            done = subprocess.run(
                command, capture_output=True, text=True, timeout=LONGEST_S, check=False, env=environment
            )
        except subprocess.TimeoutExpired:
            return f"over {LONGEST_S} s"
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["it failed"])[-1]
        with np.load(out) as fields:
            return float(json.loads(done.stdout.splitlines()[-1])["seconds"]), dict(fields)


def fipy_errors(fields: dict[str, np.ndarray], voxel_mm: float) -> str:
    """Radius and pressure drop of a peer, measured as ours are."""
    tip = np.array(case(voxel_mm)["tip"])
    expected = front_radius_mm(VOLUME_MM3 / FLOW_MM3_S)
    ratio = radii(np.clip(fields["saturation"], 0, 1), tip, voxel_mm) / expected - 1
    place = (np.moveaxis(np.indices(fields["pressure"].shape), 0, -1) - tip) * voxel_mm
    radius = np.linalg.norm(place, axis=-1)
    shell = np.abs(radius - 2 * voxel_mm) < 0.6 * voxel_mm
    scale = FLOW_MM3_S * CONSISTENCY_MPA_S / (4 * np.pi * PERMEABILITY_MM2)
    inner = (fields["pressure"][shell] + scale * (1 / NEEDLE_RADIUS_MM - 1 / radius[shell])).mean()
    drop = inner / (scale * (1 / NEEDLE_RADIUS_MM - 1 / expected)) - 1
    return f"radius {ratio.mean():+.2%}, worst {np.abs(ratio).max():.2%}, drop {drop:+.2%}"


def against_fipy(voxel_mm: float, repeats: int) -> dict[str, Any]:
    """The ball against FiPy."""
    ours, theirs, told = [], [], ""
    for _ in range(repeats):
        got = peer("_fipy_point.py", voxel_mm)
        if isinstance(got, str):
            told = f"peer skipped: {got}"
        else:
            theirs.append(got[0])
            told = f"FiPy: {fipy_errors(got[1], voxel_mm)}"
        ours.append(inject_point(voxel_mm, 1.0, STEPS))
    ball = ours[-1]
    once = inject_point(voxel_mm, 1.0, 1)
    mine = f"radius {ball.mean_error:+.2%}, worst {ball.worst_error:.2%}, drop {ball.drop_error[-1]:+.2%}"
    mine += f" (in one step {once.worst_error:.2%}, {once.drop_error[-1]:+.2%} in {once.seconds:.2g} s)"
    row = _row(
        f"4 mL from a point, Newtonian, {voxel_mm:g} mm, {STEPS} steps",
        "FiPy 4, two-phase Darcy",
        [run.seconds for run in ours],
        theirs,
        f"ours: {mine}; {told}",
    )
    return with_goal(row)


def against_fmm(voxel_mm: float, repeats: int) -> dict[str, Any]:
    """The ball, in one step, against arrival times with the speed given."""
    ours, theirs, told = [], [], ""
    for _ in range(repeats):
        got = peer("_skfmm_point.py", voxel_mm)
        if isinstance(got, str):
            told = f"peer skipped: {got}"
        else:
            theirs.append(got[0])
            told = f"scikit-fmm: {_arrival_error(got[1]['arrival'], voxel_mm)}"
        ours.append(inject_point(voxel_mm, 1.0, 1))
    mine = f"radius {ours[-1].mean_error:+.2%}, worst {ours[-1].worst_error:.2%}, and the pressure"
    return _row(
        f"front of 4 mL from a point, Newtonian, {voxel_mm:g} mm, ours in one step",
        "scikit-fmm arrival times (speed given, no pressure)",
        [run.seconds for run in ours],
        theirs,
        f"ours: {mine}; {told}",
    )


def _arrival_error(arrival: np.ndarray, voxel_mm: float) -> str:
    """Radius at which the front arrives at the end, against the closed form."""
    tip, end = np.array(case(voxel_mm)["tip"]), VOLUME_MM3 / FLOW_MM3_S
    began = (3 * voxel_mm) ** 3 * 4 * np.pi * POROSITY * UPTAKE / 3 / FLOW_MM3_S
    speed = FLOW_MM3_S / (4 * np.pi * front_radius_mm(end) ** 2 * POROSITY * UPTAKE)
    ahead_mm = (end - began - np.where(np.isfinite(arrival), arrival, np.inf)) * speed
    filled = np.clip(ahead_mm / voxel_mm + 0.5, 0, 1)  # a voxel at the front is filled by its share
    ratio = radii(filled, tip, voxel_mm) / front_radius_mm(end) - 1
    return f"radius {ratio.mean():+.2%}, worst {np.abs(ratio).max():.2%}"


def growth() -> list[dict[str, Any]]:
    """A whole injection with two needles and shear thinning at 1, 0.7 and 0.5 mm: seconds per million voxels."""
    cement, plan = CEMENTS["standard PMMA"], InjectionPlan(stop_at_opening=False, stop_at_posterior_quarter=False)
    tips = [tip_at(x, 5.0, 0.0) for x in (-8.0, 8.0)]
    rows, first = [], 0.0
    for voxel_mm in (1.0, 0.7, 0.5):
        vertebra, bone = cylinder_body(voxel_mm)
        inside = int((bone.field.fill > 0).sum())
        start = time.perf_counter()
        fill = inject(bone, vertebra, tips, cement, plan)
        seconds = time.perf_counter() - start
        first = first or seconds / inside
        check = f"{fill.volume_ml:.2f} mL, balance {fill.balance:.0e}, {1000 * fill.bone_pressure_mpa[-1]:.1f} kPa; "
        check += f"{1e6 * seconds / inside:.0f} s per million voxels, {seconds / inside / first:.2f} of that at 1 mm"
        rows.append(_row(f"whole injection, {voxel_mm:g} mm, {inside:,} voxels", None, [seconds], [], check))
    return rows


def _row(name: str, other: str | None, ours: list[float], theirs: list[float], check: str) -> dict[str, Any]:
    mine, their = statistics.median(ours), statistics.median(theirs) if theirs else None
    return {
        "case": name,
        "peer": other if theirs else None,
        "ours_s": round(mine, 4),
        "peer_s": None if their is None else round(their, 4),
        "ratio": None if their is None else round(their / mine, 1),
        "ours_bytes": None,
        "check": check,
    }


def rows() -> list[dict[str, Any]]:
    """All rows; peers that are absent say so."""
    inject_point(2.0, 1.0, 2)  # kernels are compiled before the clock starts
    inject_point(2.0, 0.5, 2)
    return [against_fipy(2.0, 3), against_fipy(1.0, 1), against_fmm(1.0, 3), *growth()]


def main() -> None:
    """Print the rows."""
    for row in rows():
        print(row)


if __name__ == "__main__":
    main()
