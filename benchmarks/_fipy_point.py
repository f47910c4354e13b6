"""Run in the peers' environment: two-phase Darcy flow from a point in FiPy, pressure then saturation, step by step.

`python _fipy_point.py case.json out.npz`: writes saturation and pressure, prints the seconds. Cement carries saturation
with the total velocity, upwind; mobility is that of both fluids weighted by saturation.
"""

from __future__ import annotations

import json
import os
import sys
import time

os.environ["FIPY_SOLVERS"] = "scipy"
sys.argv, (_, CASE, OUT) = sys.argv[:1], sys.argv  # FiPy reads the command line at import

import fipy  # noqa: E402
import numpy as np  # noqa: E402
from fipy.solvers import LinearPCGSolver  # noqa: E402


def run(case: dict) -> tuple[np.ndarray, np.ndarray, float]:
    """Saturation and pressure (n, n, n), and the seconds it took."""
    start = time.perf_counter()
    n, h = case["n"], case["voxel_mm"]
    mesh = fipy.Grid3D(nx=n, ny=n, nz=n, dx=h, dy=h, dz=h)
    pressure, cement = fipy.CellVariable(mesh=mesh), fipy.CellVariable(mesh=mesh, hasOld=True)
    pressure.constrain(0.0, mesh.exteriorFaces)
    away = np.abs(mesh.cellCenters.value - (np.array(case["tip"])[:, None] + 0.5) * h) / h
    weight = np.prod(np.clip(1 - away, 0, None), axis=0)
    source = fipy.CellVariable(mesh=mesh, value=case["flow"] * weight / weight.sum() / h**3)
    mobility = case["permeability"] * (cement / case["consistency"] + (1 - cement) / case["marrow"])
    balance = fipy.DiffusionTerm(coeff=mobility.harmonicFaceValue) + source == 0
    solver = LinearPCGSolver(tolerance=1e-7, iterations=2000)
    duration = case["volume"] / case["flow"] / case["steps"]
    for _ in range(case["steps"]):
        cement.updateOld()
        balance.solve(var=pressure, solver=solver)
        velocity = -mobility.harmonicFaceValue * pressure.faceGrad
        moves = fipy.TransientTerm(coeff=case["pores"]) + fipy.UpwindConvectionTerm(coeff=velocity) == source
        moves.solve(var=cement, dt=duration)
    balance.solve(var=pressure, solver=solver)
    seconds = time.perf_counter() - start
    fields = [field.value.reshape(n, n, n).transpose(2, 1, 0) for field in (cement, pressure)]
    return fields[0], fields[1], seconds


if __name__ == "__main__":
    with open(CASE, encoding="utf-8") as file:
        saturation, mpa, took = run(json.load(file))
    np.savez(OUT, saturation=saturation, pressure=mpa)
    print(json.dumps({"seconds": took, "version": fipy.__version__}))
