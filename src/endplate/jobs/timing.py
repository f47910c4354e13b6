"""How long a job still takes: from how far its stage is, and from how long later stages took the last time."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping

SURE_FROM = 0.08
"""Fraction of a stage below which its speed says little of the rest."""


class TimeLeft:
    """Counts the seconds of each stage, and what is left.

    Parameters
    ----------
    former : seconds of each stage in an earlier run of the same task; empty where there was none.
    clock : seconds that only grow.
    """

    def __init__(self, former: Mapping[str, float], clock: Callable[[], float] = time.monotonic) -> None:
        self.former, self.clock = dict(former), clock
        self.begun: dict[str, float] = {}
        self.seconds: dict[str, float] = {}
        self._first_step: dict[str, tuple[float, float]] = {}

    def at(self, stage: str, fraction: float) -> float | None:
        """Seconds left, now that a stage is so far (0..1); None where nothing says."""
        moment = self.clock()
        spent = moment - self.begun.setdefault(stage, moment)
        self.seconds[stage] = spent
        if fraction > 0:
            self._first_step.setdefault(stage, (spent, fraction))
        later = self._later(stage)
        here = self._here(stage, fraction, spent)
        return None if here is None or later is None else max(here, 0.0) + later

    def _here(self, stage: str, fraction: float, spent: float) -> float | None:
        if fraction >= 1:
            return 0.0
        pace = self._pace(stage, fraction, spent)
        if pace is not None:
            return (1 - fraction) / pace
        return max(self.former[stage] - spent, 0.0) if stage in self.former else None

    def _pace(self, stage: str, fraction: float, spent: float) -> float | None:
        """Fraction of a stage that is done in a second; None while too little of it was seen.

        A stage of small steps is timed from the end of its first one: what came before is not done again (a system set
        up, code compiled). Of a stage of large steps the first is most of what is known, so all of it counts.
        """
        before, first = self._first_step.get(stage, (0.0, 0.0))
        if first >= SURE_FROM:
            before, first = 0.0, 0.0
        return (fraction - first) / (spent - before) if fraction - first >= SURE_FROM and spent > before else None

    def _later(self, stage: str) -> float | None:
        """Seconds of the stages that followed this one before; None where it was never run, and more may follow."""
        if stage not in self.former:
            return None
        names = list(self.former)
        return sum(self.former[name] for name in names[names.index(stage) + 1 :] if name not in self.begun)
