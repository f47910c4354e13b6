"""Processor time of each kernel over that of a reference loop, interleaved, so that a slower machine cancels."""

from __future__ import annotations

import statistics

from benchmarks.kernels import best_seconds, kernels, reference_seconds

ROUNDS = 5


class KernelRatio:
    """One tracked figure for each kernel; asv finds the method by its name."""

    params = ([kernel.name for kernel in kernels()],)
    param_names = ("kernel",)
    unit = "x reference"
    timeout = 300.0

    def track_ratio(self, name: str) -> float:
        """The median ratio of some rounds."""
        kernel = next(one for one in kernels() if one.name == name)
        kernel.run()
        return statistics.median(best_seconds(kernel.run, 3) / reference_seconds(2) for _ in range(ROUNDS))
