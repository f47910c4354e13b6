"""Forced faults: the n-th rename fails, is interrupted, or is the last thing that the process does."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from endplate.report.manifest import HIDDEN

Fault = Callable[[], None]
RENAMES = ("rename", "replace")


def disk_error() -> None:
    raise OSError(5, "Input/output error")


def interrupt() -> None:
    raise KeyboardInterrupt


def killed() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


@contextmanager
def fault_at(turn: int, fault: Fault, *, for_good: bool = False, after: bool = False) -> Iterator[list[int]]:
    """Let the rename of a turn fail (and all later ones `for_good`), before or after it is done; counts the renames."""
    count = [0]
    usual = {name: getattr(os, name) for name in RENAMES}

    def wrapped(name: str) -> Callable[..., None]:
        def rename(source: object, target: object, **more: object) -> None:
            now, count[0] = count[0], count[0] + 1
            strikes = now >= turn if for_good else now == turn
            if strikes and not after:
                fault()
            usual[name](source, target, **more)
            if strikes and after:
                fault()

        return rename

    try:
        for name in RENAMES:
            setattr(os, name, wrapped(name))
        yield count
    finally:
        for name in RENAMES:
            setattr(os, name, usual[name])


def tree(folder: Path) -> dict[str, bytes]:
    """Every file of a folder with its content; folders by their name alone."""
    return {
        str(path.relative_to(folder)): path.read_bytes() if path.is_file() else b"<folder>"
        for path in sorted(folder.rglob("*"))
    }


def left_over(folder: Path) -> list[str]:
    """Hidden folders and temporary files that a run left behind."""
    return [path.name for path in folder.rglob(".*") if path.name.startswith((HIDDEN, ".writing-"))]


def in_child(work: Callable[[], object]) -> int:
    """Run work in a forked process; returns how it ended, as `os.waitstatus_to_exitcode` tells it."""
    child = os.fork()
    if child == 0:
        code = 99
        try:
            code = int(bool(work()))
        finally:
            os._exit(code)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
