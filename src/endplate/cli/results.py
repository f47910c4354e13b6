"""What is made of a results folder, without measuring again: its report, and DICOM for the archive."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import Parameter

from endplate.cli import exit_codes as outcome
from endplate.cli.options.dicom import NO_OBJECT, ObjectOptions
from endplate.cli.options.run import INPUT, NO_RUN, RUN, RunOptions


def report(
    results: Annotated[Path, Parameter(group=INPUT, show_default=False, help="Folder that an earlier run wrote.")],
    /,
    *,
    pdf: Annotated[
        bool, Parameter(negative="", group=RUN, show_default=False, help="Write report.pdf and decision-aid.pdf too.")
    ] = False,
    run: RunOptions = NO_RUN,
) -> int:
    """Render the report of a results folder again, without the scan; as PDF too when asked.

    endplate report results

    endplate report results --pdf

    Numbers, pictures and decision stay those of the run that wrote the folder. PDF needs `pip install 'endplate[pdf]'`.
    """
    from endplate.cli.report import run_report

    return outcome.answer(lambda talk: run_report(results, pdf, talk), run)


def dicom_(
    results: Annotated[Path, Parameter(group=INPUT, show_default=False, help="Folder of an `assess` or `plan` run.")],
    /,
    *,
    series: Annotated[Path, Parameter(group=INPUT, help="Folder of the CT series that was measured.")],
    out: Annotated[Path, Parameter(name="--out", group=RUN, help="Folder for the objects (.dcm).")],
    objects: ObjectOptions = NO_OBJECT,
    run: RunOptions = NO_RUN,
) -> int:
    """Write results as DICOM beside the CT series they were measured in: segmentation, measurements, report, pictures.

        endplate dicom results --series dicom_folder --out objects

    Every object is of the series' patient and study and says that it is for research. Written twice, the same results
    give the same objects. A scan that was read as NIfTI has no DICOM to refer to, so that nothing is written.
    """
    from endplate.cli.dicom import run_dicom

    return outcome.answer(lambda talk: run_dicom(results, series, out, objects, talk), run)
