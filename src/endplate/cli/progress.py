"""Progress on standard error: bars where a person watches a terminal, plain lines in a log."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal

from endplate.api.progress import STAGE_WORDS, rich_bars
from endplate.cli.terminal import aside, console, plain
from endplate.progress import Progress, silent

Drawn = Literal["bars", "lines", "nothing"]
WITHOUT_LINES = frozenset({"read"})
"""Stages without plain lines: reading is quick, and what it refuses is to be the one line that is printed."""
WITHOUT_DETAIL = frozenset({"segment"})
"""Stages whose details are another program's chatter."""


@contextmanager
def progress_bars(drawn: Drawn) -> Iterator[Progress]:
    """A function (stage, fraction, detail) that tells how far the work is."""
    if drawn == "bars":
        with rich_bars(console(stderr=True), lambda detail: plain(detail, 60)) as tell:
            yield tell
    else:
        yield _lines() if drawn == "lines" else silent


def _lines() -> Progress:
    """One line when a stage begins and one for each level, with the seconds since the start."""
    begun, stated = time.monotonic(), set[tuple[str, str]]()

    def tell(stage: str, fraction: float, detail: str) -> None:
        about = (stage, "" if stage in WITHOUT_DETAIL else detail)
        if stage in WITHOUT_LINES or about in stated:
            return
        stated.add(about)
        words = STAGE_WORDS.get(stage, stage) + (f": {about[1]}" if about[1] else "")
        aside(f"[{time.monotonic() - begun:4.0f} s] {words}")

    return tell
