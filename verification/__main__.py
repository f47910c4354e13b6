"""`python -m verification [area ...]`: print the acceptance table; end non-zero if a check fails."""

from __future__ import annotations

import importlib
import pkgutil
import sys
import time
from collections.abc import Iterator

from rich.console import Console
from rich.table import Table

import verification
from endplate.numerics.threads import one_blas_thread
from verification.check import Check

MARKS = {True: "pass", False: "FAIL", None: "skip"}
OPEN = "open"
"""Rung of a question that no limit is set for: shown with its size, neither passed nor skipped."""


def mark(check: Check) -> str:
    """How a row ended, in a word."""
    return OPEN if check.passed is None and check.rung == OPEN else MARKS[check.passed]


def areas() -> list[str]:
    """Names of all check modules, in order."""
    return sorted(m.name for m in pkgutil.iter_modules(verification.__path__) if m.name.startswith("check_"))


def run(names: list[str], console: Console) -> Iterator[Check]:
    """Run the checks of the named areas, printing each row as it comes."""
    for name in names:
        start = time.perf_counter()
        for check in importlib.import_module(f"verification.{name}").checks():
            seconds, start = time.perf_counter() - start, time.perf_counter()
            console.print(f"{mark(check):4}  {check.number:>5}  {check.title} ({seconds:.1f} s)", markup=False)
            yield check


def table(checks: list[Check]) -> Table:
    """The acceptance table."""
    out = Table(title="Acceptance", show_lines=True, expand=True)
    out.add_column("#", no_wrap=True)
    for heading, ratio in (("check", 4), ("expected", 3), ("got", 4), ("source", 3)):
        out.add_column(heading, ratio=ratio, overflow="fold")
    out.add_column("rung", no_wrap=True)
    out.add_column("", no_wrap=True)
    for c in checks:
        out.add_row(c.number, c.title, c.expected, c.got, c.source, c.rung, mark(c))
    return out


def order(check: Check) -> list[tuple[bool, float | str]]:
    """Sort key: numbers before letters, 2 before 10, 7.2 after 7."""
    return [(not part.isdigit(), float(part) if part.isdigit() else part) for part in check.number.split(".")]


@one_blas_thread()
def main() -> int:
    """Run all areas, or those named on the command line."""
    wanted = sys.argv[1:]
    names = [name for name in areas() if not wanted or name.removeprefix("check_") in wanted]
    if unknown := [w for w in wanted if f"check_{w}" not in areas()]:
        known = ", ".join(name.removeprefix("check_") for name in areas())
        Console(stderr=True).print(f"unknown area {', '.join(unknown)}; known: {known}")
        return 2
    console = Console(width=None if sys.stdout.isatty() else 160)
    checks = sorted(run(names, console), key=order)
    console.print(table(checks))
    failed = [c for c in checks if c.passed is False]
    passed = [c for c in checks if c.passed]
    unanswered = [c for c in checks if mark(c) == OPEN]
    skipped = len(checks) - len(passed) - len(failed) - len(unanswered)
    console.print(f"{len(passed)} passed, {len(failed)} failed, {skipped} skipped, {len(unanswered)} open")
    return 1 if failed or not checks else 0


if __name__ == "__main__":
    sys.exit(main())
