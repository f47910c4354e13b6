"""`python -m benchmarks [name ...]`: run the benchmarks, print a table, write `benchmarks/results/latest.json`."""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import platform
import sys
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

import benchmarks
import endplate
from endplate.numerics.threads import one_blas_thread

RESULTS = Path(__file__).parent / "results" / "latest.json"


def names() -> list[str]:
    """All benchmark modules: those that offer `rows()`."""
    return sorted(m.name for m in pkgutil.iter_modules(benchmarks.__path__) if not m.name.startswith("_"))


def table(rows: list[dict[str, Any]]) -> Table:
    """Rows as a table: times in seconds, ratio peer / ours."""
    out = Table(title="Benchmarks (ratio = peer / ours)", expand=True)
    for column in ("case", "peer", "ours_s", "peer_s", "ratio", "ours_bytes", "check"):
        numeric = column in ("ours_s", "peer_s", "ratio", "ours_bytes")
        out.add_column(column, justify="right" if numeric else "left", overflow="fold", no_wrap=numeric)
    for row in rows:
        cells = (row.get(c) for c in ("case", "peer", "ours_s", "peer_s", "ratio", "ours_bytes", "check"))
        out.add_row(*("-" if v is None else f"{v:.3g}" if isinstance(v, float) else str(v) for v in cells))
    return out


def earlier() -> list[dict[str, Any]]:
    """Rows of benchmarks that ran before and are not run now."""
    return json.loads(RESULTS.read_text(encoding="utf-8"))["rows"] if RESULTS.is_file() else []


@one_blas_thread()
def main() -> int:
    """Run all, or those named on the command line."""
    wanted = sys.argv[1:] or [n for n in names() if hasattr(importlib.import_module(f"benchmarks.{n}"), "rows")]
    console = Console(width=None if sys.stdout.isatty() else 160)
    if unknown := set(wanted) - set(names()):
        console.print(f"unknown benchmark {', '.join(sorted(unknown))}; known: {', '.join(names())}")
        return 2
    rows: list[dict[str, Any]] = []
    broken: list[str] = []
    for name in wanted:
        console.print(f"running {name} ...")
        try:
            rows += [{"benchmark": name, **row} for row in importlib.import_module(f"benchmarks.{name}").rows()]
        except Exception as error:  # the hour that the others took is not lost
            console.print(f"{name} FAILED: {error}", markup=False)
            broken.append(name)
    console.print(table(rows))
    machine = {
        "version": endplate.__version__,
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "machine": platform.machine(),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    rows = [row for row in earlier() if row["benchmark"] in broken or row["benchmark"] not in wanted] + rows
    temporary = RESULTS.with_suffix(".part")
    temporary.write_text(json.dumps({"machine": machine, "rows": rows}, indent=1) + "\n", encoding="utf-8")
    temporary.replace(RESULTS)
    console.print(f"wrote {RESULTS.relative_to(Path.cwd()) if RESULTS.is_relative_to(Path.cwd()) else RESULTS}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
