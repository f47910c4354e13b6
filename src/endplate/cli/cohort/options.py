"""The options of `endplate cohort` that other commands do not have."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Group, Parameter

from endplate.cli.options.run import option

STUDY = Group("Study", sort_key=0)
ENGINE = Group("Workers", sort_key=2)


@Parameter(name="*", group=STUDY)
@dataclass(frozen=True, slots=True, kw_only=True)
class StudyOptions:
    """What is done with every case, and with which."""

    steps: Annotated[
        Literal["assess", "plan", "rehearse", "decide"],
        option("What is done with each case; default assess. plan and decide need records."),
    ] = "assess"
    sample: Annotated[int | None, option("Only so many cases, chosen at random.")] = None
    seed: Annotated[int, option("Of that choice; default 0.")] = 0
    only_failed: Annotated[bool, option("Run again the cases that failed, and no others.")] = False
    truth: Annotated[
        Path | None, option("Expert's grades: CSV with id, level, grade; heights in anterior_mm and so on if wanted.")
    ] = None
    thumbnails: Annotated[int, option("The most pictures on the page; default 400.")] = 400
    members: Annotated[
        int | None, option("Runs that span what is unknown in a rehearsal: 0, 2, 8, 16 or 32; default as of rehearse.")
    ] = None
    pages: Annotated[bool, option("Write the report of each case too.")] = False
    volumes: Annotated[bool, option("Write the volumes of each case too.")] = False


@Parameter(name="*", group=ENGINE)
@dataclass(frozen=True, slots=True, kw_only=True)
class EngineOptions:
    """Where the cases run."""

    scheduler: Annotated[
        str | None,
        option("Address of a Dask scheduler that others run, such as tcp://host:8786; default this computer."),
    ] = None
    workers: Annotated[int | None, option("Processes on this computer; default by its memory and cores.")] = None
    memory_mb: Annotated[float | None, option("The most memory of a process, MB; default an even share.")] = None
    retries: Annotated[int, option("Trials more of a case whose process died; default 3.")] = 3


NO_STUDY, NO_ENGINE = StudyOptions(), EngineOptions()
