"""How a verb runs, what it says and where it writes; the groups of `--help` that verbs share."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

INPUT = Group("Input", sort_key=1)
RUN = Group("Run", sort_key=3)

Out = Annotated[Path, Parameter(name="--out", group=RUN, help="Folder for report.html, case.json and volumes/.")]


def option(words: str) -> Parameter:
    """A flag without its `--no-` twin, or a value, with its help."""
    return Parameter(negative="", show_default=False, help=words)


@Parameter(name="*", group=RUN)
@dataclass(frozen=True, slots=True, kw_only=True)
class RunOptions:
    """How the command runs and what it says."""

    threads: Annotated[int | None, option("Processor cores to use; default all.")] = None
    json: Annotated[bool, option("Answer with one JSON object on standard output.")] = False
    quiet: Annotated[bool, option("No progress, no summary.")] = False
    verbose: Annotated[bool, option("Say on standard error what is done, with the time.")] = False
    log: Annotated[Path | None, option("Append what is done, in detail, to this file.")] = None
    config: Annotated[
        Path | None, option("TOML file of options that are not given here; or the one that ENDPLATE_CONFIG names.")
    ] = None


CropVolumes = Annotated[
    bool, option("Cut the volumes of one level to the box round it; otherwise each covers the whole scan.")
]


@Parameter(name="*", group=RUN)
@dataclass(frozen=True, slots=True, kw_only=True)
class FileOptions:
    """How the results are written."""

    crop_volumes: CropVolumes = False


NO_FILES, NO_RUN = FileOptions(), RunOptions()
