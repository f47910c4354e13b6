"""Progress in a notebook or script: a function of your own, or bars drawn by rich."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from endplate.api.errors import ArgumentTypeError
from endplate.progress import Progress, silent

if TYPE_CHECKING:
    from rich.console import Console

STAGE_WORDS = {
    "read": "Reading the scan",
    "phantom": "Building the digital spine",
    "segment": "Finding the vertebrae",
    "anatomy": "Locating vertebrae",
    "fracture": "Measuring heights",
    "bone": "Measuring density",
    "mechanics": "Computing strength",
    "access": "Planning the needle",
    "zone": "Looking for the fracture",
    "balloon": "Filling the balloon",
    "cement": "Injecting cement",
    "strength": "Loading the body",
    "neighbours": "Loading the neighbours",
    "ensemble": "Spanning the unknowns",
    "crush": "Crushing the body",
    "warp": "Moving everything along",
    "check": "Measuring the result",
    "decide": "Asking the rule sets",
    "report": "Writing the report",
    "compile": "Compiling",
    "resume": "Looking at what is done",
    "cohort": "Running the cases",
    "study": "Gathering the study",
    "view": "Preparing the viewer",
}
"""What each stage does, in plain words."""

Reported = Progress | Literal["rich"] | None
"""A function (stage, fraction, detail); "rich" for bars; None for silence."""


@contextmanager
def reported(progress: Reported) -> Iterator[Progress]:
    """The function to call as the work goes on.

    Parameters
    ----------
    progress : a function called with stage, fraction and detail; "rich" for bars on standard error; None for silence.

    Raises
    ------
    ArgumentTypeError
        Something else was given.
    """
    if progress is None:
        yield silent
    elif callable(progress):
        yield progress
    elif progress == "rich":
        with rich_bars() as tell:
            yield tell
    else:
        raise ArgumentTypeError(
            f"progress={progress!r}",
            "it is called as the work goes on",
            'give a function of (stage, fraction, detail), "rich" for bars, or nothing',
        )


@contextmanager
def rich_bars(console: Console | None = None, shown: Callable[[str], str] = str) -> Iterator[Progress]:
    """One bar a stage, on standard error.

    Parameters
    ----------
    console : where to draw; standard error when absent.
    shown : what of a detail may be drawn.
    """
    from rich.console import Console
    from rich.progress import BarColumn, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
    from rich.progress import Progress as Bars

    columns = (TextColumn("{task.description:<26}"), BarColumn(bar_width=24), TimeElapsedColumn(),
               TextColumn("left"), TimeRemainingColumn(),
               TextColumn("{task.fields[detail]}", markup=False))  # fmt: skip
    with Bars(*columns, console=console or Console(stderr=True), transient=False) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(stage: str, fraction: float, detail: str) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(STAGE_WORDS.get(stage, stage), total=1.0, detail="")
            bars.update(tasks[stage], completed=min(max(fraction, 0.0), 1.0), detail=shown(detail))

        yield tell
