"""What a task is given: its arguments, the store and the files, and how it says how far it is and what it kept."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from endplate.jobs import queue
from endplate.jobs.job import Job
from endplate.jobs.timing import TimeLeft
from endplate.store.cases import CaseRow, case_row, input_paths
from endplate.store.database import Store, StoreError
from endplate.store.files import Files

EVERY_S = 0.4
"""Shortest time between two writes of progress; a new stage is always written."""


class NotOursError(Exception):
    """The job ended elsewhere: its row says so, and what is computed here is not wanted."""


@dataclass(slots=True, kw_only=True)
class JobContext:
    """One run of a job.

    Attributes
    ----------
    job : the row as it was claimed. store, files : where everything lies.
    """

    job: Job
    store: Store
    files: Files
    time_left: TimeLeft = field(default_factory=lambda: TimeLeft({}))
    _written: float = field(default=-1e9)
    _stage: str = field(default="")

    @property
    def arguments(self) -> dict[str, Any]:
        """What the task was asked with."""
        return self.job.arguments

    def case(self) -> CaseRow:
        """The case that the job is about.

        Raises
        ------
        StoreError : it was removed, or the job is about none.
        """
        return case_row(self.store, self.job.case_id or "")

    def inputs(self) -> dict[str, Path]:
        """What a reader opens for each role of the case (ct, labels, record, scheme)."""
        return input_paths(self.store, self.files, self.job.case_id or "")

    def folder(self) -> Path:
        """The folder of this job, for what it makes besides the results of its case."""
        return self.files.run(self.job.id)

    def tell(self, stage: str, fraction: float, detail: str) -> None:
        """Progress, as every stage of endplate reports it.

        Raises
        ------
        NotOursError : the job was ended elsewhere.
        """
        left = self.time_left.at(stage, fraction)
        moment = time.monotonic()
        if stage == self._stage and moment - self._written < EVERY_S and fraction < 1:
            return
        self._written, self._stage = moment, stage
        seconds = {name: round(value, 2) for name, value in self.time_left.seconds.items()}
        values = {"stage": stage[:40], "fraction": min(max(float(fraction), 0.0), 1.0), "detail": detail[:200]}
        if not self._bring_on(values | {"seconds_left": left, "stage_seconds": seconds}):
            raise NotOursError

    def keep(self, words: str) -> None:
        """Say what of the work stands from here on, also if the job is cancelled or its worker is killed."""
        self._bring_on({"kept": words})

    def _bring_on(self, values: dict[str, Any]) -> bool:
        """Write to the row; a database that takes nothing for a moment (a full disk) ends no computation."""
        try:
            return queue.bring_on(self.store, self.job.id, values)
        except StoreError:
            return True
