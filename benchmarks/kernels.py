"""The compiled kernels on a ball of bone: what each does per element, and a machine's peak to hold it against.

Not run by `python -m benchmarks` on its own: `roofline` prints the shares of the peak, `history` watches the ratios.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np
from numba import njit

from benchmarks._models import bone_ball
from endplate.numerics.plasticity.body import PlasticBody
from endplate.numerics.plasticity.return_mapping import ROOM, return_packed
from endplate.numerics.solver import ElasticSolver
from endplate.numerics.voxel.cell_means import cell_means
from endplate.numerics.voxel.simd_batches import WIDTH

ELEMENTS = 80_000
"""About a lumbar body at 1 mm."""


@dataclass(frozen=True, slots=True)
class Kernel:
    """A kernel ready to run.

    Attributes
    ----------
    name : shown. run : one pass. items : elements (or points) of a pass.
    flops, bytes_moved : per item, counted by hand from the code; bytes that must come from memory at least once.
    """

    name: str
    run: Callable[[], object]
    items: int
    flops: float
    bytes_moved: float


@cache
def kernels() -> tuple[Kernel, ...]:
    """All of them; built once."""
    model = bone_ball(ELEMENTS)
    mesh = model.mesh()
    fixed, prescribed = model.supports(mesh)
    modulus = model.element_modulus(mesh)
    solver = ElasticSolver(mesh, modulus, 0.3, fixed)
    unit, _ = solver.solve(prescribed=prescribed, tolerance=1e-4)
    fine = solver.multigrid.fine
    u = np.ascontiguousarray(unit.T, dtype=np.float32)
    out = np.zeros_like(u)
    strain = float(np.abs(unit).max()) / float(mesh.node_ijk[:, 2].max() * mesh.spacing_mm)
    elastic = PlasticBody(mesh, modulus, np.full(mesh.n_elements, np.inf), 0.3, dtype=np.float32)
    yielding = PlasticBody(mesh, modulus, 0.3 * strain * modulus, 0.3, dtype=np.float32)
    residual = np.ascontiguousarray(prescribed.T)
    packed = np.random.default_rng(4711).normal(size=7 * ROOM).astype(np.float32)
    packed[6 * ROOM :] = 0.1
    kept = packed.copy()

    def tresca() -> None:
        for _ in range(200):
            packed[:] = kept
            return_packed(packed, WIDTH, 1)

    field = np.random.default_rng(4711).normal(size=(64, 64, 64)).astype(np.float32)
    shift = np.diag([1.3, 1.3, 1.3, 1.0])
    n = mesh.n_elements
    return (
        Kernel("elastic product, single precision", lambda: fine.subtract(u, out), n, 198, 40),
        Kernel("one multigrid cycle", lambda: solver.multigrid.cycle(residual), n, 1900, 480),
        Kernel("plastic force, nothing yields", lambda: elastic.internal_force(unit), n, 760, 300),
        Kernel("plastic force, most points yield", lambda: yielding.internal_force(unit), n, 1900, 300),
        Kernel("Tresca return of a point", tresca, 200 * WIDTH, 140, 0),
        Kernel("means over cells, 27 points", lambda: cell_means([field], shift, (48, 48, 48), 3), 48**3, 27 * 40, 8),
    )


@njit(cache=True, fastmath={"contract"})
def _multiply_add(rounds: int, out: np.ndarray) -> None:  # pragma: no cover - compiled
    """Sixteen independent chains of vectors: as many multiplications and additions as the cores can do."""
    a, b = np.float32(0.999), np.float32(0.001)
    for _ in range(rounds):
        for w in range(out.size):
            x = out[w]
            for _ in range(16):
                x = x * a + b
            out[w] = x


@njit(cache=True)
def _triad(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> None:  # pragma: no cover - compiled
    for w in range(a.size):
        a[w] = b[w] + np.float32(3.0) * c[w]


def reference_seconds(repeats: int = 5) -> float:
    """Seconds of a fixed piece of arithmetic: what ratios are held against in the same run."""
    out = np.zeros(256, dtype=np.float32)
    _multiply_add(1, out)
    return best_seconds(lambda: _multiply_add(20_000, out), repeats)


def peak_gflops() -> float:
    """Multiplications and additions a second of one core in single precision, 1e9."""
    return 20_000 * 256 * 32 / reference_seconds() / 1e9


def peak_gbytes() -> float:
    """Bytes a second that one core moves between memory and itself, 1e9."""
    a, b, c = (np.ones(16_000_000, dtype=np.float32) for _ in range(3))
    _triad(a, b, c)
    return 16_000_000 * 16 / best_seconds(lambda: _triad(a, b, c), 5) / 1e9


def best_seconds(run: Callable[[], object], repeats: int) -> float:
    """The least processor time of some runs: what other work on the machine adds is left out."""
    found = []
    for _ in range(repeats):
        start = time.process_time()
        run()
        found.append(time.process_time() - start)
    return max(min(found), 1e-9)
