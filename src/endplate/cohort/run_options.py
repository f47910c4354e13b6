"""How a cohort is run: where, on how much of the machine, and over which of its cases."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class CohortRun:
    """How a cohort is run.

    Parameters
    ----------
    scheduler : str, optional
        Address of a Dask scheduler; without it the computer's own cores are used.
    workers : int, optional
        Processes on this computer; chosen by its memory and the cost of a case when left out.
    cores : int, optional
        Cores to use in all; every one when left out.
    memory_mb : float, optional
        The most that a process may take.
    retries : int, default 3
        How often a case is tried again after a fault that is not of its inputs.
    only_failed : bool, default False
        Run the cases again that failed, and no others.
    sample : int, optional
        So many cases at random. seed : of that choice, and of the contact sheet.
    thumbnails : int, default 400
        The most pictures on the contact sheet.
    truth : Path, optional
        The table of an expert.
    verbose : bool, default False
        Let Dask's own messages through.
    """

    scheduler: str | None = None
    workers: int | None = None
    cores: int | None = None
    memory_mb: float | None = None
    retries: int = 3
    only_failed: bool = False
    sample: int | None = None
    seed: int = 0
    thumbnails: int = 400
    truth: Path | None = None
    verbose: bool = False
