"""Linear solve of a whole vertebra against parosol-py: same voxels, supports and residual, two cores, interleaved.

Our seconds count mesh, hierarchy and solve from the mask on; the peer's count its mesh, hierarchy and solve by its own
clock, without files. `python -m benchmarks.linear [spacing_mm ...]` prints solve-only times too.
"""

from __future__ import annotations

import statistics
import sys
import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks._models import Model, shared_data, whole_l3
from benchmarks._parosol import TOLERANCE, Parosol, Peer
from endplate.numerics.solver import ElasticSolver, SolveReport
from endplate.numerics.voxel.mesh import VoxelMesh

REPEATS = 3


@dataclass(frozen=True, slots=True)
class Ours:
    """One run of our solver."""

    seconds: float
    report: SolveReport
    mesh: VoxelMesh
    displacement: NDArray[np.float64]
    force: NDArray[np.float64]


def solve(model: Model) -> Ours:
    """From the mask to displacements and nodal forces."""
    start = time.perf_counter()
    mesh = model.mesh()
    fixed, prescribed = model.supports(mesh)
    solver = ElasticSolver(mesh, model.element_modulus(mesh), 0.3, fixed)
    u, report = solver.solve(prescribed=prescribed, tolerance=TOLERANCE)
    seconds = time.perf_counter() - start
    return Ours(seconds, report, mesh, u, solver.operator.apply(u))


def compare(model: Model, repeats: int) -> dict[str, Any]:
    """Run both in turn and compare the answers of the last runs."""
    why = Parosol.available()
    if why:
        ours = [solve(model) for _ in range(repeats)]
        return _row(model, ours, [], f"peer skipped: {why}")
    peer = Parosol(model)
    try:
        ours, theirs = [], []
        for _ in range(repeats):
            theirs.append(peer.run())
            ours.append(solve(model))
        u, f = peer.solution(ours[-1].mesh, model.spacing_mm)
    finally:
        peer.close()
    return _row(model, ours, theirs, _check(model, ours[-1], u, f))


def _check(model: Model, ours: Ours, u: NDArray[np.float64], f: NDArray[np.float64]) -> str:
    """How far the two answers are apart."""
    low = ours.mesh.nodes_on_plane(2, 0)
    mine, other = ours.force[low, 2].sum(), f[low, 2].sum()
    apart = np.linalg.norm(ours.displacement - u) / np.linalg.norm(u)
    return f"force {mine:.5g} N, peer {abs(other) / abs(mine) - 1:+.1e}; displacement apart {apart:.1e}"


def _row(model: Model, ours: list[Ours], theirs: list[Peer], check: str) -> dict[str, Any]:
    """Medians of both sides."""
    seconds = statistics.median(o.seconds for o in ours)
    peer = statistics.median(p.seconds for p in theirs) if theirs else None
    report = ours[-1].report
    solving = statistics.median(o.report.seconds for o in ours)
    theirs_only = f" vs {statistics.median(p.solve_seconds for p in theirs):.3g}" if theirs else ""
    return {
        "case": f"{model.name}, {ours[-1].mesh.n_elements:,} elements",
        "peer": "parosol-py 2 processes" if theirs else None,
        "ours_s": round(seconds, 4),
        "peer_s": None if peer is None else round(peer, 4),
        "ratio": None if peer is None else round(peer / seconds, 1),
        "ours_bytes": report.memory_bytes,
        "check": f"{report.iterations} iterations, residual {report.residual:.1e}, "
        f"{report.memory_bytes / report.unknowns:.0f} bytes per unknown; "
        f"solve only {solving:.3g}{theirs_only} s; {check}",
    }


def rows(spacings: tuple[float, ...] = (1.0, 0.5)) -> list[dict[str, Any]]:
    """One row per voxel size; empty, aloud, without the data."""
    data = shared_data()
    if data is None:
        return [{"case": "whole L3 with caps", "check": "skipped: shared data not found, set ENDPLATE_SHARED"}]
    solve(whole_l3(3.0, data))  # kernels are compiled before the clock starts
    return [compare(whole_l3(spacing, data), REPEATS) for spacing in spacings]


def main() -> None:
    """Print the rows."""
    for row in rows(tuple(float(a) for a in sys.argv[1:]) or (1.0, 0.5)):
        print(row)


if __name__ == "__main__":
    main()
