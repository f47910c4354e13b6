"""Many records at once: one JSON object a line in, one row a line out, or a table."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from endplate.cli.decide.batch_table import FORMATS, row_writer
from endplate.cli.exit_codes import Output
from endplate.cli.progress import progress_bars
from endplate.cli.terminal import say
from endplate.decision.batch import rows
from endplate.errors import OptionError, RecordError
from endplate.report.folder import exchanged_file


def run_batch(lines: Path, out: Path, talk: Output) -> dict[str, Any]:
    """Decide on many records: one JSON object a line in; out a row a line (.jsonl), or a table (.csv, .parquet).

    Raises
    ------
    InputError : the file does not exist, or the rows cannot be written. A bad record is a row with its error.
    """
    if not lines.is_file():
        raise RecordError(
            f"the batch {lines} does not exist or is no file", "", "give a file with one record a line (JSON)"
        )
    if out.suffix.lower() not in FORMATS:
        raise OptionError(
            f"rows cannot be written as {out.name}", "the ending says the format", f"end it in {' or '.join(FORMATS)}"
        )
    size, done, count, bad, bare = max(lines.stat().st_size, 1), 0, 0, 0, 0
    processes = int(os.environ.get("NUMBA_NUM_THREADS", 0)) or os.cpu_count() or 1

    def counted(stream: Iterable[str]) -> Iterable[str]:
        nonlocal done
        for line in stream:
            done += len(line)
            yield line

    with (
        # A letter that is none spoils its own row alone; a mark before the first letter spoils nothing.
        lines.open(encoding="utf-8-sig", errors="surrogateescape") as stream,
        exchanged_file(out, "rows", [lines]) as whole,
        row_writer(whole, out.name) as write,
        progress_bars(talk.progress) as tell,
    ):
        tell("decide", 0.0, lines.name)
        for row in rows(counted(stream), processes):
            write(row)
            count, bad, bare = count + 1, bad + ("error" in row), bare + bool(row.get("note"))
            if count % 1000 == 0:
                tell("decide", min(done / size, 1.0), f"{count} records")
        tell("decide", 1.0, "")
    if talk.for_people:
        more = f", {bare} without a fractured level, so without rules on repair" if bare else ""
        say(f"{count} record{'s' if count != 1 else ''}, {bad} of them with an error in their row{more}")
        say(f"Rows     {out.resolve()}")
    return {"records": count, "errors": bad, "path": str(out.resolve())}
