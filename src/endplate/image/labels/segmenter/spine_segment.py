"""spine-segment (after Payer 2020): VerSe numbers, by its command; only the map of vertebrae is asked for."""

from __future__ import annotations

from pathlib import Path

from endplate.image.labels.segmenter.plugin import Request, Segmenter

ENDING = "_vertebral-level.nii.gz"


def _command(request: Request) -> list[str]:
    words = [request.program, str(request.ct), "--output", str(request.folder), "--level-only", "--no-model-download"]
    return words + (["--device", request.device] if request.device else [])


def _labels(request: Request) -> Path:
    stem = request.ct.name.removesuffix(".gz").removesuffix(".nii")
    return request.folder / f"{stem}{ENDING}"


SEGMENTER = Segmenter(
    name="spine-segment",
    title="spine-segment",
    program="spine-segment",
    distribution="spine-segment",
    licence="none stated in its package (0.1.6)",
    install="pip install spine-segment, and have its model bundle in place: it is run without downloading",
    command=_command,
    labels=_labels,
    schemes={"": "spine-segment"},
)
