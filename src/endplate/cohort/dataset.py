"""What a study measured as tables: one tidy Parquet dataset, one row a case, and one wide table for spreadsheets."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from itertools import islice
from pathlib import Path
from typing import Any

from endplate.cohort.extra import needs
from endplate.cohort.stamp import Stamp
from endplate.report.folder import DOCUMENT
from endplate.report.spreadsheet import write_csv

FINDINGS, CASES, WIDE = "findings", "cases.parquet", "findings.csv"
CASES_A_FILE = 1000
TIDY = ("case", "level", "code", "condition", "value", "text", "low", "high", "unit", "method", "reason")
"""`value` holds numbers and truth values (0, 1), `text` words; of a gap both are empty and `reason` says why."""
CASE_COLUMNS = (
    "case", "status", "kind", "reason", "age_yr", "sex", "levels", "findings", "gaps", "cautions", "seconds", "rss_mb",
    "folder", "segmenter", "notes",
)  # fmt: skip

Row = dict[str, Any]


def tidy_rows(stamp: Stamp, folder: Path) -> list[Row]:
    """Every finding, gap and verdict of a case; none of a failed one."""
    document = document_of(folder) if stamp.status == "done" else {}
    rows = [_finding(stamp.id, item) for item in document.get("findings", ())]
    rows += [_row(stamp.id, item["level"], item["code"], reason=item["reason"]) for item in document.get("gaps", ())]
    for level, ruleset, status, answer in stamp.verdicts:
        rows.append(_row(stamp.id, level or None, f"rule:{ruleset}", text=status, method=answer))
    return rows


def document_of(folder: Path) -> Mapping[str, Any]:
    """The document of a case; empty where it has none, as a record alone has."""
    with suppress(OSError, ValueError):
        found = json.loads((folder / DOCUMENT).read_bytes())
        return found if isinstance(found, dict) else {}
    return {}


def _finding(case: str, item: Mapping[str, Any]) -> Row:
    value = item["value"]
    content = {"text": value} if isinstance(value, str) else {"value": float(value)}
    same = {key: item[key] for key in ("condition", "low", "high", "unit", "method")}
    return _row(case, item["level"], item["code"], **same, **content)


def _row(case: str, level: str | None, code: str, **more: Any) -> Row:
    return dict.fromkeys(TIDY) | {"case": case, "level": level, "code": code, "condition": ""} | more


def case_row(stamp: Stamp, folder: Path, document: Mapping[str, Any]) -> Row:
    """One row for a case, however it ended."""
    return {
        "case": stamp.id,
        "status": stamp.status,
        "kind": stamp.kind or None,
        "reason": stamp.reason or None,
        "age_yr": stamp.age_yr,
        "sex": stamp.sex,
        "levels": len(document.get("levels", ())),
        "findings": len(document.get("findings", ())),
        "gaps": len(document.get("gaps", ())),
        "cautions": len(document.get("cautions", ())),
        "seconds": stamp.seconds,
        "rss_mb": stamp.rss_mb,
        "folder": folder.name,
        "segmenter": " ".join(str((stamp.segmenter or {}).get(key, "")) for key in ("name", "version")).strip() or None,
        "notes": "; ".join(stamp.notes) or None,
    }


def write_dataset(new: Path, rows_of_cases: Iterable[Sequence[Row]]) -> int:
    """Write the tidy rows as a dataset of files of a thousand cases each; returns how many rows there are."""
    pyarrow, parquet = needs("pyarrow"), needs("pyarrow.parquet")
    schema = tidy_schema(pyarrow)
    folder, total = new / FINDINGS, 0
    folder.mkdir()
    cases = iter(rows_of_cases)
    for number, chunk in enumerate(iter(lambda: list(islice(cases, CASES_A_FILE)), [])):
        rows = [row for case in chunk for row in case]
        total += len(rows)
        table = pyarrow.Table.from_pylist(rows, schema=schema)
        parquet.write_table(table, folder / f"part-{number:05d}.parquet", compression="zstd")
    return total


def tidy_schema(pyarrow: Any) -> Any:
    """Columns of the tidy dataset: words that repeat are kept once."""
    word, number = pyarrow.dictionary(pyarrow.int32(), pyarrow.string()), pyarrow.float64()
    kinds = {"case": pyarrow.string(), "value": number, "low": number, "high": number}
    return pyarrow.schema([(name, kinds.get(name, word)) for name in TIDY])


def write_cases(path: Path, rows: Sequence[Row]) -> None:
    """Write the table of cases."""
    pyarrow, parquet = needs("pyarrow"), needs("pyarrow.parquet")
    numbers = {"age_yr", "seconds", "rss_mb"}
    counts = {"levels", "findings", "gaps", "cautions"}
    kinds = {name: pyarrow.float64() if name in numbers else pyarrow.int64() if name in counts else pyarrow.string()
             for name in CASE_COLUMNS}  # fmt: skip
    table = pyarrow.Table.from_pylist(list(rows), schema=pyarrow.schema([(name, kinds[name]) for name in CASE_COLUMNS]))
    parquet.write_table(table, path, compression="zstd")


def write_wide(path: Path, cases: Iterable[Row], tidy: Iterable[Sequence[Row]], columns: Sequence[str]) -> None:
    """Write one row a case and level, a column a code, for a spreadsheet; a failed case keeps its row, with its reason.

    Parameters
    ----------
    columns : names of `wide_columns`, which need all rows to be known.
    """
    heads = ["case", "status", "reason", "age_yr", "sex", "level", *columns]
    write_csv(path, heads, (row for case, rows in zip(cases, tidy, strict=True) for row in _wide(case, rows, heads)))


def wide_columns(rows: Iterable[Row]) -> set[str]:
    """Columns that a case adds to the wide table: name, condition and unit, and the ends of bands."""
    found: set[str] = set()
    for row in rows:
        if row["reason"] is None:
            name = _column(row)
            found.add(name)
            if row["low"] is not None:
                found |= {f"{name} low", f"{name} high"}
    return found


def _column(row: Row) -> str:
    condition = f" ({row['condition']})" if row["condition"] else ""
    unit = f" [{row['unit']}]" if row["unit"] not in (None, "", "1") else ""
    return f"{row['code']}{condition}{unit}"


def _wide(case: Row, rows: Sequence[Row], heads: Sequence[str]) -> Iterator[list[Any]]:
    """A line for each level of a case, the first for the case as a whole."""
    lines: dict[str, Row] = {"": {}}
    for row in rows:
        if row["reason"] is not None:
            continue
        line, name = lines.setdefault(row["level"] or "", {}), _column(row)
        line[name] = row["text"] if row["value"] is None else row["value"]
        line |= {f"{name} {end}": row[end] for end in ("low", "high") if row[end] is not None}
    common = {name: case[name] for name in ("case", "status", "reason", "age_yr", "sex")}
    for level, line in lines.items():
        if line or level or len(lines) == 1:
            yield [(common | {"level": level} | line).get(head) for head in heads]
