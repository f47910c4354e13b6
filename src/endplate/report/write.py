"""Write a case: the page, the JSON document, the volumes and what was decided about it, all of them or none."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

from endplate.atomic import private_folder, write_text
from endplate.case import Case
from endplate.errors import OptionError
from endplate.numerics.threads import on_threads
from endplate.report.document import to_document, to_json
from endplate.report.folder import DOCUMENT, PAGE, VIEW, VOLUMES, exchanged

FORMATS = ("html", "json", "nifti")
REPLACED = ("case", "decision", "pdf")
"""What goes with an earlier case: its own files, what was decided about it, and pages made from both."""


def write_report(
    case: Case,
    out_dir: Path | str,
    formats: Sequence[str] = FORMATS,
    inputs: Iterable[Path] = (),
    crop: bool = False,
    beside: Callable[[Path], Mapping[str, Path]] | None = None,
) -> dict[str, Path]:
    """Write the results of a case into a folder, replacing those of an earlier run in one step.

    Parameters
    ----------
    case : Case
        An assessed case; what was decided about it is written too.
    out_dir : str or Path
        Folder; made when absent. Everything in it that endplate did not write stays.
    formats : sequence of {"html", "json", "nifti"}, optional
        Which of report.html, case.json and volumes/ to write. The document case.json is always written.
    inputs : iterable of Path, optional
        Files and folders that the case was read from; none of them is ever replaced.
    crop : bool, default False
        Cut the volumes of one level to the box round it; otherwise each has the whole grid of the CT.
    beside : callable, optional
        Called with the new results before they take their place; what it writes there comes and goes with them. It
        returns further paths by name.

    Returns
    -------
    dict of str to Path
        Format, and title of each document of a decision, to the path written.

    Raises
    ------
    OutputError
        The folder cannot be written, the disk is full, or an output would replace an input or a file that
        endplate did not write there; what was there before is intact.
    OptionError
        An unknown format, or no folder named.
    """
    folder = named_folder(out_dir)
    with exchanged(folder, REPLACED, inputs) as new:
        paths = fill_report(case, new, formats, crop)
        if beside is not None:
            paths |= beside(new)
    return {name: folder / path.relative_to(new) for name, path in paths.items()}


def named_folder(out_dir: Path | str) -> Path:
    """The folder of a name; an empty name would mean the current folder."""
    if not str(out_dir):
        raise OptionError("the folder for the results has an empty name", "", "name it, or write . for this folder")
    return Path(out_dir)


def fill_report(case: Case, new: Path, formats: Sequence[str] = FORMATS, crop: bool = False) -> dict[str, Path]:
    """Write what `write_report` writes into an empty folder; returns the paths there."""
    _check_formats(formats)
    text = to_json(to_document(case))
    write_text(new / DOCUMENT, text)
    pages: dict[str, str] = {}
    jobs: list[Callable[[], None]] = []
    if "html" in formats:
        jobs.append(lambda: pages.update(_pages(case)))
    if "nifti" in formats:
        jobs.append(lambda: _volumes(case, new / VOLUMES, crop))
    on_threads(lambda job: job(), jobs)  # volumes are mostly compressed, beside which pages can be made
    for name, page in pages.items():
        write_text(new / name, page)
    places = {"html": new / PAGE, "json": new / DOCUMENT, "nifti": new / VOLUMES}
    paths = {name: path for name, path in places.items() if name in formats or name == "json"}
    if case.care is not None:
        from endplate.report.care.write import fill_documents

        paths |= fill_documents(case.care, case.findings, new)
    return paths


def _check_formats(formats: Sequence[str]) -> None:
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise OptionError(f"unknown report format {unknown[0]!r}", "", f"known formats: {', '.join(FORMATS)}")


def _pages(case: Case) -> dict[str, str]:
    """The page, and the view objects from which it can be rendered again without the scan."""
    from endplate.report.care.section import care_parts, unweighed_parts
    from endplate.report.html import render
    from endplate.report.page_view import report_view
    from endplate.report.plain_view import view_to_json

    view = report_view(case)
    parts = unweighed_parts() if case.care is None else care_parts(case.care)
    return {VIEW: view_to_json(view), PAGE: render(view, parts)}


def _volumes(case: Case, folder: Path, crop: bool) -> None:
    from endplate.report.volumes import write_volumes

    private_folder(folder)
    write_volumes(case, folder, crop)
