"""A program run to its end, its lines passed on; it never outlives this process, however that ends."""

from __future__ import annotations

import subprocess
import sys
from collections import deque
from collections.abc import Callable, Sequence
from pathlib import Path

from endplate.errors import LabelError
from endplate.image.labels.segmenter import guard

LAST_LINES = 3


def run_program(command: Sequence[str], title: str, progress: Callable[[str], None]) -> None:
    """Run a command line to its end.

    Raises
    ------
    LabelError : it failed, with its last lines.
    """
    last: deque[str] = deque(maxlen=LAST_LINES)
    guarded = [sys.executable, "-I", "-S", str(Path(guard.__file__)), *command]
    with subprocess.Popen(
        guarded,
        stdin=subprocess.PIPE,  # kept open: its end is the sign that this process has ended
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        start_new_session=True,
    ) as process:
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
    if process.returncode:
        said = f": {' / '.join(last)}" if last else ""
        raise LabelError(f"{title} failed with code {process.returncode}{said}", "", "run it by hand to see why")
