"""Runs in the peer's own environment: one nonlinear step of parosol-py on a model handed over as a file.

Usage: python _parosol_nonlinear.py MODEL.npz PROCESSES; prints one JSON line.
"""

import json
import sys
import tempfile
import time

import numpy as np
from parosol_py import BoundaryConditionSet, solve
from parosol_py.nonlinear import DensityNonlinearMaterialMap, NonlinearSolverOptions


def main() -> None:
    """Solve and report seconds, the reaction, and what the solver says about its convergence."""
    model = np.load(sys.argv[1])
    modulus, strength = model["modulus"], model["strength"]
    material = DensityNonlinearMaterialMap(
        youngs_modulus_mpa=modulus,
        poisson_ratio=float(model["poisson"]),
        compressive_yield_mpa=strength,
        tensile_yield_mpa=strength,
        plateau_mpa=strength,
        material_id=(modulus > 0).astype(np.int32),
        metadata={"preset": "manual"},
    )
    supports = BoundaryConditionSet(
        fixed_coordinates=model["coordinates"].astype(np.uint16), fixed_values=model["values"].astype(np.float32)
    )
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        result = solve(
            material=modulus,
            spacing=(1.0, 1.0, 1.0),
            array_order="xyz",
            poisson_ratio=float(model["poisson"]),
            boundary_conditions=supports,
            outputs=("forces",),
            tolerance=1e-6,
            mpi_processes=int(sys.argv[2]),
            mpi_launcher="mpirun",
            nonlinear_material=material,
            nonlinear_solver=NonlinearSolverOptions(),
            work_dir=folder,
        )
        seconds = time.perf_counter() - start
    forces = np.asarray(result.fields["forces"]).reshape(-1, 3)
    half = 0.5 * float(np.abs(forces[:, 2]).sum())
    print(json.dumps({"seconds": seconds, "reaction_n": half, "nonlinear": result.diagnostics.get("nonlinear")}))


if __name__ == "__main__":
    main()
