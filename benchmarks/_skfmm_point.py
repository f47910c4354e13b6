"""Run in the peers' environment: arrival times of a front from a point by scikit-fmm, its speed being given.

`python _skfmm_point.py case.json out.npz`: writes the times, prints the seconds. No pressure: the speed is known here
only because the ball has a closed form.
"""

from __future__ import annotations

import json
import sys
import time

import numpy as np
import skfmm


def run(case: dict) -> tuple[np.ndarray, float]:
    """Arrival times (n, n, n) after the front has left a ball of three voxels, and the seconds it took."""
    start = time.perf_counter()
    n, h = case["n"], case["voxel_mm"]
    place = (np.moveaxis(np.indices((n, n, n)), 0, -1) - np.array(case["tip"])) * h
    radius = np.linalg.norm(place, axis=-1)
    speed = case["flow"] / (4 * np.pi * np.maximum(radius, h / 2) ** 2 * case["pores"])
    times = skfmm.travel_time(radius - 3 * h, speed, dx=h)
    return np.asarray(times), time.perf_counter() - start


if __name__ == "__main__":
    with open(sys.argv[1], encoding="utf-8") as file:
        arrival, took = run(json.load(file))
    np.savez(sys.argv[2], arrival=arrival)
    print(json.dumps({"seconds": took, "version": "scikit-fmm"}))
