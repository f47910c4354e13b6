"""The processes of an ensemble end with the one that began them, however it ended."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time

import pytest

PARENT = """
import os, sys, time
from endplate.repair.rehearsal.ensemble import _pool

def busy():
    print(os.getpid(), flush=True)
    time.sleep(300)

if __name__ == "__main__":
    with _pool("a plan", 2) as pool:
        jobs = [pool.submit(busy) for _ in range(2)]
        jobs[0].result()
"""


def alive(number: int) -> bool:
    """Whether a process runs: a dead one that nobody waited for does not."""
    try:
        with open(f"/proc/{number}/stat") as stat:
            return stat.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not os.path.isdir("/proc/self"), reason="needs /proc to see processes")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_parent_leaves_no_process_behind(tmp_path, number) -> None:
    (tmp_path / "parent.py").write_text(PARENT)
    parent = subprocess.Popen([sys.executable, str(tmp_path / "parent.py")], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    children = [int(parent.stdout.readline()) for _ in range(2)]
    assert all(map(alive, children))
    parent.send_signal(number)
    parent.wait(60)
    parent.stdout.close()
    last = time.monotonic() + 60
    while any(map(alive, children)) and time.monotonic() < last:
        time.sleep(0.05)
    left = [child for child in children if alive(child)]
    for child in left:
        os.kill(child, signal.SIGKILL)
    assert not left
