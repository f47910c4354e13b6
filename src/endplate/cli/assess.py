"""What `endplate assess` does: check, read, measure, write, tell."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endplate.cli.exit_codes import Output
from endplate.cli.options.dicom import WrittenOptions, choice_of
from endplate.cli.options.scan import InputOptions, ModelOptions
from endplate.cli.progress import progress_bars
from endplate.cli.terminal import say
from endplate.errors import ImageError, LabelError, OptionError
from endplate.image.file_type import exists
from endplate.progress import Progress

if TYPE_CHECKING:
    from endplate.case import Case


Beside = Callable[[Path], Mapping[str, Path]] | None
"""What writes further files into new results, if anything does."""
MAX_SHOWN = 5
"""Names of foreign files that are shown; the JSON answer has more."""


def run_assess(
    ct: Path | None, out: Path, given: InputOptions, model: ModelOptions, files: WrittenOptions, talk: Output
) -> dict[str, Any]:
    """Measure one case and write its results; returns what `--json` prints.

    Raises
    ------
    InputError : anything given that cannot be used; nothing is left half-written.
    """
    check_paths(ct, given)
    beside = dicom_writer(ct, files)
    from endplate.cli.settings import assess_settings
    from endplate.report.folder import check_writable

    settings = assess_settings(model)
    inputs = inputs_of(ct, given)
    check_writable(out, inputs=inputs)
    with progress_bars(talk.progress) as tell, labels_of(ct, given, tell) as labels:
        case = read_given(ct, labels, given, tell)
        case, paths = measure_and_write(case, settings, out, inputs, tell, files.crop_volumes, beside)
    if talk.for_people:
        from endplate.cli.summary import print_summary

        print_summary(case, paths)
    return result_document(case, paths, left_alone(out, talk))


def measure_and_write(
    case: Case,
    settings: Any,
    out: Path,
    inputs: Sequence[Path],
    tell: Progress,
    crop: bool = False,
    beside: Beside = None,
) -> tuple[Case, dict[str, Path]]:
    """Assess a case and write its report."""
    from endplate.case.assess import assess
    from endplate.report.write import write_report

    case = assess(case, settings, tell)
    tell("report", 0.0, "")
    paths = write_report(case, out, inputs=inputs, crop=crop, beside=beside)
    tell("report", 1.0, "")
    return case, paths


def dicom_writer(ct: Path | None, files: WrittenOptions) -> Beside:
    """What writes the results as DICOM too, where that was asked for; refused here where it could not."""
    if not files.dicom:
        return None
    from endplate.dicom_export import check_export, writer_of

    choice = choice_of(files)
    check_export(ct, choice)
    return writer_of(ct or Path(), choice)


def result_document(case: Case, paths: dict[str, Path], kept: Sequence[str] = ()) -> dict[str, Any]:
    """The machine-readable result: where everything is, what else was left there, and the document itself."""
    from endplate.report.document import to_document

    return {
        "paths": {name: str(path.resolve()) for name, path in paths.items()},
        "kept": list(kept),
        "case": to_document(case),
    }


def inputs_of(ct: Path | None, given: InputOptions) -> list[Path]:
    """Every file and folder that a run reads: no output may replace one of them."""
    from endplate.image.nifti.sidecar import sidecar_of

    scheme = Path(given.scheme) if given.scheme else None
    beside = None if ct is None else sidecar_of(ct)
    return [
        path
        for path in (ct, beside, given.labels, given.record, scheme, given.readings)
        if path is not None and path.exists()
    ]


def left_alone(folder: Path, talk: Output) -> list[str]:
    """What else lies in a results folder; told in a line to people."""
    from endplate.report.folder import kept

    names = kept(folder)
    if talk.for_people and names:
        more = f" and {len(names) - MAX_SHOWN} more" if len(names) > MAX_SHOWN else ""
        say(f"Left as they were, not written by endplate: {', '.join(names[:MAX_SHOWN])}{more}")
    return names


def check_paths(ct: Path | None, given: InputOptions) -> None:
    """Refuse missing files before anything heavy is imported."""
    _check_source_of_labels(ct, given)
    if ct is not None and not exists(ct):
        raise ImageError(f"the CT {ct} does not exist", "", "check its path")
    if given.readings is not None and not exists(given.readings):
        raise OptionError(f"the readings {given.readings} do not exist", "", "check their path")
    if given.labels is not None and not exists(given.labels):
        raise LabelError(f"the labels {given.labels} do not exist", "", "check their path")


def _check_source_of_labels(ct: Path | None, given: InputOptions) -> None:
    """Labels come from one place, a file or a segmenter."""
    from endplate.cli.settings import segmenter_choice

    choice = segmenter_choice(given)
    if given.labels is None and choice is None:
        raise OptionError(
            "no vertebra labels given",
            "endplate measures labelled vertebrae",
            "give --labels FILE, or --segment totalsegmentator to make them",
        )
    if choice is None:
        return
    if given.labels is not None:
        raise OptionError("both --labels and --segment given", "only one can be used", "leave one out")
    if ct is None:
        raise OptionError("--segment needs a CT", "", "give the CT as the first argument")
    from endplate.image.labels.segmenter import check_choice

    check_choice(choice)


@dataclass(frozen=True, slots=True, kw_only=True)
class Labels:
    """Labels to be read: where they lie, how a segmenter numbered them, and its facts for the provenance."""

    path: Path
    scheme: str | None = None
    facts: Mapping[str, str] | None = None


@contextmanager
def labels_of(ct: Path | None, given: InputOptions, tell: Progress) -> Iterator[Labels]:
    """The given labels, or freshly segmented ones that live as long as the run."""
    from endplate.cli.settings import read_settings, segmenter_choice

    choice = segmenter_choice(given)
    if choice is None or ct is None:
        yield Labels(path=given.labels or Path())
        return
    from endplate.image.labels.segmenter import run_segmenter

    with tempfile.TemporaryDirectory(prefix="endplate-labels-") as folder:
        tell("segment", 0.0, choice.name or "")
        reading = read_settings(given)
        made = run_segmenter(choice, ct, Path(folder), lambda line: tell("segment", 0.5, line[:60]), reading)
        tell("segment", 1.0, "")
        yield Labels(path=made.path, scheme=made.scheme, facts=made.facts)


def read_given(ct: Path | None, labels: Labels, given: InputOptions, tell: Progress) -> Case:
    """The case that was given, told as it is read."""
    from endplate.case.provenance import with_parameters
    from endplate.case.read import read_case
    from endplate.case.readings.reading import read_readings
    from endplate.cli.settings import read_settings

    tell("read", 0.0, (ct or labels.path).name)
    scheme = given.scheme or labels.scheme
    readings = () if given.readings is None else read_readings(given.readings)
    settings = read_settings(given)
    case = read_case(ct, labels.path, given.record, scheme, reading=settings, readings=readings)
    tell("read", 1.0, "")
    return with_parameters(case, {"segmenter": dict(labels.facts)}) if labels.facts else case
