"""Measure one series of a spool and write its results as DICOM."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from endplate.image.labels.segmenter import Segmented
from endplate.image.limits import DEFAULT, ReadSettings

if TYPE_CHECKING:
    from endplate.case.assess import AssessSettings
    from endplate.dicom_export import DicomChoice

Measure = Callable[[Path, Segmented, Path], list[Path]]
"""From the images, the labels and a folder for the results to the objects that are pushed."""


def measurer(
    settings: Callable[[], AssessSettings], choice: Callable[[], DicomChoice], reading: ReadSettings = DEFAULT
) -> Measure:
    """What measures a series; the science is imported with the first one, so that a listener listens at once."""

    def measure(images: Path, labels: Segmented, results: Path) -> list[Path]:
        from endplate.case.assess import assess
        from endplate.case.provenance import with_parameters
        from endplate.case.read import read_case
        from endplate.dicom_export import writer_of
        from endplate.dicom_export.export import FOLDER
        from endplate.report.write import write_report

        case = read_case(images, labels.path, scheme=labels.scheme, reading=reading)
        if labels.facts:
            case = with_parameters(case, {"segmenter": dict(labels.facts)})
        write_report(assess(case, settings()), results, beside=writer_of(images, choice()))
        return sorted((results / FOLDER).glob("*.dcm"))

    return measure
