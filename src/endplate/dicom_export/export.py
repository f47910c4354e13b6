"""Write the DICOM objects of a results folder: all of them or none."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from endplate.atomic import private_folder
from endplate.dicom_export.saved_results import saved_results
from endplate.dicom_export.segmentation import SegmentationKind
from endplate.dicom_export.source_series import WHY, no_dicom, read_source
from endplate.errors import OptionError
from endplate.image.file_type import is_dicom
from endplate.image.limits import DEFAULT, ReadSettings

FOLDER = "dicom"
"""Folder of the objects within results, where `--dicom` writes them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DicomChoice:
    """What is written.

    Parameters
    ----------
    segmentation : {"binary", "labelmap"}
        How segmentations are stored. Binary is what archives and viewers read today; a label map is a tenth of the
        size and holds one vertebra a voxel. Simulated cement and bodies are binary in both.
    pdf : bool
        The report as PDF.
    pictures : bool
        The key pictures.
    """

    segmentation: SegmentationKind = "binary"
    pdf: bool = True
    pictures: bool = True


def export_results(
    results_dir: Path, series: Path, out: Path, choice: DicomChoice | None = None, reading: ReadSettings = DEFAULT
) -> dict[str, Path]:
    """Write the objects of a results folder into an existing folder.

    Parameters
    ----------
    results_dir : Path
        Folder of an assess, plan or rehearse run.
    series : Path
        Folder of the CT series that was measured.
    out : Path
        Where the files go.
    choice : DicomChoice, optional
        What is written.
    reading : ReadSettings, optional
        Limits of what is read.

    Returns
    -------
    dict of str to Path
        Name of each object to its file.

    Raises
    ------
    OptionError
        highdicom or WeasyPrint is not installed, the scan was no DICOM, or the series is another one.
    ImageError
        The series cannot be read.
    OutputError
        A file cannot be written.
    """
    check_export(series, choice or DicomChoice())
    from endplate.dicom_export.object_header import Context, save

    results = saved_results(results_dir)
    context = Context(results=results, series=read_source(series, results, reading))
    private_folder(out)
    paths: dict[str, Path] = {}

    def keep(name: str, made: Any) -> None:
        paths[name] = out / f"{name}.dcm"
        save(made, paths[name])

    with warnings.catch_warnings():
        # Patients are called as the series calls them, with or without a caret.
        warnings.filterwarnings("ignore", message=".*person name.*")
        vertebrae = _segmentations(context, choice or DicomChoice(), keep)
        _documents(context, choice or DicomChoice(), vertebrae, keep)
    return paths


def writer_of(
    series: Path, choice: DicomChoice | None = None, reading: ReadSettings = DEFAULT
) -> Callable[[Path], dict[str, Path]]:
    """What `write_report` calls on the new results, so that the objects come and go with them."""

    def write(new: Path) -> dict[str, Path]:
        export_results(new, series, new / FOLDER, choice, reading)
        return {FOLDER: new / FOLDER}

    return write


def check_export(series: Path | None, choice: DicomChoice) -> None:
    """Refuse before any work what could not be written: a scan that is no DICOM, a library that is missing.

    Raises
    ------
    OptionError : which of them.
    """
    if series is None:
        raise OptionError("--dicom without a CT", WHY, "give the folder of the CT series")
    if series.is_file() and series.name != "DICOMDIR" and not is_dicom(series):
        raise no_dicom(series.name)
    _need("highdicom", "dicom")
    if choice.pdf or choice.pictures:
        _need("weasyprint", "pdf")
    if choice.pictures:
        _need("pypdfium2", "pdf")


def _need(module: str, extra: str) -> None:
    if find_spec(module) is None:
        raise OptionError(f"DICOM is written with {module}", "it is not installed", f"pip install 'endplate[{extra}]'")


def _segmentations(context: Any, choice: DicomChoice, keep: Callable[[str, Any], None]) -> Any:
    """All SEG objects; returns that of the vertebrae, None where no vertebra was measured."""
    from endplate.dicom_export import segmentation as seg

    grid = seg.grid_of(context)
    vertebrae = seg.vertebra_segments(context, grid)
    made = None
    if vertebrae:
        made = seg.segmentation(context, "vertebrae", 1, vertebrae, grid, choice.segmentation)
        keep("vertebrae", made)
    if bodies := seg.body_segments(context, grid):
        keep("bodies", seg.segmentation(context, "bodies", 2, bodies, grid, choice.segmentation))
    for number, (name, parts) in enumerate(seg.simulated_segments(context, grid).items(), start=3):
        keep(f"simulated-{name}", seg.segmentation(context, f"simulated {name}", number, parts, grid, "binary"))
    return made


def _documents(context: Any, choice: DicomChoice, vertebrae: Any, keep: Callable[[str, Any], None]) -> None:
    from endplate.dicom_export.measurement_report import measurement_report
    from endplate.dicom_export.needle_paths import needle_paths, saved_paths

    keep("measurements", measurement_report(context, 1, vertebrae))
    if paths := saved_paths(context):
        keep("needle-paths", needle_paths(context, 1, paths))
    page = context.results.page
    if page is not None and choice.pdf:
        from endplate.dicom_export.encapsulated_pdf import encapsulated_pdf
        from endplate.report.pdf import report_pdf

        keep("report", encapsulated_pdf(context, 1, report_pdf(page)))
    if page is not None and choice.pictures:
        from endplate.dicom_export.key_pictures import key_pictures, secondary_capture

        for number, picture in enumerate(key_pictures(page), start=1):
            keep(f"picture-{picture.name}", secondary_capture(context, number, picture))
