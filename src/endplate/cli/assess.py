"""What `endplate assess` does: check, read, measure, write, tell."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endplate.cli.exit_codes import Output
from endplate.cli.options import InputOptions, ModelOptions
from endplate.cli.progress import Tell, progress_bars
from endplate.errors import ImageError, LabelError, OptionError

if TYPE_CHECKING:
    from endplate.case import Case


def run_assess(ct: Path | None, out: Path, given: InputOptions, model: ModelOptions, talk: Output) -> dict[str, Any]:
    """Measure one case and write its results; returns what `--json` prints.

    Raises
    ------
    InputError : anything given that cannot be used; nothing is left half-written.
    """
    check_paths(ct, given)
    from endplate.cli.settings import assess_settings
    from endplate.report.folder import check_writable

    settings = assess_settings(model)
    check_writable(out)
    with progress_bars(talk.progress) as tell, labels_of(ct, given, tell) as labels:
        case = read_given(ct, labels, given, tell)
        case, paths = measure_and_write(case, settings, out, tell)
    if talk.for_people:
        from endplate.cli.summary import print_summary

        print_summary(case, paths)
    return told(case, paths)


def measure_and_write(
    case: Case, settings: Any, out: Path, tell: Tell, annotate: Callable[[Case], Case] | None = None
) -> tuple[Case, dict[str, Path]]:
    """Assess a case and write its report; `annotate` may add to the assessed case before it is written."""
    from endplate.case.assess import assess
    from endplate.report.write import write_report

    case = assess(case, settings, tell)
    case = annotate(case) if annotate is not None else case
    tell("report", 0.0, "")
    paths = write_report(case, out)
    tell("report", 1.0, "")
    return case, paths


def told(case: Case, paths: dict[str, Path]) -> dict[str, Any]:
    """The machine-readable result: where everything is, and the document itself."""
    from endplate.report.document import to_document

    return {"paths": {name: str(path.resolve()) for name, path in paths.items()}, "case": to_document(case)}


def check_paths(ct: Path | None, given: InputOptions) -> None:
    """Missing files are told before anything heavy is imported."""
    if given.labels is None and given.segment is None:
        raise OptionError(
            "no vertebra labels given",
            "endplate measures labelled vertebrae",
            "give --labels FILE, or --segment totalsegmentator to make them",
        )
    if given.labels is not None and given.segment is not None:
        raise OptionError("both --labels and --segment given", "only one can be used", "leave one out")
    if given.segment is not None and ct is None:
        raise OptionError("--segment needs a CT", "", "give the CT as the first argument")
    if ct is not None and not ct.exists():
        raise ImageError(f"the CT {ct} does not exist", "", "check its path")
    if given.labels is not None and not given.labels.exists():
        raise LabelError(f"the labels {given.labels} do not exist", "", "check their path")


@contextmanager
def labels_of(ct: Path | None, given: InputOptions, tell: Tell) -> Iterator[Path]:
    """The given labels, or freshly segmented ones that live as long as the run."""
    if given.labels is not None or ct is None:
        yield given.labels or Path()
        return
    from endplate.image.labels.segment import segment

    with tempfile.TemporaryDirectory(prefix="endplate-labels-") as folder:
        tell("segment", 0.0, "TotalSegmentator")
        labels = segment(ct, Path(folder), lambda line: tell("segment", 0.5, line[:60]))
        tell("segment", 1.0, "")
        yield labels


def read_given(ct: Path | None, labels: Path, given: InputOptions, tell: Tell) -> Case:
    """The case that was given, told as it is read."""
    from endplate.case.read import read_case

    tell("read", 0.0, (ct or labels).name)
    case = read_case(ct, labels, record=given.record, scheme=given.scheme)
    tell("read", 1.0, "")
    return case
