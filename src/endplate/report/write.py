"""Write a case: the page, the JSON document and the volumes, all of them or none."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from endplate.atomic import write_text
from endplate.case import Case
from endplate.errors import OptionError
from endplate.report.document import to_document, to_json
from endplate.report.folder import DOCUMENT, PAGE, VOLUMES, replaced_folder

FORMATS = ("html", "json", "nifti")


def write_report(case: Case, out_dir: Path | str, formats: Sequence[str] = FORMATS) -> dict[str, Path]:
    """Write the results of a case into a folder, replacing those of an earlier run in one step.

    Parameters
    ----------
    case : an assessed case.
    out_dir : made when absent; the user's own files in it stay.
    formats : any of "html" (report.html), "json" (case.json), "nifti" (volumes/). The document is always written,
        since it marks the folder as ours.

    Returns
    -------
    Format to the path written.

    Raises
    ------
    OutputError : the folder cannot be written or the disk is full; what was there before is intact.
    OptionError : an unknown format.
    """
    unknown = [name for name in formats if name not in FORMATS]
    if unknown:
        raise OptionError(f"unknown report format {unknown[0]!r}", "", f"known formats: {', '.join(FORMATS)}")
    folder = Path(out_dir)
    text = to_json(to_document(case))
    page = _page(case) if "html" in formats else None
    with replaced_folder(folder) as new:
        write_text(new / DOCUMENT, text)
        if "nifti" in formats:
            _volumes(case, new / VOLUMES)
        if page is not None:
            write_text(new / PAGE, page)
    places = {"html": folder / PAGE, "json": folder / DOCUMENT, "nifti": folder / VOLUMES}
    return {name: path for name, path in places.items() if name in formats or name == "json"}


def _page(case: Case) -> str:
    from endplate.report.html import to_html

    return to_html(case)


def _volumes(case: Case, folder: Path) -> None:
    from endplate.report.volumes import write_volumes

    folder.mkdir()
    write_volumes(case, folder)
