"""A graphics card against this processor: the linear solve of bone of several sizes, moduli and supports the same."""

from __future__ import annotations

import time
from typing import Any

import numpy as np

from benchmarks._models import bone_ball
from endplate.errors import OptionError
from endplate.numerics.backend.choose import choose
from endplate.numerics.interface import Backend
from endplate.numerics.solver import ElasticSolver
from endplate.numerics.threads import thread_count

ELEMENTS = (80_000, 600_000)
REPEATS = 3
TOLERANCE = 1e-6


def rows() -> list[dict[str, Any]]:
    """One row a size; without a card one row that says so."""
    try:
        card = choose("cuda")
    except OptionError as error:
        return [{"case": "linear solve on a graphics card", "check": f"not measured: {error}"}]
    return [_row(count, card) for count in ELEMENTS]


def _row(count: int, card: Backend) -> dict[str, Any]:
    """Least wall time of some solves, set up before."""
    model = bone_ball(count)
    mesh = model.mesh()
    fixed, prescribed = model.supports(mesh)
    found = []
    for backend in (choose("cpu"), card):
        solver = ElasticSolver(mesh, model.element_modulus(mesh), 0.3, fixed, backend=backend)
        seconds = []
        for _ in range(REPEATS):
            start = time.perf_counter()
            u, report = solver.solve(prescribed=prescribed, tolerance=TOLERANCE)
            seconds.append(time.perf_counter() - start)
        found.append((min(seconds), u, report))
    (host_s, host, usual), (card_s, there, report) = found
    apart = np.abs(there - host).max() / np.abs(host).max()
    return {
        "case": f"linear solve, {mesh.n_elements:,} elements, {card.description}",
        "peer": f"our own kernels on {thread_count()} threads of the processor",
        "ours_s": round(card_s, 4),
        "peer_s": round(host_s, 4),
        "ratio": round(host_s / card_s, 1),
        "check": f"{report.iterations} and {usual.iterations} iterations; displacement apart {apart:.1e}; "
        f"set-up, on the processor, {report.setup_seconds:.3g} s",
    }
