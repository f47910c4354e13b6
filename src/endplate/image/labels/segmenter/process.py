"""A program run to its end, its lines passed on; it never outlives this process, however that ends."""

from __future__ import annotations

import subprocess
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from endplate.errors import LabelError
from endplate.image.labels.segmenter import guard

LAST_LINES = 3


def run_program(
    command: Sequence[str], title: str, progress: Callable[[str], None], longest_s: float | None = None
) -> None:
    """Run a command line to its end.

    Parameters
    ----------
    command : sequence of str
        Its words.
    title : str
        How the program is named to people.
    progress : callable
        Called with each line that it prints.
    longest_s : float, optional
        Seconds after which it is ended.

    Raises
    ------
    LabelError : it failed, with its last lines, or ran too long.
    """
    last: deque[str] = deque(maxlen=LAST_LINES)
    guarded = [sys.executable, "-I", "-S", str(Path(guard.__file__)), *command]
    with (
        subprocess.Popen(
            guarded,
            stdin=subprocess.PIPE,  # kept open: its end is the sign that this process has ended
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
        ) as process,
        _ended_after(longest_s, process) as late,
    ):
        try:
            for line in process.stdout or ():
                if text := line.strip():
                    last.append(text)
                    progress(text)
        except BaseException:  # an interrupt must not leave a segmentation running
            if process.stdin:
                process.stdin.close()
            process.wait()
            raise
    if late.is_set():
        raise LabelError(f"{title} was ended after {longest_s:g} s", "", "run it by hand to see why")
    if process.returncode:
        said = f": {' / '.join(last)}" if last else ""
        raise LabelError(f"{title} failed with code {process.returncode}{said}", "", "run it by hand to see why")


@contextmanager
def _ended_after(seconds: float | None, process: subprocess.Popen[str]) -> Iterator[threading.Event]:
    """End a guarded program that runs longer; the event says that it did."""
    late = threading.Event()

    def end() -> None:
        late.set()
        with suppress(OSError):
            if process.stdin:
                process.stdin.close()

    if seconds is None:
        yield late
        return
    timer = threading.Timer(seconds, end)
    timer.daemon = True
    timer.start()
    try:
        yield late
    finally:
        timer.cancel()
