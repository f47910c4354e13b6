"""Chunks of a compiled kernel on several threads.

Kernels release the interpreter lock, so plain threads suffice: no second compilation for a parallel form, no threading
layer to choose, and a call from any thread or forked process is safe.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from functools import cache
from itertools import pairwise
from typing import Any

import scipy.linalg  # noqa: F401 - brings the second BLAS, so that it is there to be limited
from numba import get_num_threads
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits


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


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    """Helpers beside the calling thread; one pool per process, since threads do not survive a fork."""
    return ThreadPoolExecutor(max_workers=max(1, thread_count() - 1), thread_name_prefix=f"endplate-{process}")


def run_chunks(task: Callable[[int, int], None], chunk: NDArray[Any]) -> None:
    """Call task(first, last) for all chunks (C + 1,): the even ones side by side, then the odd ones between them."""
    borders = [int(c) for c in chunk]
    if len(borders) <= 2:
        task(borders[0], borders[-1])
        return
    ranges = list(pairwise(borders))
    for batch in (ranges[0::2], ranges[1::2]):
        helpers: list[Future[None]] = [_pool(os.getpid()).submit(task, *r) for r in batch[:-1]]
        task(*batch[-1])
        for helper in helpers:
            helper.result()
