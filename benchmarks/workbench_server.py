"""The server of the workbench for a benchmark: on loopback, on a port that the system chooses."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """The address of `endplate serve` on a folder, with its token."""
    command = [sys.executable, "-m", "endplate", "serve", "--no-browser", "--port", "0", "--data", str(folder)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    try:
        assert process.stdout is not None  # noqa: S101
        found = re.search(r"http\S+", process.stdout.readline())
        if found is None:
            raise RuntimeError("endplate serve did not start")
        yield found[0]
    finally:
        process.terminate()
        process.wait(20)
