"""What is done, in lines with the time: on standard error with --verbose, in a file with --log."""

from __future__ import annotations

import logging
import os
import platform
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from endplate import __version__
from endplate.atomic import FILE_MODE
from endplate.cli.options.run import RunOptions
from endplate.cli.terminal import aside, plain
from endplate.errors import OptionError, OutputError
from endplate.progress import Progress

LOGGER = logging.getLogger("endplate")
LINE = "%(asctime)s %(levelname)s %(name)s: %(message)s"
NOISY = ("matplotlib", "numba", "PIL", "fontTools", "asyncio")
"""Libraries whose details nobody asks for."""


@contextmanager
def logged(run: RunOptions) -> Iterator[None]:
    """Send records where they were asked for, meanwhile.

    Raises
    ------
    OptionError : --quiet and --verbose together. OutputError : the file cannot be written.
    """
    if run.quiet and run.verbose:
        raise OptionError("--quiet and --verbose", "one says nothing, the other everything", "leave one out")
    handlers = ([_Aside(logging.INFO)] if run.verbose else []) + ([_file(run.log)] if run.log is not None else [])
    root = logging.getLogger()
    before = root.level
    for handler in handlers:
        handler.setFormatter(_Line(LINE))
        root.addHandler(handler)
    if handlers:
        root.setLevel(logging.INFO)  # of libraries what they think worth saying, of ourselves the details too
        LOGGER.setLevel(logging.DEBUG)
        for name in NOISY:
            logging.getLogger(name).setLevel(logging.WARNING)
    try:
        LOGGER.info("endplate %s, Python %s on %s: %s", __version__, platform.python_version(), platform.platform(),
                    " ".join(sys.argv[1:]))  # fmt: skip
        yield
        LOGGER.info("done")
    except BaseException as error:
        if handlers:  # without any, logging's last resort would say it a second time
            LOGGER.error("ended: %s: %s", type(error).__name__, error)
            LOGGER.debug("where it ended", exc_info=True)
        raise
    finally:
        for handler in handlers:
            root.removeHandler(handler)
            handler.close()
        root.setLevel(before)
        LOGGER.setLevel(logging.NOTSET)


def with_log(tell: Progress) -> Progress:
    """The same progress, each stage and its details recorded once too."""
    stated: set[tuple[str, str]] = set()

    def recorded(stage: str, fraction: float, detail: str) -> None:
        tell(stage, fraction, detail)
        if (stage, detail) not in stated:
            stated.add((stage, detail))
            level = logging.DEBUG if detail and fraction > 0 else logging.INFO
            LOGGER.log(level, "%s%s", stage, f": {detail}" if detail else "")

    return recorded


class _Aside(logging.Handler):
    """Records on standard error, by the one door for text."""

    def emit(self, record: logging.LogRecord) -> None:
        aside(self.format(record))


class _Line(logging.Formatter):
    """A record on one line; a traceback on lines of its own, each cleaned."""

    def format(self, record: logging.LogRecord) -> str:
        return "\n".join(plain(line) for line in super().format(record).split("\n"))


def _file(path: Path) -> logging.Handler:
    """The file, made where it is not there, readable by its owner alone.

    Raises
    ------
    OutputError : it cannot be written.
    """
    try:
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, FILE_MODE))
        handler = logging.FileHandler(path, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        why = error.strerror or str(error)
        raise OutputError(f"the log {path} cannot be written: {why}", "", "name another file") from error
    handler.setLevel(logging.DEBUG)
    return handler
