"""What `endplate assess` does: check, read, measure, write, tell."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endplate.apps.outcome import Talk
from endplate.apps.progress import Tell, progress_bars
from endplate.errors import ImageError, LabelError, OptionError

if TYPE_CHECKING:
    from endplate.case import Case


@dataclass(frozen=True, slots=True, kw_only=True)
class AssessRequest:
    """Everything that was asked on the command line."""

    ct: Path | None
    labels: Path | None
    out: Path
    scheme: str | None = None
    record: Path | None = None
    segment: str | None = None
    law: str | None = None
    voxel_mm: float | None = None
    linear_only: bool = False
    mechanics: bool = True
    calibration: str | None = None
    kvp: float | None = None


def run_assess(request: AssessRequest, talk: Talk) -> dict[str, Any]:
    """Measure one case and write its results; returns what `--json` prints.

    Raises
    ------
    InputError : anything given that cannot be used; nothing is left half-written.
    """
    _check_paths(request)
    from endplate.apps.settings import assess_settings

    settings = assess_settings(request)
    from endplate.report.folder import check_writable

    check_writable(request.out)
    with progress_bars(talk.progress) as tell, _labels(request, tell) as labels:
        from endplate.case.read import read_case

        tell("read", 0.0, (request.ct or labels).name)
        case = read_case(request.ct, labels, record=request.record, scheme=request.scheme)
        tell("read", 1.0, "")
        case, paths = measure_and_write(case, settings, request.out, tell)
    if talk.for_people:
        from endplate.apps.summary import print_summary

        print_summary(case, paths)
    return told(case, paths)


def measure_and_write(case: Case, settings: Any, out: Path, tell: Tell) -> tuple[Case, dict[str, Path]]:
    """Assess a case and write its report."""
    from endplate.case.assess import assess
    from endplate.report.write import write_report

    case = assess(case, settings, tell)
    tell("report", 0.0, "")
    paths = write_report(case, out)
    tell("report", 1.0, "")
    return case, paths


def told(case: Case, paths: dict[str, Path]) -> dict[str, Any]:
    """The machine-readable result: where everything is, and the document itself."""
    from endplate.report.document import to_document

    return {"paths": {name: str(path.resolve()) for name, path in paths.items()}, "case": to_document(case)}


def _check_paths(request: AssessRequest) -> None:
    """Missing files are told before anything heavy is imported."""
    if request.labels is None and request.segment is None:
        raise OptionError(
            "no vertebra labels given", "endplate measures labelled vertebrae",
            "give --labels FILE, or --segment totalsegmentator to make them",
        )  # fmt: skip
    if request.labels is not None and request.segment is not None:
        raise OptionError("both --labels and --segment given", "only one can be used", "leave one out")
    if request.segment is not None and request.ct is None:
        raise OptionError("--segment needs a CT", "", "give the CT as the first argument")
    if request.ct is not None and not request.ct.exists():
        raise ImageError(f"{request.ct} does not exist", "", "check the path of the CT")
    if request.labels is not None and not request.labels.exists():
        raise LabelError(f"{request.labels} does not exist", "", "check the path of the labels")


@contextmanager
def _labels(request: AssessRequest, tell: Tell) -> Iterator[Path]:
    """The given labels, or freshly segmented ones that live as long as the run."""
    if request.labels is not None:
        yield request.labels
        return
    from endplate.image.segment import segment

    if request.ct is None:
        raise OptionError("--segment needs a CT", "", "give the CT as the first argument")
    with tempfile.TemporaryDirectory(prefix="endplate-labels-") as folder:
        tell("segment", 0.0, "TotalSegmentator")
        labels = segment(request.ct, Path(folder), lambda line: tell("segment", 0.5, line[:60]))
        tell("segment", 1.0, "")
        yield labels
