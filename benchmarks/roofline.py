"""What share of a core's peak each kernel reaches: arithmetic or memory, whichever bounds it (roofline).

One thread, so that the peak of one core is what counts: `NUMBA_NUM_THREADS=1 python -m benchmarks roofline`.
"""

from __future__ import annotations

from typing import Any

from benchmarks.kernels import best_seconds, kernels, peak_gbytes, peak_gflops

REPEATS = 7


def rows() -> list[dict[str, Any]]:
    """A row for each kernel, after the two peaks of this machine."""
    flops, moved = peak_gflops(), peak_gbytes()
    found: list[dict[str, Any]] = [
        {"case": "peak of one core", "check": f"{flops:.1f} Gflop/s in single precision, {moved:.1f} GB/s"}
    ]
    for kernel in kernels():
        kernel.run()
        seconds = best_seconds(kernel.run, REPEATS)
        rate = kernel.items / seconds
        bound = min(
            flops * 1e9 / kernel.flops, moved * 1e9 / kernel.bytes_moved if kernel.bytes_moved else float("inf")
        )
        found.append(
            {
                "case": kernel.name,
                "ours_s": seconds,
                "check": f"{rate / 1e6:.1f} M a second; {kernel.flops:g} flops and {kernel.bytes_moved:g} bytes each; "
                f"{1e-9 * rate * kernel.flops:.1f} Gflop/s, {100 * rate / bound:.0f} % of what the core allows",
            }
        )
    return found
