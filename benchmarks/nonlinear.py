"""Nonlinear strength: the whole load-displacement curve of the published vertebra against one step of parosol-py."""

from __future__ import annotations

import json
import os
import shutil
import signal
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np
from verification.compatibility import read_benchmark_model

from benchmarks._models import shared_data
from endplate.biomechanics.loadcase import boundary
from endplate.biomechanics.model import BoneModel
from endplate.biomechanics.result import Strength
from endplate.biomechanics.strength import StrengthSettings, solve_strength
from endplate.bone.material import POISSON
from endplate.numerics.voxel.mesh import VoxelMesh

CASE = "nonlinear, verse004 L2, 67,186 elements"
PUBLISHED_N = 1847.0
PEER_TRAVEL_MM = 0.2
"""One step of the peer to the travel of the published driver; ours goes on to 2 % of the height (0.74 mm)."""

PEER_PYTHON = Path(__file__).resolve().parents[1] / ".bench-venv" / "bin" / "python"
PEER_SCRIPT = Path(__file__).with_name("_parosol_nonlinear.py")
PEER_LIMIT_S = 600
"""A peer stopped here makes the ratio a lower bound, and the row says so."""
PROCESSES = 2


def rows() -> list[dict[str, Any]]:
    """Median of three curves, interleaved with the peer's step; the published failure load beside it."""
    data = shared_data()
    if data is None:
        return [{"case": CASE, "peer": "parosol-py", "check": "skipped: real data not found"}]
    model = read_benchmark_model(data / "verse004-l2-fe", "shifted")
    settings = StrengthSettings(element="full", keep_strain=False)
    solve_strength(model, settings)  # compiles or loads the kernels
    first = _timed(model, settings)
    peer = _peer(model)
    runs = [first, _timed(model, settings), _timed(model, settings)]
    ours_s = statistics.median(seconds for seconds, _ in runs)
    peer_s = peer.get("seconds")
    return [
        {
            "case": f"{CASE}, whole curve to 2 % against one step",
            "peer": peer.get("name", "parosol-py"),
            "ours_s": ours_s,
            "peer_s": peer_s,
            "ratio": peer_s / ours_s if peer_s else None,
            "ours_bytes": first[1].solver.memory_bytes,
            "check": _check(first[1], peer),
        }
    ]


def _timed(model: BoneModel, settings: StrengthSettings) -> tuple[float, Strength]:
    start = time.perf_counter()
    strength = solve_strength(model, settings)
    return time.perf_counter() - start, strength


def _check(strength: Strength, peer: dict[str, Any]) -> str:
    """What was computed: our load against the published one, and the peer's state."""
    load = strength.failure_load_n or float("nan")
    ours = f"failure load {load:.0f} N ({100 * (load / PUBLISHED_N - 1):+.1f} % of published 1847 N)"
    ours += f", {strength.solver.increments} increments, residual <= {strength.solver.residual:.0e}"
    if "why" in peer:
        return f"{ours}; peer: {peer['why']}"
    steps = (peer.get("nonlinear") or {}).get("plastic_iterations")
    return f"{ours}; peer: one step to {PEER_TRAVEL_MM} mm, {steps} plastic iterations, its own yield law"


def _peer(model: BoneModel) -> dict[str, Any]:
    """The peer's step in its own process, or why it was not run."""
    if not PEER_PYTHON.exists():
        return {"why": f"not run: {PEER_PYTHON.parent.parent.name} is missing (pip install parosol-py into it)"}
    if shutil.which("mpirun") is None:
        return {"why": "not run: mpirun is missing (Debian: openmpi-bin)"}
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        _write(model, path)
        command = [str(PEER_PYTHON), str(PEER_SCRIPT), str(path), str(PROCESSES)]
        return _run(command)


def _run(command: list[str]) -> dict[str, Any]:
    """The peer's answer; a peer stopped at the limit takes its own worker processes with it."""
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    name = {"name": f"parosol-py, {PROCESSES} processes"}
    try:
        out, err = process.communicate(timeout=PEER_LIMIT_S)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return name | {"seconds": float(PEER_LIMIT_S), "why": f"stopped unfinished after {PEER_LIMIT_S} s"}
    if process.returncode:
        return {"why": f"failed: {(err.strip().splitlines() or ['no message'])[-1]}"}
    answer: dict[str, Any] = json.loads(out.strip().splitlines()[-1])
    return name | answer


def _write(model: BoneModel, path: Path) -> None:
    """The same voxels, moduli, yields and supports; the peer takes a tiny number for zero."""
    mesh = VoxelMesh.from_active(model.active, model.voxel_mm)
    supports = boundary(model, mesh)
    node, axis = np.nonzero(supports.fixed)
    values = supports.prescribed[node, axis] * PEER_TRAVEL_MM
    np.savez(
        path,
        modulus=model.modulus_mpa,
        strength=model.yield_mpa,
        poisson=POISSON,
        coordinates=np.column_stack([mesh.node_ijk[node], axis]),
        values=np.where(values == 0, 1e-16, values),
    )


def main() -> None:
    """Print the rows."""
    print(json.dumps(rows(), indent=1))


if __name__ == "__main__":
    main()
