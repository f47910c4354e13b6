"""The whole rehearsal as a user runs it: `endplate rehearse` on a fractured vertebra, wall time and peak memory.

The fractures are made: L2 and L3 of a real lumbar CT crushed to wedges of 40 % loss. L2 is dense, L3 porotic. There is
no peer that does the whole job; the limits beside the figures are the project's own. Kernels are compiled before
anything is timed. Memory is that of the largest process, and for the ensemble the sum over the parent and its two
workers.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from verification.public_data import data_folder

CORES, MEMORY_LIMIT_BYTES = 2, 4e9
TOLD = ("balloon_volume_ml", "cured_anterior_mm", "cement_ml", "strength_ratio")
PEAK = (
    "import resource,subprocess,sys; code=subprocess.call(sys.argv[1:]); "
    "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss*1024, file=sys.stderr); sys.exit(code)"
)


@dataclass(frozen=True, slots=True)
class Job:
    """What is timed: options, limit in seconds, and how many processes hold memory at once."""

    level: str
    case: str
    options: tuple[str, ...]
    limit_s: float | None
    processes: int = 1


COARSE = Job("L2", "vertebroplasty, 1 mm", ("--procedure", "vertebroplasty"), 60)
FINE = Job("L2", "vertebroplasty, 0.5 mm", ("--procedure", "vertebroplasty", "--voxel-mm", "0.5"), None)
ALONE = ("--procedure", "kyphoplasty", "--members", "0")
JOBS = (
    COARSE,
    Job("L2", "kyphoplasty, 1 mm, one run", ALONE, 180),
    Job("L3", "kyphoplasty, 1 mm, one run", ALONE, 180),
    Job("L3", "kyphoplasty, 1 mm, with both runs that span its gain", ("--procedure", "kyphoplasty"), None, 1 + CORES),
    Job("L2", "both, 16 members of 2 mm", ("--procedure", "both"), 1200, 1 + CORES),
    FINE,
)


def crushed(folder: Path, name: str) -> None:
    """CT and labels of verse014 with a wedge at a level."""
    from endplate.case.assess import AssessSettings, assess
    from endplate.case.read import read_case
    from endplate.image.nifti import write_labels, write_volume
    from endplate.level import Level
    from endplate.synthetic_fracture.generate import make_fracture
    from endplate.synthetic_fracture.plan import Collapse

    here = data_folder() / "verse014"
    case = read_case(here / "sub-verse014_ct.nii.gz", here / "sub-verse014_seg-vert_msk.nii.gz", scheme="verse")
    case = assess(case, AssessSettings(mechanics=False))
    if case.volume is None or case.spine is None or case.calibration is None:
        raise RuntimeError("verse014 could not be measured")
    plan = Collapse(level=Level(name), shape="wedge", loss=0.4)
    folder.mkdir()
    made = make_fracture(case.volume, case.labels, case.spine, case.calibration, plan)
    write_volume(folder / "ct.nii.gz", made.warped.volume.grid, made.warped.volume.hu)
    write_labels(folder / "labels.nii.gz", made.warped.labels)


def run(folder: Path, level: str, options: tuple[str, ...]) -> tuple[float, int, dict[str, Any]]:
    """One `endplate rehearse`: seconds, peak bytes of its largest process, and its case.json."""
    scan, out = folder / level, folder / "out"
    command = [
        sys.executable, "-m", "endplate", "rehearse", str(scan / "ct.nii.gz"), "--labels",
        str(scan / "labels.nii.gz"), "--level", level, "--threads", str(CORES), "--quiet", "--out", str(out), *options,
    ]  # fmt: skip
    start = time.perf_counter()
    done = subprocess.run([sys.executable, "-c", PEAK, *command], capture_output=True, text=True)
    seconds = time.perf_counter() - start
    if done.returncode:
        raise RuntimeError(f"endplate rehearse failed: {done.stderr}")
    return seconds, int(done.stderr.split()[-1]), json.loads((out / "case.json").read_text(encoding="utf-8"))


def rows() -> list[dict[str, Any]]:
    """Rows of the benchmark table."""
    if not (data_folder() / "verse014").is_dir():
        return [{"case": "rehearse verse014", "peer": None, "check": f"skipped: no data at {data_folder()}"}]
    out, seconds_of = [], {}
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        for level in sorted({job.level for job in JOBS}):
            crushed(folder / level, level)
        run(folder, "L3", (*ALONE, "--voxel-mm", "2.5", "--balloon-ml", "1"))
        for job in JOBS:
            seconds, peak, case = run(folder, job.level, job.options)
            seconds_of[job] = seconds
            out.append(_row(job, seconds, peak * job.processes, case))
    growth = seconds_of[FINE] / seconds_of[COARSE]
    out[-1]["check"] += f"; {growth:.1f} times the seconds of 1 mm for 8 times the voxels"
    return out


def _row(job: Job, seconds: float, memory: int, case: dict[str, Any]) -> dict[str, Any]:
    """Seconds and bytes against their limits, and what came of it."""
    held = case["rehearsals"][0]
    stopped = [item["stopped"] for item in held["procedures"] if item["stopped"]]
    last = held["procedures"][-1]
    results = held["results"][last["procedure"]]
    told = [f"{name} {results[name]['value']:.2f}" for name in TOLD if name in results]
    stopped += [f"{part}: {last[part]['stop']}" for part in ("balloon", "cement") if last.get(part)]
    if held["members"]["ended"] or held["members"]["failed"]:
        told.append(f"{held['members']['ended']} members ended, {len(held['members']['failed'])} failed")
    met = memory <= MEMORY_LIMIT_BYTES and (job.limit_s is None or seconds <= job.limit_s)
    limit = f"limits {job.limit_s:g} s, " if job.limit_s is not None else "limit "
    return {
        "case": f"rehearse verse014 {job.level} wedge: {job.case}",
        "peer": None,
        "ours_s": round(seconds, 1),
        "ours_bytes": memory,
        "check": f"{', '.join(told + stopped)}; {limit}{MEMORY_LIMIT_BYTES:.0e} bytes: {'met' if met else 'MISSED'}",
    }
