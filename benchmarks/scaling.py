"""Cost per unknown from a hundred thousand to ten million elements: time and bytes must grow no faster than the model.

Each size runs in a process of its own, so that its peak memory is its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
from typing import Any

from benchmarks._models import bone_ball
from benchmarks.linear import solve

SIZES = (100_000, 1_000_000, 10_000_000)


def measure(elements: int) -> dict[str, Any]:
    """Solve a ball of bone of about so many elements, here."""
    solve(bone_ball(2_000))  # kernels are loaded before the clock starts
    model = bone_ball(elements)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    ours = solve(model)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    report = ours.report
    per = 1 / report.unknowns
    return {
        "case": f"scaling: {ours.mesh.n_elements:,} elements",
        "ours_s": round(ours.seconds, 3),
        "ours_bytes": report.memory_bytes,
        "check": f"{report.iterations} iterations; {1e6 * ours.seconds * per:.2f} us and "
        f"{report.memory_bytes * per:.0f} bytes per unknown held, {grown * per:.0f} at the peak of the process; "
        f"solve {report.seconds:.3g} s, setup {report.setup_seconds:.3g} s",
    }


def rows(sizes: tuple[int, ...] = SIZES) -> list[dict[str, Any]]:
    """One row per size, each from a fresh process."""
    out = []
    for size in sizes:
        command = [sys.executable, "-m", "benchmarks.scaling", str(size)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        out.append(json.loads(done.stdout.strip().splitlines()[-1]))
    return out


def main() -> None:
    """Without arguments print all rows; with one, measure that size."""
    if len(sys.argv) > 1:
        print(json.dumps(measure(int(sys.argv[1]))))
        return
    for row in rows():
        print(row)


if __name__ == "__main__":
    main()
