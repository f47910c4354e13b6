"""Rows of many records as a table: a row a record and level, a column a rule set, cause and measure of prevention."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from endplate.errors import OptionError
from endplate.report.spreadsheet import csv_writer

Row = dict[str, Any]
CHUNK = 2000
"""Rows of one group of a Parquet file."""
FORMATS = (".jsonl", ".csv", ".parquet")


def table_columns() -> tuple[str, ...]:
    """Names of the columns: status and answer of each rule set, the grade of each cause, the drugs that raise falls."""
    from endplate.decision.prevention.plan import prevention_rulesets, rulesets
    from endplate.decision.rules.rulebook import rulebook

    falls = {rules.id for rules in rulesets("falls")}
    named = [f"rule {rules.id}" for rules in rulebook().rulesets]
    named += [f"{'falls' if rules.id in falls else 'prevention'} {rules.id}" for rules in prevention_rulesets()]
    both = chain.from_iterable((name, f"{name} answer") for name in named)
    causes = [f"cause {grading.id}" for grading in rulebook().group("cause")]
    return ("line", "id", "level", "error", "note", "emergencies", *causes, "fall drugs", *both)


def table_rows(row: Row) -> Iterator[Row]:
    """The rows of one record: one a level, or one without where no level is known or the record is no good."""
    common = {"line": row["line"], "id": row.get("id"), "error": row.get("error"), "note": row.get("note")}
    if "error" in row:
        yield common
        return
    drugs = row["fall_drugs"]
    common |= _prevention(row["prevention"]) | {"fall drugs": None if drugs is None else "; ".join(drugs) or "none"}
    for level in row["levels"] or (None,):
        one = common | {"level": level}
        if level is not None:
            one |= {f"cause {name}": _word(grade) for name, grade in row["causes"].get(level, {}).items()}
            one |= _outcomes("rule", row["levels"][level])
            one["emergencies"] = _word(row["emergencies"].get(level))
        yield one


@contextmanager
def row_writer(path: Path, name: str) -> Iterator[Callable[[Row], None]]:
    """A function that writes the row of one record, in the format of the file's name.

    Parameters
    ----------
    path : file to fill. name : as it will be called; its ending decides.

    Raises
    ------
    OptionError : Parquet without its library.
    """
    kind = Path(name).suffix.lower()
    if kind == ".parquet":
        with _parquet(path) as write:
            yield write
    elif kind == ".csv":
        with _csv(path) as write:
            yield write
    else:
        with path.open("w", encoding="utf-8") as stream:

            def write_line(row: Row) -> None:
                stream.write(json.dumps(row, ensure_ascii=False) + "\n")

            yield write_line


@contextmanager
def _csv(path: Path) -> Iterator[Callable[[Row], None]]:
    columns = table_columns()
    with csv_writer(path, columns) as write_line:

        def write(row: Row) -> None:
            for one in table_rows(row):
                write_line([one.get(column) for column in columns])

        yield write


@contextmanager
def _parquet(path: Path) -> Iterator[Callable[[Row], None]]:
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError as error:
        why = "Parquet is written with it"
        raise OptionError("pyarrow is not installed", why, "pip install 'endplate[cohort]', or name a .csv") from error
    kinds = {"line": pyarrow.int64(), "id": pyarrow.string(), "error": pyarrow.string(), "note": pyarrow.string()}
    word = pyarrow.dictionary(pyarrow.int32(), pyarrow.string())
    schema = pyarrow.schema([(name, kinds.get(name, word)) for name in table_columns()])
    waiting: list[Row] = []
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:

        def write(row: Row) -> None:
            waiting.extend(table_rows(row))
            if len(waiting) >= CHUNK:
                flush()

        def flush() -> None:
            writer.write_table(pyarrow.Table.from_pylist(waiting, schema=schema))
            waiting.clear()

        yield write
        flush()


def _prevention(outcomes: dict[str, list[str]]) -> Row:
    from endplate.decision.prevention.plan import rulesets

    falls = {rules.id for rules in rulesets("falls")}
    return {
        name: word
        for ruleset, outcome in outcomes.items()
        for name, word in _outcomes("falls" if ruleset in falls else "prevention", {ruleset: outcome}).items()
    }


def _outcomes(kind: str, outcomes: dict[str, list[str]]) -> Row:
    """Status, and the answer where it says more than the status."""
    found: Row = {}
    for ruleset, (status, answer) in outcomes.items():
        found[f"{kind} {ruleset}"] = status
        found[f"{kind} {ruleset} answer"] = None if answer == status else answer
    return found


def _word(value: Any) -> str | None:
    """A grade or the emergencies of a level as one cell; None where it is open."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool | int | float):
        return str(value)
    return "; ".join(map(str, value)) if isinstance(value, list | tuple) else json.dumps(value, ensure_ascii=False)
