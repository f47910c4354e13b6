"""Measure one series of a spool: its labels from a segmentation of the study or a program, its results as DICOM."""

from __future__ import annotations

import shlex
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pydicom

from endplate.errors import LabelError, OptionError
from endplate.pacs.spool import Entry, Spool

if TYPE_CHECKING:
    from endplate.case.assess import AssessSettings
    from endplate.dicom_export import DicomChoice

Measure = Callable[[Path, Path, Path], list[Path]]
"""From the images, the labels and a folder for the results to the objects that are pushed."""
LONGEST_S = 7200.0


class NoLabelsYetError(Exception):
    """No segmentation of the study has come, and no program makes one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LabelSource:
    """Where labels come from.

    Parameters
    ----------
    command : str or None
        Program that makes labels, with {ct} and {out}; None waits for a SEG of the same study.
    """

    command: str | None = None

    def __post_init__(self) -> None:
        if self.command is not None and not ("{ct}" in self.command and "{out}" in self.command):
            raise OptionError(
                f"--segment-command {self.command!r} lacks {{ct}} or {{out}}", "", "write 'program {ct} {out}'"
            )


def labels_for(entry: Entry, spool: Spool, source: LabelSource) -> Path:
    """The labels of a series: a SEG of its study that refers to it, else what the program makes.

    Raises
    ------
    NoLabelsYetError : there is neither.
    LabelError : the program failed.
    """
    for other in spool.entries():
        if other.modality == "SEG" and other.study_uid == entry.study_uid:
            for path in sorted(spool.images(other.series_uid).glob("*.dcm")):
                if _of_this_series(path, entry.series_uid):
                    return path
    if source.command is None:
        raise NoLabelsYetError("no segmentation of the study that refers to this series")
    return _made(source.command, spool.images(entry.series_uid), spool.place(entry.series_uid) / "labels.nii.gz")


def _of_this_series(path: Path, series_uid: str) -> bool:
    """Whether a SEG refers to the series and is not one of our own results."""
    from endplate.dicom_export.object_header import MANUFACTURER

    header = pydicom.dcmread(path, stop_before_pixels=True)
    named = {str(item.SeriesInstanceUID) for item in header.get("ReferencedSeriesSequence") or ()}
    return series_uid in named and str(header.get("Manufacturer")) != MANUFACTURER


def _made(command: str, images: Path, out: Path) -> Path:
    """Labels made by a program, which runs as a process of its own."""
    words = [word.replace("{ct}", str(images)).replace("{out}", str(out)) for word in shlex.split(command)]
    out.unlink(missing_ok=True)
    try:
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=LONGEST_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabelError(f"the segmenter {words[0]} did not run: {error}", "", "run it by hand to see why") from error
    if done.returncode or not out.is_file():
        said = (done.stderr or done.stdout).strip().splitlines()[-1:] or ["no labels were written"]
        raise LabelError(f"the segmenter {words[0]} failed: {said[0]}", "", "run it by hand to see why")
    return out


def measurer(settings: Callable[[], AssessSettings], choice: Callable[[], DicomChoice]) -> Measure:
    """What measures a series; the science is imported with the first one, so that a listener listens at once."""

    def measure(images: Path, labels: Path, results: Path) -> list[Path]:
        from endplate.case.assess import assess
        from endplate.case.read import read_case
        from endplate.dicom_export import writer_of
        from endplate.dicom_export.export import FOLDER
        from endplate.report.write import write_report

        case = assess(read_case(images, labels), settings())
        write_report(case, results, beside=writer_of(images, choice()))
        return sorted((results / FOLDER).glob("*.dcm"))

    return measure
