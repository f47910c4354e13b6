"""Run a program that ends when its parent does, whatever ends the parent. Started as a script, free of endplate.

The parent keeps the other end of the standard input open; when that closes, the program and all that it started are
killed. Should this process itself be killed, the kernel kills the program (Linux).
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

PR_SET_PDEATHSIG = 1


def _die_with_parent() -> None:
    """In the new process: ask the kernel to end it with this one."""
    with suppress(Exception):  # not Linux
        import ctypes

        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _kill_group(group: int) -> None:
    with suppress(OSError):
        os.killpg(group, signal.SIGKILL)


def main() -> int:
    """Run the command line; returns its exit code as a shell would."""
    try:
        # Safe here: no other thread exists yet.
        child = subprocess.Popen(sys.argv[1:], stdin=subprocess.DEVNULL, process_group=0, preexec_fn=_die_with_parent)
    except OSError as error:
        sys.stderr.write(f"{sys.argv[1]}: {error.strerror}\n")
        return 127

    def watch() -> None:
        while os.read(0, 1024):
            pass
        _kill_group(child.pid)  # `wait` below then returns

    threading.Thread(target=watch, daemon=True).start()
    code = child.wait()
    _kill_group(child.pid)  # what it left running in its group
    return code if code >= 0 else 128 - code


if __name__ == "__main__":
    sys.exit(main())
