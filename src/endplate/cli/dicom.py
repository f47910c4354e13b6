"""What `endplate dicom` does: the results of a run as DICOM beside the CT series they were measured in."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from endplate.cli.exit_codes import Output
from endplate.cli.options.dicom import ObjectOptions, choice_of
from endplate.cli.terminal import say


def run_dicom(results: Path, series: Path, out: Path, objects: ObjectOptions, talk: Output) -> dict[str, Any]:
    """Write the objects; returns what `--json` prints.

    Raises
    ------
    InputError : anything given that cannot be used; nothing is left half-written.
    """
    from endplate.dicom_export import check_export, export_results
    from endplate.report.folder import check_writable, exchanged

    choice = choice_of(objects)
    check_export(series, choice)
    inputs = (results, series)
    check_writable(out, ("dicom",), inputs)
    with exchanged(out, ("dicom",), inputs) as new:
        paths = {
            name: out / path.relative_to(new) for name, path in export_results(results, series, new, choice).items()
        }
    if talk.for_people:
        width = max(map(len, paths))
        for name, path in paths.items():
            say(f"{name:<{width}}  {path.resolve()}")
    return {"paths": {name: str(path.resolve()) for name, path in paths.items()}}
