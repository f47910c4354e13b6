"""How a command ends: exit codes, the one JSON shape, the one-line error, and an interrupt that leaves no debris.

Every `--json` answer is {"ok", "version", "result", "error"}; of the last two exactly one is null.
"""

from __future__ import annotations

import os
import re
import signal
import sys
import threading
from collections.abc import Callable
from types import FrameType
from typing import Any

from endplate import __version__
from endplate.cli.log import logged
from endplate.cli.options.run import RunOptions
from endplate.cli.progress import Drawn
from endplate.cli.terminal import LONGEST, aside, guard_streams, plain, say_json
from endplate.errors import EndplateError, OptionError

DONE, OUR_FAULT, BAD_INPUT, INTERRUPTED, TERMINATED = 0, 1, 2, 130, 143
DEBUG = "ENDPLATE_DEBUG"
THREAD_VARIABLES = ("NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "ITK_GLOBAL_DEFAULT_NUMBER_OF_THREADS")


class Output:
    """What a command may say: results as JSON or for people, and how progress is told."""

    def __init__(self, *, json: bool, quiet: bool, verbose: bool = False) -> None:
        self.json, self.quiet, self.verbose = json, quiet, verbose

    @property
    def for_people(self) -> bool:
        """Whether a summary for people is wanted on standard output."""
        return not (self.json or self.quiet)

    @property
    def progress(self) -> Drawn:
        """How progress is told on standard error: bars to a terminal, lines to a log, nothing to a program."""
        if self.quiet or self.verbose:  # a record of each stage is written there
            return "nothing"
        return "bars" if sys.stderr.isatty() else "nothing" if self.json else "lines"


def answer(work: Callable[[Output], dict[str, Any]], run: RunOptions) -> int:
    """Run a command's work and print its result as JSON when asked; errors are left to `guarded`."""
    _limit_threads(run.threads)
    with logged(run):
        result = work(Output(json=run.json, quiet=run.quiet, verbose=run.verbose))
    if run.json:
        say_json({"ok": True, "version": __version__, "result": result, "error": None})
    return DONE


def guarded(command: Callable[[], int | None], *, as_json: bool) -> int:
    """Run a command and turn whatever it raises into an exit code and one line (or one JSON object)."""
    from cyclopts import CycloptsError

    _terminate_like_interrupt()
    guard_streams()
    try:
        return _closed_pipe_is_no_error(command)
    except KeyboardInterrupt:
        return _fail("interrupted", INTERRUPTED, "interrupted; nothing was left half-written", as_json)
    except CycloptsError as error:
        return _fail("OptionError", BAD_INPUT, f"{_of_options(error)} (see: endplate --help)", as_json)
    except EndplateError as error:
        parts = {"what": error.what, "why": error.why, "fix": error.fix}
        return _fail(type(error).__name__, error.exit_code, str(error), as_json, parts)
    except OSError as error:
        if os.environ.get(DEBUG):
            raise
        return _fail("OutputError" if _full(error) else "InputError", BAD_INPUT, _of_the_system(error), as_json)
    except MemoryError:
        message = "out of memory: use a larger --voxel-mm, fewer levels, or a computer with more memory"
        return _fail("MemoryError", OUR_FAULT, message, as_json)
    except Exception as error:
        if os.environ.get(DEBUG):
            raise
        message = f"endplate met a fault of its own: {type(error).__name__}: {_one_line(error)}"
        hint = f"Set {DEBUG}=1 and run again for the full traceback to report"
        return _fail("InternalError", OUR_FAULT, f"{message}. {hint}.", as_json)


def _closed_pipe_is_no_error(command: Callable[[], int | None]) -> int:
    """`endplate info | head` must not end in a complaint."""
    try:
        code = command()
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return DONE
    return code or DONE


def _fail(kind: str, code: int, message: str, as_json: bool, parts: dict[str, str] | None = None) -> int:
    message = plain(message, LONGEST)
    if as_json:
        error = {"kind": kind, "exit_code": code, "message": message, "what": message, "why": "", "fix": ""}
        error |= {name: plain(part, LONGEST) for name, part in (parts or {}).items()}
        say_json({"ok": False, "version": __version__, "result": None, "error": error})
    aside(f"endplate: {message}", most=None)
    return code


def _full(error: OSError) -> bool:
    return error.errno in (28, 122)


def _of_the_system(error: OSError) -> str:
    """What the operating system refused: a path too long, no permission, a full disk."""
    place = f" {os.fsdecode(error.filename)}" if isinstance(error.filename, str | bytes) and error.filename else ""
    fix = "free some space" if _full(error) else "check the path and its permissions"
    return f"cannot use{place or ' what was given'}: {error.strerror or _one_line(error)}; {fix}."


OPTION_KINDS = {"float": "a number", "int": "a whole number", "date": "a day such as 2026-05-31", "bool": "yes or no"}
UNCONVERTED = re.compile(r'Invalid value for ([^:]+): unable to convert ("[^"]*") into (\w+)\.')
UNGIVEN = re.compile(r'Command "([^"]+)" parameter (\S+) requires an argument\.')


def _of_options(error: BaseException) -> str:
    """What is wrong with options, in our words where the parser speaks of its own types."""
    said = _one_line(error)
    if found := UNCONVERTED.fullmatch(said):
        return f"{found[1]} is {found[2]}, but should be {OPTION_KINDS.get(found[3], 'of another form')}."
    if found := UNGIVEN.fullmatch(said):
        return f"`endplate {found[1]}` needs {found[2]} with a value."
    return said


def _one_line(error: BaseException) -> str:
    return " ".join(str(error).split())


def _limit_threads(threads: int | None) -> None:
    """Tell the numerical libraries how many threads to use; they read it when they are first imported."""
    if threads is None:
        return
    available = os.cpu_count() or 1
    if not 1 <= threads <= available:
        raise OptionError(f"--threads {threads}", "", f"give a number from 1 to {available}")
    for name in THREAD_VARIABLES:
        os.environ[name] = str(threads)


def _terminate_like_interrupt() -> None:
    """A polite kill unwinds like Ctrl-C, so that hidden partial folders are removed."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise SystemExit(TERMINATED)

    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, stop)
