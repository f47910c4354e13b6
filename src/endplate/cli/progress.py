"""Progress on standard error: bars where a person watches a terminal, plain lines in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Literal

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
    "report": "Writing the report",
}
"""What each stage does, in plain words."""

Tell = Callable[[str, float, str], None]


Drawn = Literal["bars", "lines", "nothing"]
WITHOUT_LINES = frozenset({"read"})
"""Stages without plain lines: reading is quick, and what it refuses is to be the one line that is printed."""
WITHOUT_DETAIL = frozenset({"segment"})
"""Stages whose details are another program's chatter."""


@contextmanager
def progress_bars(drawn: Drawn) -> Iterator[Tell]:
    """A function (stage, fraction, detail) that tells how far the work is."""
    if drawn == "bars":
        with _bars() as tell:
            yield tell
    else:
        yield _lines() if drawn == "lines" else lambda stage, fraction, detail: None


def _lines() -> Tell:
    """One line when a stage begins and one for each level, with the seconds since the start."""
    begun, told = time.monotonic(), set[tuple[str, str]]()

    def tell(stage: str, fraction: float, detail: str) -> None:
        about = (stage, "" if stage in WITHOUT_DETAIL else detail)
        if stage in WITHOUT_LINES or about in told:
            return
        told.add(about)
        words = STAGE_WORDS.get(stage, stage) + (f": {about[1]}" if about[1] else "")
        sys.stderr.write(f"[{time.monotonic() - begun:4.0f} s] {words}\n")
        sys.stderr.flush()

    return tell


@contextmanager
def _bars() -> Iterator[Tell]:
    """One bar a stage."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    columns = (TextColumn("{task.description:<26}"), BarColumn(bar_width=28), TimeElapsedColumn(),
               TextColumn("{task.fields[detail]}"))  # fmt: skip
    with Progress(*columns, console=Console(stderr=True), transient=False) as bars:
        tasks: dict[str, TaskID] = {}

        def tell(stage: str, fraction: float, detail: str) -> None:
            if stage not in tasks:
                tasks[stage] = bars.add_task(STAGE_WORDS.get(stage, stage), total=1.0, detail="")
            bars.update(tasks[stage], completed=min(max(fraction, 0.0), 1.0), detail=detail)

        yield tell
