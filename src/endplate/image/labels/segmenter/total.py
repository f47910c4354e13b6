"""TotalSegmentator (Wasserthal 2023): the tasks `total` and `vertebrae_pp_refined`, by its command.

Its command fetches weights that are not there at its first run; endplate itself never fetches any.
"""

from __future__ import annotations

from pathlib import Path

from endplate.image.labels.scheme import scheme_by_name
from endplate.image.labels.segmenter.plugin import Request, Segmenter

WRITTEN = "labels.nii.gz"


def _command(request: Request) -> list[str]:
    words = [request.program, "-i", str(request.ct), "-o", str(_labels(request)), "--ml", "--task", request.task]
    if request.task == "total":  # the other tasks hold nothing but vertebrae, and refuse a choice of regions
        words += ["--roi_subset", *(f"vertebrae_{level}" for level in scheme_by_name("total").levels.values())]
    words += ["--fast"] if request.fast else []
    return words + (["--device", request.device] if request.device else [])


def _labels(request: Request) -> Path:
    return request.folder / WRITTEN


SEGMENTER = Segmenter(
    name="totalsegmentator",
    title="TotalSegmentator",
    program="TotalSegmentator",
    distribution="TotalSegmentator",
    licence="Apache-2.0 (program, and weights of these tasks)",
    install="pip install TotalSegmentator (about 2 GB with its weights)",
    command=_command,
    labels=_labels,
    schemes={"total": "totalsegmentator", "vertebrae_pp_refined": "vertebrae_pp"},
    fast_tasks=("total",),
    reads_dicom=True,
)
