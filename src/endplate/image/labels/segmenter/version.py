"""Which version of a segmenter is installed: of its Python package, in the environment that its command belongs to."""

from __future__ import annotations

import subprocess
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

ASK_S = 30.0
CODE = "import sys, importlib.metadata as m; print(m.version(sys.argv[1]))"


def version_of(program: str, distribution: str) -> str | None:
    """The version; None where it cannot be found out.

    Parameters
    ----------
    program : path of the command. distribution : name of the package that brings it, or empty.
    """
    if not distribution:
        return None
    interpreter = _interpreter(Path(program))
    if interpreter is not None:
        with suppress(OSError, subprocess.SubprocessError):
            asked = subprocess.run(
                [interpreter, "-I", "-c", CODE, distribution], capture_output=True, text=True, timeout=ASK_S, check=True
            )
            return asked.stdout.strip() or None
    with suppress(PackageNotFoundError):
        return version(distribution)
    return None


def _interpreter(program: Path) -> str | None:
    """The Python that a command is run by, from its first line."""
    with suppress(OSError):
        with program.open("rb") as stream:
            first = stream.readline(512)
        words = first[2:].decode("utf-8", "replace").split() if first.startswith(b"#!") else []
        if words and Path(words[0]).name.startswith("python"):
            return words[0]
    return None
