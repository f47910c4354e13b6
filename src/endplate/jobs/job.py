"""A job as it is read from the store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

State = Literal["queued", "running", "done", "refused", "failed", "lost", "cancelled"]
"""refused: what was given cannot be used; failed: our fault; lost: its worker was killed."""
OPEN: tuple[State, ...] = ("queued", "running")
AGAIN: tuple[State, ...] = ("refused", "failed", "lost", "cancelled")
"""States from which a job can be run again."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A piece of work.

    Attributes
    ----------
    id : ours. case_id : the case it is about, or None. task : which of `tasks.TASKS`. title : shown.
    arguments : given to the task. attempt : 1 for the first run.
    stage, fraction, detail : how far the work is (`endplate.progress`). seconds_left : None where not known yet.
    kept : what of its work stands although it did not end, in words. result : what the task returned.
    error : {"kind", "what", "why", "fix", "message"} where it did not end well.
    version : goes up with every write.
    """

    id: str
    case_id: str | None
    task: str
    title: str
    arguments: dict[str, Any]
    state: State
    attempt: int
    stage: str | None
    fraction: float | None
    detail: str | None
    seconds_left: float | None
    stage_seconds: dict[str, float]
    kept: str | None
    result: dict[str, Any] | None
    error: dict[str, str] | None
    pid: int | None
    host: str | None
    cancel_asked: bool
    asked_by: str
    asked_at: datetime
    started_at: datetime | None
    ended_at: datetime | None
    version: int

    @property
    def open(self) -> bool:
        """Whether it waits or runs."""
        return self.state in OPEN
