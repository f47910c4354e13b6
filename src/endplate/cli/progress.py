"""Progress on standard error: bars where a person watches a terminal, plain lines in a log; both with the time left."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from endplate.api.progress import STAGE_WORDS, rich_bars
from endplate.cli.log import with_log
from endplate.cli.terminal import aside, console, plain
from endplate.progress import Progress, silent

Drawn = Literal["bars", "lines", "nothing"]
WITHOUT_LINES = frozenset({"read"})
"""Stages without plain lines: reading is quick, and what it refuses is to be the one line that is printed."""
WITHOUT_DETAIL = frozenset({"segment"})
"""Stages whose details are another program's chatter."""
COUNTING = frozenset({"resume", "cohort", "study", "decide"})
"""Stages whose details count up: a line now and then, not one each."""
EVERY_S = 20.0
FIRST_STEP = 0.08
"""A first step larger than this is most of what is known of a stage, and counts with what came before it."""
SURE_AFTER_S, SURE_FROM = 10.0, 0.02
"""Time and share of a stage from which the time left can be told."""


@contextmanager
def progress_bars(drawn: Drawn) -> Iterator[Progress]:
    """A function (stage, fraction, detail) that tells how far the work is."""
    if drawn == "bars":
        with rich_bars(console(stderr=True), lambda detail: plain(detail, 60)) as tell:
            yield with_log(tell)
    else:
        yield with_log(_lines() if drawn == "lines" else silent)


def time_left(elapsed_s: float, fraction: float) -> str:
    """How long a stage still takes if it goes on as it did, in words; empty while that cannot be told.

    Parameters
    ----------
    elapsed_s : since the stage began. fraction : of it that is done, 0 to 1.
    """
    if elapsed_s < SURE_AFTER_S or not SURE_FROM <= fraction < 1.0:
        return ""
    left = elapsed_s * (1.0 - fraction) / fraction
    for size, unit in ((86400.0, "d"), (3600.0, "h"), (60.0, "min")):
        if left >= 2 * size:
            return f"about {left / size:.0f} {unit} left"
    return f"about {left:.0f} s left"


def _lines() -> Progress:
    """One line when a stage begins and one for each level, with the seconds since the start."""
    begun, stated = time.monotonic(), set[tuple[str, str]]()
    first: dict[str, tuple[float, float]] = {}
    last: dict[str, float] = {}

    def tell(stage: str, fraction: float, detail: str) -> None:
        now = time.monotonic()
        if 0 < fraction < FIRST_STEP and not first.get(stage, (now, 0.0))[1]:
            first[stage] = (now, fraction)  # what came before a small first step is not done again
        since, done = first.setdefault(stage, (now, 0.0))
        about = (stage, "" if stage in WITHOUT_DETAIL else detail)
        if stage in WITHOUT_LINES or about in stated:
            return
        if stage in COUNTING and fraction < 1.0 and now - last.get(stage, -EVERY_S) < EVERY_S:
            return
        stated.add(about)
        last[stage] = now
        words = STAGE_WORDS.get(stage, stage) + (f": {about[1]}" if about[1] else "")
        left = time_left(now - since, (fraction - done) / (1 - done))
        aside(f"[{now - begun:4.0f} s] {words}" + (f", {left}" if left else ""))

    return tell
