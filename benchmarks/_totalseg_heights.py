"""Runs in the peers' environment: TotalSegmentator's vertebra heights from a mask, without its networks.

Called as `_totalseg_heights.py LABELS BODY`: label map of the vertebrae (VerSe numbers) and mask of the bodies, which
the peer's own network would give it. Prints JSON: processor seconds of one measurement and the heights in mm.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
import time

import nibabel as nib
from totalsegmentator.spine_report.measure_verte_height import VertebraeProcessor

NAMES = {20: "vertebrae_L1", 21: "vertebrae_L2", 22: "vertebrae_L3", 23: "vertebrae_L4", 24: "vertebrae_L5"}


def measure(labels: str, body: str) -> dict[str, object]:
    """One measurement from files, as a user of the package would run it."""
    start = time.process_time()
    image, mask = (nib.as_closest_canonical(nib.load(path)) for path in (labels, body))
    with contextlib.redirect_stdout(io.StringIO()):
        found = VertebraeProcessor(image, image, NAMES, mask, {1: "vertebrae_body"}).process_vertebrae()
    seconds = time.process_time() - start
    heights = {
        name.removeprefix("vertebrae_"): {place: one["height_mm"] for place, one in info["height_measurements"].items()}
        for name, info in found.items()
    }
    return {"seconds": seconds, "heights": heights}


if __name__ == "__main__":
    measure(*sys.argv[1:3])  # imports and caches are not measured
    print(json.dumps(measure(*sys.argv[1:3]), default=float))
