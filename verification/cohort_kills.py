"""`python -m verification.cohort_kills`: a cohort of digital spines whose workers and whose run are killed.

An undisturbed run and one that is killed are made of the same cases. Right is: every row once in both, tables equal
byte for byte, no process left behind. The engine's share of the time and the scans an hour and core are of the
undisturbed run. `make cohort-kills` runs it with 200 cases. A worker is killed every few seconds, and not before some
cases have ended since the last kill: on a busy computer a new worker takes longer than that to begin.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil

COMMAND = [sys.executable, "-m", "endplate", "cohort"]
MEASURED = ["--no-mechanics", "--retries", "50", "--json"]
TABLES = ("findings", "findings.csv")
ENDS_S = 30.0
"""How long the workers of a killed run may take to end."""


def undisturbed(table: Path, out: Path, more: list[str]) -> dict[str, Any]:
    """The answer of a run that nothing disturbs."""
    done = subprocess.run([*COMMAND, str(table), "--out", str(out), *MEASURED, *more], capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(done.stderr.decode(errors="replace"))
    answer: dict[str, Any] = json.loads(done.stdout)["result"]
    return answer


@dataclass(frozen=True, slots=True, kw_only=True)
class Kills:
    """How often is killed: a worker every so many seconds and cases, whichever is later, and the whole run."""

    every_s: float
    every_cases: int
    run: int


def disturbed(table: Path, out: Path, more: list[str], kills: Kills, seed: int) -> dict[str, Any]:
    """The last answer of a run that is killed so many times, and its workers one by one."""
    chance = random.Random(seed)
    total = len(table.read_text().splitlines()) - 1
    report: dict[str, Any] = {"workers_killed": 0, "run_killed": 0, "left_behind": 0}
    while True:
        aim = total * (report["run_killed"] + 1) / (kills.run + 1) if report["run_killed"] < kills.run else None
        answer = _until([str(table), "--out", str(out), *MEASURED, *more], kills, aim, chance, report)
        if answer is not None:
            return report | {"answer": answer}


def _until(
    given: list[str], kills: Kills, aim: float | None, chance: random.Random, report: dict[str, Any]
) -> dict[str, Any] | None:
    """One start of the run: its answer, or None where it was killed at the case it was to be killed at."""
    out = Path(given[2])
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen([*COMMAND, *given], stdout=said, stderr=subprocess.DEVNULL) as process,
    ):
        last, known, before = time.monotonic(), {}, _ended(out)
        while process.poll() is None:
            time.sleep(0.3)
            workers = workers_of(process.pid)
            known |= {worker.pid: worker for worker in workers}
            if aim is not None and _ended(out) >= aim:
                process.send_signal(signal.SIGKILL)
                process.wait()
                report["run_killed"] += 1
                report["left_behind"] += len(psutil.wait_procs(list(known.values()), timeout=ENDS_S)[1])
                return None
            late = time.monotonic() - last > kills.every_s and _ended(out) - before >= kills.every_cases
            if workers and late:
                last, before = time.monotonic(), _ended(out)
                with suppress(psutil.Error):
                    chance.choice(workers).kill()
                    report["workers_killed"] += 1
        said.seek(0)
        answer = json.loads(said.read())
    report["left_behind"] += len(psutil.wait_procs(list(known.values()), timeout=ENDS_S)[1])
    if not answer["ok"]:
        raise RuntimeError(answer["error"]["message"])
    result: dict[str, Any] = answer["result"]
    return result


def workers_of(pid: int) -> list[psutil.Process]:
    """Worker processes that a run has started."""
    found = []
    with suppress(psutil.Error):
        for child in psutil.Process(pid).children(recursive=True):
            with suppress(psutil.Error):
                line = " ".join(child.cmdline())
                # By its command until Dask gives it a title.
                if "spawn_main" in line or line.startswith("dask worker"):
                    found.append(child)
    return found


def _ended(out: Path) -> int:
    return sum(1 for _ in out.glob("cases/*/cohort.json"))


def contents(study: Path) -> dict[str, bytes]:
    """The tables of a study, as bytes by name."""
    found: dict[str, bytes] = {}
    for name in TABLES:
        place = study / name
        for path in sorted(place.iterdir()) if place.is_dir() else [place]:
            found[path.relative_to(study).as_posix()] = path.read_bytes()
    return found


def cases_of(study: Path) -> list[tuple[str, str]]:
    """Case and status of every row of the table of cases."""
    from pyarrow import parquet

    table = parquet.read_table(study / "cases.parquet", columns=["case", "status"]).to_pylist()
    return [(row["case"], row["status"]) for row in table]


def main() -> int:
    """Make the cases, run them both ways, and say what differs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--every-s", type=float, default=8.0, help="seconds between two killed workers")
    parser.add_argument("--every-cases", type=int, default=3, help="cases that end between two killed workers")
    parser.add_argument("--run-kills", type=int, default=5)
    parser.add_argument("--spacing-mm", type=float, default=2.0)
    parser.add_argument("--folder", type=Path, default=None, help="kept there; default a temporary one")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="endplate-cohort-") as temporary:
        return _trial(asked, asked.folder or Path(temporary))


def _trial(asked: argparse.Namespace, folder: Path) -> int:
    from tests.support.small_cohort import write_cohort

    os.environ.setdefault("NUMBA_NUM_THREADS", "1")
    table = folder / "cases" / "cases.csv"
    if not table.exists():
        write_cohort(table.parent, asked.count, asked.spacing_mm)
    more = ["--workers", str(asked.workers), "--truth", str(table.parent / "grades.csv")]
    answer = folder / "calm.json"
    if not answer.exists():  # a trial that is kept in a folder and was stopped goes on behind its undisturbed run
        answer.write_text(json.dumps(undisturbed(table, folder / "calm", more)))
    calm = json.loads(answer.read_text())
    rough = disturbed(
        table, folder / "rough", more,
        Kills(every_s=asked.every_s, every_cases=asked.every_cases, run=asked.run_kills), seed=4711,
    )  # fmt: skip
    same = contents(folder / "calm") == contents(folder / "rough")
    rows = cases_of(folder / "rough")
    once = sorted({name for name, _ in rows}) == sorted(name for name, _ in rows) and len(rows) == asked.count
    whole = all(status == "done" for _, status in rows)
    print(f"cases {asked.count}, workers {asked.workers}")
    print(f"undisturbed: {calm['ran']} run, {calm['failed']} failed, {calm['wall_s']:.0f} s")
    print(f"engine {100 * calm['overhead']:.1f} % of the workers' time, {calm['compute_s'] / calm['ran']:.2f} s a case")
    print(f"{calm['scans_per_hour_core']:.0f} scans an hour and core")
    print(f"killed: workers {rough['workers_killed']} times, the run {rough['run_killed']} times")
    print(f"processes left behind: {rough['left_behind']}")
    print(f"each row once: {once}; all done: {whole}; tables equal byte for byte: {same}")
    agreed = calm["agreement"]
    print(f"kappa {agreed['kappa']['value']}, sensitivity {agreed['sensitivity']['value']}, "
          f"specificity {agreed['specificity']['value']}, without a grade {agreed['silent']}")  # fmt: skip
    growth = memory_growth(calm["rss_mb"])
    print(f"memory of the workers, last third over first third of the cases: {growth:+.1f} MB")
    return 0 if once and whole and same and not rough["left_behind"] else 1


def memory_growth(rss_mb: list[float]) -> float:
    """Median memory at the end of the last third of the cases minus that of the second sixth, MB.

    The first cases are left out: libraries and kernels are loaded in them.
    """
    from statistics import median

    count = len(rss_mb)
    return median(rss_mb[-(count // 3) :]) - median(rss_mb[count // 6 : count // 3 + 1])


if __name__ == "__main__":
    sys.exit(main())
