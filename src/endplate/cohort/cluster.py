"""The workers: a cluster of this computer, or one that others run; and the check that they are of our version."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from endplate.cohort.extra import needs
from endplate.cohort.size import Crew
from endplate.errors import InputError, OptionError
from endplate.version import __version__

CONNECT_S = 10.0
STARTS = 5
WATCH_S = 2.0
LOOPBACK = "127.0.0.1"
THREAD_VARIABLES = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")


class SchedulerError(InputError):
    """A scheduler cannot be reached, or its workers cannot be used."""


@contextmanager
def local_cluster(crew: Crew, retries: int, *, verbose: bool = False) -> Iterator[Any]:
    """A client of a cluster of this computer, which ends with it.

    One case at a time a process; a process that takes more than its memory is ended and started again by Dask's nanny.
    Scheduler and dashboard listen on this computer alone.
    """
    dask = needs("dask")
    needs("distributed")
    level = "info" if verbose else "critical"
    changes = {
        "logging": dict.fromkeys(
            ("distributed", "distributed.client", "bokeh", "tornado", "tornado.application"), level
        ),
        # A case that ends its process so often is given up, and no case waits in the queue of a process.
        "distributed.scheduler.allowed-failures": retries,
        "distributed.scheduler.worker-saturation": 1.0,
        "distributed.worker.daemon": True,
        # Its history of call stacks, an hour long, was all that grew in a worker: 74 kB a second.
        "distributed.worker.profile.enabled": False,
    }
    with dask.config.set(changes):
        from distributed import Client

        if not verbose:
            for name in ("distributed", "tornado", "bokeh", "asyncio"):
                logging.getLogger(name).setLevel(logging.CRITICAL)
        cluster = _started(crew, verbose=verbose)
        try:
            with Client(cluster) as client, _kept_full(cluster, crew.processes):
                yield client
        finally:
            cluster.close()


def _started(crew: Crew, *, verbose: bool) -> Any:
    """The cluster; tried again where a process was killed while it started.

    Raises
    ------
    SchedulerError : its processes do not start.
    """
    from distributed import LocalCluster

    # MALLOC_TRIM_THRESHOLD_: memory that a case has left goes back to the system.
    environment = {name: str(crew.threads) for name in THREAD_VARIABLES} | {"MALLOC_TRIM_THRESHOLD_": "65536"}
    for last in range(STARTS):
        try:
            return LocalCluster(
                n_workers=crew.processes,
                threads_per_worker=1,
                processes=True,
                memory_limit=int(crew.memory_mb * 1e6),
                host=LOOPBACK,
                dashboard_address=f"{LOOPBACK}:0",
                silence_logs=logging.INFO if verbose else logging.CRITICAL,
                env=environment,
            )
        except (RuntimeError, TimeoutError) as error:
            if last == STARTS - 1:
                why = f"tried {STARTS} times: {error}"
                raise SchedulerError("the worker processes do not start", why, "see what ends them") from error
    raise AssertionError


@contextmanager
def _kept_full(cluster: Any, count: int) -> Iterator[None]:
    """Replace processes whose nanny has given up, as it does where they are killed again while they start."""
    from distributed import Status

    over = threading.Event()

    def watch() -> None:
        while not over.wait(WATCH_S):
            gone = [name for name, one in list(cluster.workers.items()) if one.status in (Status.closed, Status.failed)]
            for name in gone:
                cluster.workers.pop(name, None)
            if len(cluster.workers) < count and cluster.status == Status.running:
                cluster.scale(count)

    watcher = threading.Thread(target=watch, name="endplate-workers", daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


@contextmanager
def given_cluster(address: str, *, verbose: bool = False) -> Iterator[Any]:
    """A client of a scheduler that others run.

    Raises
    ------
    SchedulerError : it cannot be reached, has no workers, or workers without this version of endplate.
    """
    needs("distributed")
    from distributed import Client

    if not verbose:
        for name in ("distributed", "tornado", "asyncio"):
            logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=CONNECT_S)
    except ValueError as error:
        raise OptionError(f"--scheduler {address}", str(error), "give it as tcp://HOST:PORT") from error
    except (OSError, TimeoutError) as error:
        raise SchedulerError(
            f"the scheduler {address} cannot be reached", f"no answer in {CONNECT_S:g} s",
            "start it, or leave --scheduler out to use this computer",
        ) from error  # fmt: skip
    try:
        check_workers(client, address)
        yield client
    finally:
        client.close()


def check_workers(client: Any, address: str) -> None:
    """Refuse a cluster without workers, or with one of another version.

    Raises
    ------
    SchedulerError
    """
    import pydoc

    # A function of Python itself, so that workers without endplate can answer too.
    try:
        found = client.run(pydoc.locate, "endplate.version.__version__", on_error="return")
    except Exception as error:
        raise SchedulerError(f"the workers of {address} do not answer", str(error), "start them again") from error
    if not found:
        raise SchedulerError(f"the scheduler {address} has no workers", "", "start them, then run again")
    strangers = {place: version for place, version in found.items() if version != __version__}
    if strangers:
        place, version = next(iter(sorted(strangers.items())))
        have = f"endplate {version}" if isinstance(version, str) else "no endplate"
        raise SchedulerError(
            f"{len(strangers)} of {len(found)} workers of {address} cannot be used: {place} has {have}, "
            f"this is {__version__}",
            "results of two versions would be mixed",
            "install the same version on every worker",
        )
