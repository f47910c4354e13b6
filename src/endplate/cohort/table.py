"""The rows of a cohort from a CSV or Parquet table with the columns id, ct, labels, record."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from endplate.cohort.extra import needs
from endplate.cohort.row import CohortRow
from endplate.errors import OptionError, text_fault

COLUMNS = ("id", "ct", "labels", "record")
PARQUET = (".parquet", ".pq")
FIX = f"give a CSV or Parquet table with the columns {', '.join(COLUMNS)}; a cell may be empty, the id not"


def read_table(path: Path) -> list[CohortRow]:
    """The rows of a table; paths in it count from the folder of the table.

    Raises
    ------
    OptionError : no such columns, or no table at all.
    """
    found = list(_parquet(path) if path.suffix.lower() in PARQUET else _csv(path))
    return [_row(cells, path.parent) for cells in found]


def _csv(path: Path) -> Iterable[Mapping[str, Any]]:
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True, restkey="")
            _check_columns(list(reader.fieldnames or ()), path)
            for cells in reader:
                if any(cells.get("") or ()):
                    raise OptionError(f"line {reader.line_num} of {path} has more cells than columns", "", FIX)
                if any(cells.values()):
                    yield cells
    except (UnicodeDecodeError, csv.Error) as error:
        raise OptionError(f"{path} is no CSV table in UTF-8", text_fault(error), FIX) from error


def _parquet(path: Path) -> Iterable[Mapping[str, Any]]:
    pyarrow = needs("pyarrow.parquet")
    try:
        table = pyarrow.read_table(path)
    except Exception as error:  # pyarrow has many kinds of errors for a file that is none
        raise OptionError(f"{path} is no Parquet table", "it is cut short, or of another kind", FIX) from error
    _check_columns(table.column_names, path)
    yield from table.to_pylist()


def _check_columns(names: list[str], path: Path) -> None:
    strange = [name for name in names if name not in COLUMNS]
    if "id" not in names or strange or len(set(names)) < len(names) or len(names) < 2:
        shown = ", ".join(str(name) for name in names[:8]) or "none"
        raise OptionError(f"{path} has the columns {shown}", "they are not those of a cohort", FIX)


def _row(cells: Mapping[str, Any], folder: Path) -> CohortRow:
    text = {name: str(cells[name]).strip() if cells.get(name) is not None else "" for name in COLUMNS}
    ct, labels, record = (folder / text[name] if text[name] else None for name in COLUMNS[1:])
    return CohortRow(id=text["id"], ct=ct, labels=labels, record=record)
