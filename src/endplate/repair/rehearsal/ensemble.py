"""Many runs side by side in processes of their own: one thread each, stopped together, and none lost in silence."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from multiprocessing import get_context, parent_process

import numpy as np

from endplate.anatomy.vertebra import Vertebra
from endplate.cited import cited
from endplate.errors import EndplateError
from endplate.image.volume import Grid, Volume
from endplate.numerics.threads import thread_count
from endplate.repair.access.access_result import Access, Procedure
from endplate.repair.rehearsal.design import ParameterSet
from endplate.repair.rehearsal.effects import Run, as_numbers
from endplate.repair.rehearsal.rehearsal_input import RehearsalInput, prepare_bone
from endplate.repair.rehearsal.run_settings import RunSettings
from endplate.repair.rehearsal.single_run import run_once

THREAD_VARIABLES = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
PARENT_GONE = 1
STOPPING = frozenset({signal.SIGINT, signal.SIGTERM})
MARGIN_VOXELS = cited(8, "voxel", "Scan kept round the vertebrae: beyond the reach of any smoothing", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class EnsemblePlan:
    """What every member shares: the scene, what is chosen, and the needle paths."""

    scene: RehearsalInput
    settings: RunSettings
    accesses: Mapping[Procedure, Access]


@dataclass(frozen=True, slots=True, kw_only=True)
class EnsembleMember:
    """Results of one member; `reason` says what ended early or found no equilibrium, or why there is nothing.

    A procedure that did so has no results here: where its solver gave up is no bound of what the bone does.
    """

    results: Run | None
    reason: str = ""


def run_members(
    plan: EnsemblePlan,
    draws: Sequence[ParameterSet],
    progress: Callable[[float, str], None],
    processes: int | None = None,
) -> list[EnsembleMember]:
    """Every draw on the plan, in processes; the order of the answers is that of the draws.

    Parameters
    ----------
    progress : called with the fraction done and a count in words. processes : None takes as many as there are threads.
        With one, the members run here.

    Raises
    ------
    KeyboardInterrupt, SystemExit : passed on when the work is stopped; no process is left behind.
    """
    count = min(processes or thread_count(), max(1, len(draws)))
    plan = replace(plan, scene=cropped(plan.scene))
    answers: list[EnsembleMember | None] = [None] * len(draws)
    progress(0.0, f"0 of {len(draws)}")
    if count == 1:
        for place, draw in enumerate(draws):
            answers[place] = one_member(plan, draw)
            progress((place + 1) / len(draws), f"{place + 1} of {len(draws)}")
    else:
        with _pool(plan, count) as pool:
            with _signals_wait():
                pending = {pool.submit(_work, draw): place for place, draw in enumerate(draws)}
            for ended in _as_they_end(set(pending)):
                answers[pending[ended]] = _answer(ended)
                done = sum(answer is not None for answer in answers)
                progress(done / len(draws), f"{done} of {len(draws)}")
    return [answer or EnsembleMember(results=None, reason="it never began") for answer in answers]


def one_member(plan: EnsemblePlan, draw: ParameterSet) -> EnsembleMember:
    """One member; what cannot be computed is a reason, never an exception, so that the others go on."""
    try:
        prepared = prepare_bone(plan.scene, plan.settings.voxel_mm, draw)
        ended = run_once(plan.scene, plan.settings, draw, prepared, plan.accesses)
    except EndplateError as error:
        return EnsembleMember(results=None, reason=str(error))
    early = {
        done.procedure: "; ".join(filter(None, (done.unconverged, done.stopped)))
        for done in (ended.before, *ended.done.values())
    }
    whole = [done for name, done in ended.done.items() if not early[name]]
    reasons = [f"{name}: {reason}" for name, reason in early.items() if reason]
    return EnsembleMember(results=as_numbers(ended.before, whole, plan.scene.loads_n), reason="; ".join(reasons))


def cropped(scene: RehearsalInput) -> RehearsalInput:
    """The scene with the scan cut to the level and its neighbours: what is sent to a process is small."""
    vertebrae, level = scene.spine.vertebrae, scene.vertebra.level
    place = next((n for n, vertebra in enumerate(vertebrae) if vertebra.level is level), 0)
    return replace(scene, volume=_around(scene.volume, vertebrae[max(0, place - 1) : place + 2] or (scene.vertebra,)))


def _around(volume: Volume, vertebrae: Sequence[Vertebra]) -> Volume:
    """The part of the scan that holds these vertebrae and a margin."""
    ends = np.concatenate([volume.grid.to_index(_corners(vertebra.grid)) for vertebra in vertebrae])
    low = np.clip(np.floor(ends.min(axis=0)).astype(int) - int(MARGIN_VOXELS), 0, volume.grid.shape)
    high = np.clip(np.ceil(ends.max(axis=0)).astype(int) + 1 + int(MARGIN_VOXELS), 0, volume.grid.shape)
    box = tuple(slice(a, b) for a, b in zip(low, high, strict=True))
    return Volume(grid=volume.grid.crop(low, high), hu=volume.hu[box].copy(), series=volume.series)


def _corners(grid: Grid) -> np.ndarray:
    ends = np.array([[i, j, k] for i in (0, 1) for j in (0, 1) for k in (0, 1)]) * (np.array(grid.shape) - 1)
    return grid.to_mm(ends)


_PLAN: list[EnsemblePlan] = []
"""The plan of this process: sent once, when the process begins."""


def _begin(plan: EnsemblePlan) -> None:
    """In a new process: Ctrl-C is the parent's to handle, it ends when its parent ends, and the plan is kept."""
    end_with_parent()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    if hasattr(signal, "pthread_sigmask"):
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPPING)
    _PLAN.append(plan)


def end_with_parent() -> None:
    """End this process as soon as the one that began it is gone, however that ended: nobody would take its results.

    A thread waits for the other end of a pipe that only the parent holds, which every system closes for the dead.
    """
    parent = parent_process()
    if parent is None:
        return

    def watch() -> None:
        parent.join()
        os._exit(PARENT_GONE)

    threading.Thread(target=watch, daemon=True, name="parent-watch").start()


@contextmanager
def _signals_wait() -> Iterator[None]:
    """Ctrl-C and a polite kill wait until the processes have begun, so that none is left half-started.

    They are kept by a handler, since any thread may receive them; and blocked, since a new process inherits that: a
    Ctrl-C that reaches the whole group finds it deaf from its first moment.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(signal, "pthread_sigmask"):
        yield
        return
    came: list[int] = []
    handlers = {number: signal.signal(number, lambda n, frame: came.append(n)) for number in STOPPING}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, STOPPING)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for number, handler in handlers.items():
            signal.signal(number, handler)
    for arrived in came:
        signal.raise_signal(arrived)


def _work(draw: ParameterSet) -> EnsembleMember:
    return one_member(_PLAN[-1], draw)


def _answer(ended: Future[EnsembleMember]) -> EnsembleMember:
    """What a process answered; a fault of ours or a killed process is named like any other failure."""
    error = ended.exception()
    if error is None:
        return ended.result()
    return EnsembleMember(results=None, reason=f"{type(error).__name__}: {' '.join(str(error).split())}")


def _as_they_end(pending: set[Future[EnsembleMember]]) -> Iterator[Future[EnsembleMember]]:
    while pending:
        ended, pending = wait(pending, return_when=FIRST_COMPLETED)
        yield from ended


@contextmanager
def _pool(plan: EnsemblePlan, count: int) -> Iterator[ProcessPoolExecutor]:
    """Processes with one thread each; whatever ends the work early ends them too."""
    before = {name: os.environ.get(name) for name in THREAD_VARIABLES}
    os.environ.update(dict.fromkeys(THREAD_VARIABLES, "1"))
    pool = ProcessPoolExecutor(count, mp_context=get_context("spawn"), initializer=_begin, initargs=(plan,))
    try:
        yield pool
        pool.shutdown()
    except BaseException:
        running = list((getattr(pool, "_processes", None) or {}).values())
        pool.shutdown(wait=False, cancel_futures=True)
        for process in running:
            process.kill()
            process.join()
        raise
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
