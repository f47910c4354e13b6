"""Run parosol-py as a separate process: its own virtual environment, never imported here."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks._models import Model
from endplate.numerics.voxel.mesh import VoxelMesh

VENV = Path(__file__).resolve().parents[1] / ".bench-venv"
PROCESSES = 2
TOLERANCE = 1e-6
WRITE = """
import sys, numpy as np
from parosol_py.hdf5_io import write_parosol_input
from parosol_py.runner import packaged_executable
data = np.load(sys.argv[1])
write_parosol_input(sys.argv[2], stiffness_gpa_xyz=data["gpa"], fixed_displacement_coordinates=data["coordinates"],
                    fixed_displacement_values=data["values"], voxel_size_mm=float(data["spacing"]), poisson_ratio=0.3)
print(packaged_executable())
"""
READ = """
import sys, h5py, numpy as np
with h5py.File(sys.argv[1]) as f:
    np.savez(sys.argv[2], displacement=f["Solution/disp"][()], force=f["Solution/force"][()],
             place=f["Mesh/Coordinates"][()], elements=f["Mesh/Elements"].shape[0])
"""


@dataclass(frozen=True, slots=True)
class Peer:
    """One run, by its own clock: setup and solve without reading and writing files, solve alone, iterations."""

    seconds: float
    solve_seconds: float
    iterations: int


class Parosol:
    """The input of one model, written once."""

    def __init__(self, model: Model) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="parosol-"))
        self.file = self._folder / "model.h5"
        mesh = model.mesh()
        fixed, prescribed = model.supports(mesh)
        node, axis = np.nonzero(fixed)
        np.savez(
            self._folder / "model.npz",
            gpa=(model.modulus / 1000).astype(np.float32),
            coordinates=np.column_stack([mesh.node_ijk[node], axis]),
            values=prescribed[node, axis].astype(np.float32),
            spacing=model.spacing_mm,
        )
        wrote = self._python(WRITE, self._folder / "model.npz", self.file)
        self._executable = wrote.splitlines()[-1]

    @staticmethod
    def available() -> str:
        """Empty when it can run, otherwise why not."""
        if not (VENV / "bin/python").exists():
            return "no .bench-venv: python -m venv .bench-venv && .bench-venv/bin/pip install parosol-py"
        return "" if shutil.which("mpirun") else "no mpirun: apt install openmpi-bin"

    def _python(self, code: str, *arguments: Path) -> str:
        command = [str(VENV / "bin/python"), "-c", code, *map(str, arguments)]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout

    def run(self) -> Peer:
        """Solve on PROCESSES processes."""
        shutil.copy(self.file, self._folder / "run.h5")
        command = ["mpirun", "--allow-run-as-root", "--oversubscribe", "-n", str(PROCESSES), self._executable]
        command += ["--tol", str(TOLERANCE), "--level", "6", str(self._folder / "run.h5")]
        environment = {**os.environ, "OMP_NUM_THREADS": "1"}
        text = subprocess.run(command, check=True, capture_output=True, text=True, env=environment).stdout
        return Peer(_number(text, "Overall"), _number(text, "Solving"), int(_number(text, "Nr of It")))

    def solution(self, mesh: VoxelMesh, spacing_mm: float) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Displacements and nodal forces (N, 3) of the last run in our numbering."""
        self._python(READ, self._folder / "run.h5", self._folder / "out.npz")
        out = np.load(self._folder / "out.npz")
        if int(out["elements"]) != mesh.n_elements:
            raise RuntimeError(f"the peer solved {out['elements']} elements, not {mesh.n_elements}")
        node = mesh.node_at(np.rint(out["place"] / spacing_mm).astype(int))
        u, f = np.empty((2, mesh.n_nodes, 3))
        u[node], f[node] = out["displacement"], out["force"]
        return u, f

    def close(self) -> None:
        """Remove its files."""
        shutil.rmtree(self._folder, ignore_errors=True)


def _number(text: str, name: str) -> float:
    """Value behind a name in the solver's timing table."""
    found = re.search(rf"{name}:\s*([0-9.eE+-]+)", text)
    if found is None:
        raise RuntimeError(f"the peer printed no {name!r}")
    return float(found.group(1))
