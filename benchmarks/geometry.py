"""Heights and grades from labels alone against TotalSegmentator's `get_verte_height` on the same mask, processor time.

The peer measures three heights in one slice of a body mask that its network gives; ours splits body and arch itself and
gives every height a band. The peer runs in `.bench-venv` with the package and no weights; without it the row says so.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks._models import shared_data
from endplate.case.assess import AssessSettings, assess
from endplate.case.model import Case
from endplate.case.read import read_case
from endplate.image.nifti import write_labels
from endplate.image.volume import LabelMap

CASE = "heights and grades from labels, verse014 (5 levels)"
PEER_PYTHON = Path(__file__).resolve().parents[1] / ".bench-venv" / "bin" / "python"
PEER_SCRIPT = Path(__file__).with_name("_totalseg_heights.py")
PEER = "TotalSegmentator get_verte_height, processor time"
RUNS = 3


def rows() -> list[dict[str, Any]]:
    """Median of runs, ours and the peer's in turn; the heights of both beside it."""
    data = shared_data()
    if data is None:
        return [{"case": CASE, "peer": PEER, "check": "skipped: real data not found"}]
    labels = data / "verse014" / "sub-verse014_seg-vert_msk.nii.gz"
    _, case = ours(labels)
    with tempfile.TemporaryDirectory() as folder:
        body = Path(folder) / "body.nii.gz"
        write_labels(body, bodies(case))
        pairs = [(ours(labels)[0], peer(labels, body)) for _ in range(RUNS)]
    ours_s = statistics.median(seconds for seconds, _ in pairs)
    answers = [answer for _, answer in pairs if "seconds" in answer]
    if not answers:
        return [{"case": CASE, "peer": PEER, "ours_s": ours_s, "check": pairs[0][1]["why"]}]
    peer_s = statistics.median(answer["seconds"] for answer in answers)
    row = {"case": CASE, "peer": PEER, "ours_s": ours_s, "peer_s": peer_s, "ratio": peer_s / ours_s}
    return [row | {"check": compared(case, answers[-1]["heights"])}]


def ours(labels: Path) -> tuple[float, Case]:
    """Processor seconds of one measurement from the file, and its case."""
    start = time.process_time()
    case = assess(read_case(None, labels, scheme="verse"), AssessSettings(mechanics=False))
    return time.process_time() - start, case


def bodies(case: Case) -> LabelMap:
    """The bodies that we found, as the peer's mask: 1 wherever there is one."""
    mask = np.zeros(case.labels.grid.shape, np.uint8)
    for vertebra in case.spine.vertebrae if case.spine else ():
        first = np.rint(case.labels.grid.to_index(vertebra.grid.affine[:3, 3])).astype(int)
        place = np.argwhere(vertebra.body) + first
        mask[tuple(place[((place >= 0) & (place < mask.shape)).all(axis=1)].T)] = 1
    return LabelMap(grid=case.labels.grid, labels=mask, scheme="verse")


def peer(labels: Path, body: Path) -> dict[str, Any]:
    """The peer's answer, or why there is none."""
    if not PEER_PYTHON.exists():
        return {"why": f"peer not run: {PEER_PYTHON.parent.parent.name} is missing"}
    done = subprocess.run(
        [str(PEER_PYTHON), str(PEER_SCRIPT), str(labels), str(body)], capture_output=True, text=True, check=False
    )
    if done.returncode:
        return {"why": f"peer failed: {(done.stderr.strip().splitlines() or ['no message'])[-1]}"}
    answer: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return answer


def compared(case: Case, heights: dict[str, dict[str, float]]) -> str:
    """Middle heights of both."""
    mine = {str(f.level): f.value for f in case.findings if f.code == "middle_height"}
    parts = []
    for level, places in heights.items():
        middle = list(places.values())[len(places) // 2]
        parts.append(f"{level} {float(mine.get(level, np.nan)):.1f} / {middle:.1f}")
    return f"middle heights ours / peer, mm: {', '.join(parts)}"


if __name__ == "__main__":
    print(json.dumps(rows(), indent=1))
