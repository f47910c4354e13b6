"""What can be done as a job, by name. A task is a function of a `JobContext`; what it returns is kept with the job."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any

from endplate.errors import EndplateError
from endplate.jobs.context import JobContext

Task = Callable[[JobContext], dict[str, Any]]

TASKS: dict[str, str] = {
    "intake": "endplate.jobs.intake:intake",
    "measure": "endplate.jobs.measure:measure",
    "export": "endplate.jobs.export:export",
    "view": "endplate.jobs.view:view",
    "rehearse": "endplate.jobs.rehearse:rehearse",
    "rehearsal_report": "endplate.jobs.rehearsal_report:rehearsal_report",
    "weigh": "endplate.jobs.weigh:weigh_again",
}
"""Name to module and function; imported by the worker alone, so that the server stays light."""


def task_of(name: str) -> Task:
    """The function of a task.

    Raises
    ------
    EndplateError : no task has this name.
    """
    place = TASKS.get(name)
    if place is None:
        raise EndplateError(f"there is no task {name!r}", "a newer endplate asked for it", "use one version everywhere")
    module, function = place.split(":")
    task: Task = getattr(import_module(module), function)
    return task
