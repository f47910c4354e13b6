"""Fail where a kernel became slower than it was: `make guard` runs this commit with asv, then compares and keeps it.

A figure is a ratio to a fixed piece of arithmetic in the same run (`history`), so that figures of one kind of
machine can be compared over time.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

ASV = Path(__file__).parents[1] / "build" / "asv-results"
KEPT = Path(__file__).parent / "results" / "kernel_history.json"
"""What the project keeps: commit, date and ratios, nothing of the machine."""
NAME = "kernel_ratios.KernelRatio.track_ratio"
MOST = 1.15
"""A slowdown of more than 15 % fails."""


Run = tuple[int, str, dict[str, float]]
"""Date of the commit in ms, commit, ratio of each kernel."""


def newest(folder: Path = ASV) -> Run | None:
    """The run that asv recorded last."""
    paths = sorted(folder.glob("*/*-*.json"), key=lambda path: path.stat().st_mtime)
    if not paths:
        return None
    document = json.loads(paths[-1].read_text(encoding="utf-8"))
    return int(document["date"]), str(document["commit_hash"]), _ratios(document)


def kept(path: Path = KEPT) -> list[Run]:
    """The runs of earlier commits."""
    rows = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else []
    return [(row["date"], row["commit"], row["ratios"]) for row in rows]


def _ratios(document: dict[str, Any]) -> dict[str, float]:
    """Ratios of one run; asv keeps a row of columns for each benchmark."""
    row = document["results"].get(NAME)
    if row is None:
        return {}
    columns = dict(zip(document["result_columns"], row, strict=False))
    names = [name.strip("'") for name in columns["params"][0]]
    values = columns["result"] or []
    return {name: value for name, value in zip(names, values, strict=True) if value is not None}


def slower(last: Run, before: list[Run]) -> list[str]:
    """A line for each kernel whose ratio is more than the limit above the best that was kept before."""
    lines = []
    for name, value in last[2].items():
        known = [ratios[name] for _, commit, ratios in before if name in ratios and commit != last[1]]
        if known and value > MOST * min(known):
            lines.append(f"{name}: {value:.2f} times the reference, {value / min(known):.2f} times the best so far")
    return lines


def main() -> int:
    """Print the comparison and keep the run; 1 where something became slower, which is not kept."""
    last, before = newest(), kept()
    if last is None or not last[2]:
        sys.stdout.write("asv recorded no run; say make guard\n")
        return 1
    lines = slower(last, before)
    for line in lines:
        sys.stdout.write(f"SLOWER {line}\n")
    if lines:
        return 1
    runs = [*(run for run in before if run[1] != last[1]), last]
    rows = [{"commit": commit, "date": date, "ratios": ratios} for date, commit, ratios in sorted(runs)]
    KEPT.write_text(json.dumps(rows, indent=1) + "\n", encoding="utf-8")
    sys.stdout.write(f"no kernel is more than {100 * (MOST - 1):.0f} % slower; {len(rows)} commits kept\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
