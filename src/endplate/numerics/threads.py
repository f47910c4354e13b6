"""Chunks of a compiled kernel on several threads.

Kernels release the interpreter lock, so plain threads suffice: no second compilation for a parallel form, no threading
layer to choose, and a call from any thread or forked process is safe.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import Any, TypeVar

import scipy.linalg  # noqa: F401 - brings the second BLAS, so that it is there to be limited
from numba import config, get_num_threads, set_num_threads
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

T = TypeVar("T")
R = TypeVar("R")


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Keep BLAS to one thread meanwhile; also a decorator.

    Its matrices are small here. Threads that wait for each other cost thousands of times the work as soon as another
    program wants a core: 10 s instead of 8 ms for the heights of a body.
    """
    with threadpool_limits(limits=1, user_api="blas"):
        yield


def thread_count() -> int:
    """Threads that kernels may use: NUMBA_NUM_THREADS, by default the number of cores."""
    return max(1, int(get_num_threads()))


def limit_threads(count: int) -> None:
    """Let kernels that the calling thread starts use no more threads than `count`."""
    set_num_threads(max(1, min(count, int(config.NUMBA_NUM_THREADS))))  # type: ignore[attr-defined]


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """Helpers beside the calling thread; one pool per process, since threads do not survive a fork."""
    return ThreadPoolExecutor(max_workers=max(1, thread_count() - 1), thread_name_prefix=f"endplate-{process}")


def _run_together(task: Callable[[int, int], None], ranges: Sequence[tuple[int, int]]) -> None:
    """Call task(first, last) for all ranges side by side, the last of them in the calling thread."""
    helpers: list[Future[None]] = [_pool(os.getpid()).submit(task, *r) for r in ranges[:-1]]
    task(*ranges[-1])
    for helper in helpers:
        helper.result()


def run_chunks(task: Callable[[int, int], None], chunk: NDArray[Any]) -> None:
    """Call task(first, last) for all chunks (C + 1,): the even ones side by side, then the odd ones between them."""
    borders = [int(c) for c in chunk]
    if len(borders) <= 2:
        task(borders[0], borders[-1])
        return
    ranges = list(pairwise(borders))
    for batch in (ranges[0::2], ranges[1::2]):
        _run_together(task, batch)


def run_planes(task: Callable[[int, int], None], chunk: NDArray[Any], parallel: bool) -> None:
    """Call task(first, last), which takes every second plane, for all planes (C + 1,): even ones, then odd ones.

    Planes of one parity share no node, so that each gives the same sums whatever thread takes it.
    """
    count = chunk.size - 1
    parts = min(thread_count(), max(count // 2, 1)) if parallel else 1
    for parity in range(2):
        borders = [parity + 2 * (part * ((count + 1) // 2) // parts) for part in range(parts)] + [count]
        _run_together(task, list(pairwise(borders)))


def on_threads(work: Callable[[T], R], items: Sequence[T]) -> list[R]:
    """The answers of work(item) in the order of the items; each on one thread, as many as there may be."""
    count = min(thread_count(), len(items))
    if count <= 1:
        return [work(item) for item in items]
    with ThreadPoolExecutor(count, "endplate-item", limit_threads, (1,)) as pool:
        return list(pool.map(work, items))
