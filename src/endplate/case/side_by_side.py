"""Levels worked on side by side: as many as there are threads and memory for, with one progress for all.

A level keeps one core busy with little waiting, while a second core on the same level waits for the first at every
coarse grid: two levels on two cores are done much sooner than one after the other on both.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock
from typing import TypeVar

from endplate.cited import cited
from endplate.numerics.threads import limit_threads, thread_count
from endplate.progress import Progress, Share

T = TypeVar("T")

MEMORY_BYTES = cited(
    1e9, "1", "All levels in work together, half of what a run may take (docs/performance.md)", "design"
)


class StoppedError(Exception):
    """Raised inside a level's work when the run ends early; nobody else sees it."""


class Shares:
    """The progress of levels in work as one: the mean of their fractions, with the name of the one that moved."""

    def __init__(self, tell: Progress, stage: str, names: Sequence[str]) -> None:
        self._tell, self._stage, self._names = tell, stage, names
        self._done, self._lock, self.stopped = [0.0] * len(names), Lock(), Event()

    def of(self, place: int) -> Share:
        """What one level calls with its own fraction."""

        def share(fraction: float) -> None:
            if self.stopped.is_set():
                raise StoppedError
            with self._lock:
                self._done[place] = min(max(fraction, 0.0), 1.0)
                self._tell(self._stage, sum(self._done) / len(self._done), self._names[place])

        return share


def workers_for(levels: int, bytes_each: float) -> int:
    """Levels in work at a time."""
    room = int(MEMORY_BYTES // max(bytes_each, 1.0))
    return max(1, min(levels, room, thread_count()))


def side_by_side(
    work: Callable[[int, Share], T], shares: Shares, count: int, workers: int, sizes: Sequence[float] = ()
) -> list[T]:
    """The answers of work(place, share) for all places, in their order.

    Parameters
    ----------
    work : runs on one of `workers` threads, with an equal part of the threads of kernels.
    shares : progress of all; work that still runs is stopped through it when something fails.
    count : number of places. workers : places in work at a time; one works in the calling thread.
    sizes : work of each place; the largest are begun first, so that no thread waits long for the last. None: in order.
    """
    if workers <= 1:
        return [work(place, shares.of(place)) for place in range(count)]
    part = max(1, thread_count() // workers)
    with ThreadPoolExecutor(workers, "endplate-level", limit_threads, (part,)) as pool:
        order = sorted(range(count), key=lambda place: -sizes[place]) if sizes else range(count)
        waiting = {place: pool.submit(work, place, shares.of(place)) for place in order}
        try:
            return [waiting[place].result() for place in range(count)]
        except BaseException:
            shares.stopped.set()
            pool.shutdown(wait=False, cancel_futures=True)
            raise
