"""What `endplate report` does: the report of a results folder rendered again, and as PDF."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from endplate.cli.exit_codes import Output
from endplate.cli.terminal import say
from endplate.errors import OptionError


def run_report(results: Path, pdf: bool, talk: Output) -> dict[str, Any]:
    """Write the page, and the PDFs when asked; returns what `--json` prints.

    Raises
    ------
    InputError : the folder holds no report of ours, or cannot be written; what was there before is intact.
    """
    from endplate.report.again import write_again

    if not results.is_dir():
        raise OptionError(f"no folder {results}", "a report is rendered from the results of a run", "give its folder")
    paths = write_again(results, pdf)
    if talk.for_people:
        width = max(map(len, paths))
        for name, path in paths.items():
            say(f"{name:<{width}}  {path.resolve()}")
    return {"paths": {name: str(path.resolve()) for name, path in paths.items()}}
