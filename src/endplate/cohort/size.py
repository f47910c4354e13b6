"""How many processes and threads: from the memory and cores of this computer and the measured cost of a case."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endplate.cited import cited
from endplate.cohort.row import CohortRow
from endplate.cohort.settings import CohortSettings
from endplate.cohort.stamp import Stamp
from endplate.errors import OptionError

PROCESS_MB = cited(
    400.0,
    "MB",
    "measured 2026-11: highest memory of assess without mechanics at 1.4 million voxels, docs/cohort.md",
    "design",
)
VOXEL_BYTES = cited(
    20.0, "B", "measured 2026-11: 9 bytes a voxel of an int16 scan, and as much again in reserve, docs/cohort.md",
    "design",
)  # fmt: skip
MECHANICS_MB = cited(
    300.0,
    "MB",
    "measured 2026-11: 106 MB for strength at 1 mm in verse014; larger bodies in reserve, docs/cohort.md",
    "design",
)
REPAIR_MB = cited(1500.0, "MB", "a rehearsal with its members on one level at 1 mm, and a reserve", "design")
USED_SHARE = cited(0.8, "1", "of the memory that is free: the rest is for files in the cache and for others", "design")
LOOKED_AT = 200
"""Scans whose size is looked at; in a larger cohort they are spread over it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Crew:
    """How a cohort is shared out on one computer.

    Parameters
    ----------
    processes : int
        Cases that run at once.
    threads : int
        Cores of each.
    memory_mb : float
        The most that each process may take; one that takes more is ended and its case tried again.
    needed_mb : float
        What a case is thought to take.
    why : str
        In words for a person.
    """

    processes: int
    threads: int
    memory_mb: float
    needed_mb: float
    why: str


def crew_of(
    rows: Sequence[CohortRow],
    settings: CohortSettings,
    past: Iterable[Stamp] = (),
    processes: int | None = None,
    cores: int | None = None,
    memory_mb: float | None = None,
) -> Crew:
    """The crew for these rows; what is given stays as it is.

    One process a core is the quickest where memory allows it, since reading, labels and heights use one core; where it
    does not, each of fewer processes gets several cores for its kernels.

    Raises
    ------
    OptionError : more processes than cores, or less memory than one case takes.
    """
    cores = min(cores or available_cores(), available_cores())
    free = float(USED_SHARE) * available_mb()
    seen = [stamp.rss_mb for stamp in past if stamp.status == "done" and stamp.rss_mb]
    needed = max([cost_mb(largest_voxels(rows), settings), *(1.2 * rss for rss in seen)])
    if processes is not None and not 1 <= processes <= 4 * available_cores():
        what = f"this computer has {available_cores()} cores"
        raise OptionError(f"--workers {processes}", what, f"give 1 to {available_cores()}")
    if memory_mb is not None and memory_mb < float(PROCESS_MB):
        why = f"a process of endplate alone takes {PROCESS_MB:g} MB"
        raise OptionError(f"--memory-mb {memory_mb:g}", why, "give more")
    each = needed if memory_mb is None else memory_mb
    by_memory = max(1, int(free // each))
    count = processes or max(1, min(cores, by_memory, len(rows)))
    why = f"a case takes about {needed:.0f} MB, {free:.0f} MB may be used, {cores} cores"
    return Crew(
        processes=count,
        threads=max(1, cores // count),
        memory_mb=free / count if memory_mb is None else memory_mb,
        needed_mb=needed,
        why=why,
    )


def cost_mb(voxels: int, settings: CohortSettings) -> float:
    """What a case of so many voxels takes at its highest, MB."""
    cost = float(PROCESS_MB) + float(VOXEL_BYTES) * voxels / 1e6
    if settings.step in ("assess", "plan") and settings.plan.assess.mechanics:
        cost += float(MECHANICS_MB)
    if settings.step == "rehearse" or (settings.step == "plan" and settings.plan.repairs):
        cost += float(REPAIR_MB)
    return cost


def largest_voxels(rows: Sequence[CohortRow]) -> int:
    """Voxels of the largest scan or label map among some that are spread over the cohort, from their headers."""
    step = max(1, len(rows) // LOOKED_AT)
    return max((_voxels(row.ct or row.labels) for row in rows[::step]), default=0)


def _voxels(path: Path | None) -> int:
    """Voxels by the header of a NIfTI; a DICOM series by the bytes of its files, two a voxel. 0 where not known."""
    if path is None:
        return 0
    with suppress(Exception):  # whatever is wrong with the file is said when its case is read
        if path.is_dir():
            return sum(file.stat().st_size for file in path.iterdir()) // 2
        if path.name.endswith((".nii", ".nii.gz")):
            import nibabel

            header: Any = nibabel.load(path).header
            return int(math.prod(int(n) for n in header.get_data_shape()[:3]))
        return sum(file.stat().st_size for file in path.parent.iterdir()) // 2
    return 0


def available_cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def available_mb() -> float:
    """Memory that can be had without swapping, MB, a limit of the container respected."""
    import psutil

    free = float(psutil.virtual_memory().available) / 1e6
    with suppress(OSError, ValueError):
        limit = Path("/sys/fs/cgroup/memory.max").read_text().strip()
        if limit != "max":
            free = min(free, int(limit) / 1e6)
    return free
