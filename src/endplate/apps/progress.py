"""Progress bars, on standard error and only when a person is watching."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

STAGE_WORDS = {
    "read": "Reading the scan",
    "phantom": "Building the digital spine",
    "segment": "Finding the vertebrae",
    "anatomy": "Locating vertebrae",
    "fracture": "Measuring heights",
    "bone": "Measuring density",
    "mechanics": "Computing strength",
    "report": "Writing the report",
}
"""What each stage does, in plain words."""

Tell = Callable[[str, float, str], None]


@contextmanager
def progress_bars(shown: bool) -> Iterator[Tell]:
    """A function (stage, fraction, detail) that draws one bar a stage; silent unless shown."""
    if not shown:
        yield lambda stage, fraction, detail: None
        return
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
