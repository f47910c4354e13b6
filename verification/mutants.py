"""`python -m verification.mutants`: the share of made-up faults in the rules that the tests notice, from a sample.

Every fault (a mutant: a sign turned, a number moved, a word changed) of `decision/` is made by mutmut in a clean copy
of the checkout. A run of all takes most of a day, so that a random sample is tried, the same one for the same seed,
and the share that the tests notice is given with its 95 % interval (Wilson 1927).
"""

from __future__ import annotations

import argparse
import filecmp
import json
import os
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path
from random import Random

from scipy.stats import binomtest

NONE_SUCH = "no such mutant"
"""A name that matches no mutant: mutmut then makes them all, times the tests, and stops."""
META = "*.py.meta"
SURVIVED, UNTESTED = (0,), (5, 33)
"""Exit codes by which mutmut says that a mutant passed its tests, or that no test reaches it."""
INTERRUPTED = (None, 2, 34)


def main(argv: list[str] | None = None) -> int:
    """Make the mutants, try a sample, print the share that was noticed and those that were not."""
    parser = argparse.ArgumentParser(prog="python -m verification.mutants", description=__doc__)
    parser.add_argument("--sample", type=int, default=400, help="mutants tried")
    parser.add_argument("--seed", type=int, default=4711, help="of the draw")
    parser.add_argument("--folder", type=Path, default=Path("build/mutants"), help="of the clean copy")
    given = parser.parse_args(argv)
    if copy_checkout(given.folder):
        mutmut(given.folder, NONE_SUCH)
    names = sorted(results(given.folder))
    Random(given.seed).shuffle(names)
    chosen = names[: given.sample]
    found = results(given.folder)
    # A larger sample of the same seed holds the smaller one, whose results stand.
    if untried := [name for name in chosen if found[name] in INTERRUPTED]:
        mutmut(given.folder, *untried)
        found = results(given.folder)
    print(summary({name: found[name] for name in chosen}, len(names), given.seed))
    return 0


def copy_checkout(folder: Path) -> bool:
    """Bring the tracked files into a folder of their own; whether anything differed, and with it every result."""
    listed = subprocess.run(["git", "ls-files", "-z"], check=True, capture_output=True, text=True).stdout
    names = [name for name in filter(None, listed.split("\0")) if Path(name).is_file()]
    if not [name for name in names if not _same(Path(name), folder / name)]:
        return False
    if folder.exists():
        shutil.rmtree(folder)
    for name in names:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(name, folder / name)
    return True


def _same(one: Path, other: Path) -> bool:
    return other.is_file() and filecmp.cmp(one, other, shallow=False)


def mutmut(folder: Path, *names: str) -> None:
    """One run of mutmut, one test process at a time; what it says goes to `mutmut.log` in the folder."""
    program = Path(sys.executable).with_name("mutmut")
    # Mutants are forked by the hundred: two threads of a library in each would fight for the cores.
    plain = {"PYTHONPATH": "", "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"}
    with (folder / "mutmut.log").open("a", encoding="utf-8") as log:
        done = subprocess.run([program, "run", "--max-children", "1", *names], cwd=folder, stdout=log,
                              stderr=subprocess.STDOUT, env=os.environ | plain, check=False)  # fmt: skip
    if done.returncode and names != (NONE_SUCH,):
        raise SystemExit(f"mutmut ended with {done.returncode}; see {folder / 'mutmut.log'}")


def results(folder: Path) -> dict[str, int | None]:
    """The exit code of every mutant by name; None where it was not tried."""
    found: dict[str, int | None] = {}
    for path in sorted((folder / "mutants").rglob(META)):
        found |= json.loads(path.read_text(encoding="utf-8"))["exit_code_by_key"]
    if not found:
        raise SystemExit(f"mutmut made no mutant; see {folder / 'mutmut.log'}")
    return found


def summary(tried: dict[str, int | None], total: int, seed: int) -> str:
    """Survivors by name, then the share that was noticed with its interval."""
    valid = {name: code for name, code in tried.items() if code not in INTERRUPTED}
    missed = {name: code for name, code in valid.items() if code in SURVIVED + UNTESTED}
    killed, size = len(valid) - len(missed), len(valid)
    if not size:
        raise SystemExit("no mutant was tried")
    interval = binomtest(killed, size).proportion_ci(0.95, method="wilson")
    kinds = Counter("not reached by a test" if code in UNTESTED else "survived" for code in missed.values())
    lines = [f"  {'untested' if code in UNTESTED else 'survived'}: {name}" for name, code in sorted(missed.items())]
    lines += [
        f"mutants of src/endplate/decision: {total}; sample of {len(tried)} with seed {seed}, {size} tried",
        f"noticed: {killed} of {size}, {100 * killed / size:.1f} % "
        f"(95 % interval {100 * interval.low:.1f} to {100 * interval.high:.1f} %, Wilson)",
        "; ".join(f"{words}: {count}" for words, count in kinds.items()),
    ]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
