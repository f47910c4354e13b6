"""The first run ever: compile kernels in other processes while the stages before mechanics run.

Kernels are compiled once and cached on disk. On the very first run that takes as long as the measuring; two processes
halve the wait on two cores. A stamp in the cache says that it was done for these sources, this Python and this numba.
Later runs load the kernels from there, some fifty files; a thread does so meanwhile where there is a second core.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from threading import Thread
from typing import TYPE_CHECKING

import numba
import numpy as np

from endplate.numerics.threads import limit_threads, one_blas_thread, thread_count

if TYPE_CHECKING:
    from endplate.numerics.voxel.mesh import VoxelMesh

PARTS = ("hierarchy", "voxels")
SIDE = 12  # voxels along an edge: enough for a hierarchy of three levels


@dataclass(slots=True)
class Warmup:
    """Compilers at work; `wait` for them, or `stop` them. `loader`: the thread that loads what is compiled."""

    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)
    loader: Thread | None = None

    def wait(self) -> None:
        """Until the kernels are in the cache. A compiler that fails costs only time: kernels compile at first call."""
        if self.processes and all([process.wait() == 0 for process in self.processes]):
            _try_to_touch(stamp())
        self.processes.clear()

    def stop(self) -> None:
        """End compilers that still run, and let the loader come to its end, which is a second away at most."""
        if self.loader is not None:
            self.loader.join()
        for process in self.processes:
            process.kill()
            process.wait()
        self.processes.clear()


def begin() -> Warmup:
    """Start compiling where this machine has not compiled these kernels yet, or else loading them."""
    if stamp().exists():
        return Warmup(loader=_begin_to_load())
    _small_mesh()  # kernels that both parts need: here once, not in both
    command = [sys.executable, "-m", "endplate.numerics.precompile"]
    quiet = {"stdin": subprocess.DEVNULL, "stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    return Warmup([subprocess.Popen([*command, part], **quiet) for part in PARTS])  # type: ignore[call-overload]


_LOADED: list[Thread] = []
"""The thread that has loaded the kernels of this process, or does so."""


def _begin_to_load() -> Thread | None:
    """Load the kernels beside the stages before mechanics; nothing on one core, or where it was begun before."""
    if _LOADED or thread_count() == 1:
        return None
    _LOADED.append(Thread(target=_load, name="endplate-kernels", daemon=True))
    _LOADED[0].start()
    return _LOADED[0]


@one_blas_thread()
def _load() -> None:
    limit_threads(1)
    for part in PARTS:
        compile_part(part)


def stamp() -> Path:
    """The file that says these kernels are compiled, beside them in the cache."""
    from endplate.numerics.multigrid.child_kernels import subtract

    text = f"{sys.version} {numba.__version__} {os.uname().machine if hasattr(os, 'uname') else ''}"
    for source in sorted(Path(__file__).parent.rglob("*.py")):
        text += f" {source.name} {source.stat().st_mtime_ns} {source.stat().st_size}"
    name = f"compiled-{hashlib.sha256(text.encode()).hexdigest()[:16]}"
    return Path(subtract.stats.cache_path or tempfile.gettempdir()) / name


def _try_to_touch(path: Path) -> None:
    try:
        path.touch()
    except OSError:
        return  # a cache that cannot be written: the next run compiles again


def _small_mesh() -> VoxelMesh:
    """A block with a hole; its elements have been packed once."""
    from endplate.numerics.voxel.mesh import VoxelMesh
    from endplate.numerics.voxel.operator import ElasticOperator

    active = np.ones((SIDE, SIDE, SIDE), dtype=bool)
    active[3:5, 3:5, 2:9] = False
    mesh = VoxelMesh.from_active(active, 1.0)
    ElasticOperator(mesh, 1000.0)
    return mesh


def compile_part(part: str) -> None:
    """Run a small problem through the kernels of one part."""
    from endplate.numerics.plasticity.body import PlasticBody
    from endplate.numerics.solver import ElasticSolver
    from endplate.numerics.voxel.operator import ElasticOperator

    mesh = _small_mesh()
    modulus = np.full(mesh.n_elements, 1000.0, dtype=np.float32)
    fixed = np.zeros((mesh.n_nodes, 3), dtype=bool)
    bottom, top = mesh.nodes_on_plane(2, 0), mesh.nodes_on_plane(2, SIDE)
    fixed[bottom] = fixed[top] = True
    pushed = np.zeros((mesh.n_nodes, 3))
    pushed[top, 2] = -0.1 * SIDE
    if part == "voxels":
        for precision in (np.float32, np.float64):
            ElasticOperator(mesh, modulus, element="bbar", dtype=precision).apply(pushed)
        # single, as strength is sought unless a tolerance finer than the usual one is asked for
        body = PlasticBody(mesh, modulus, np.full_like(modulus, 5.0), 0.3, "tresca", "bbar", dtype=np.float32)
        body.internal_force(pushed)
        return
    ElasticSolver(mesh, modulus, 0.3, fixed, element="bbar").solve(prescribed=pushed)


if __name__ == "__main__":
    for wanted in sys.argv[1:]:
        compile_part(wanted)
