"""What an expert graded and measured, from a table with the columns id, level, grade and, if wanted, heights."""

from __future__ import annotations

import csv
import math
from dataclasses import dataclass
from pathlib import Path

from endplate.errors import InputError, OptionError, text_fault
from endplate.level import Level, parse_level

HEIGHTS = ("anterior_mm", "middle_mm", "posterior_mm")
BESIDE = ("measured", "mark", "note")
"""Columns of marks saved from the page of a study; only the person's grade among them is compared."""
COLUMNS = ("id", "level", "grade", *HEIGHTS, *BESIDE)
FIX = "give a CSV table with the columns id, level, grade (0 to 3) and, if wanted, anterior_mm, middle_mm, posterior_mm"
GRADES = ("", "0", "1", "2", "3")
TALLEST_MM = 100.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertLevel:
    """One level as the expert saw it: Genant grade and heights in mm; None where not given."""

    grade: int | None
    heights: dict[str, float]


Truth = dict[tuple[str, Level], ExpertLevel]


def read_truth(path: Path) -> Truth:
    """The expert's table by case and level.

    Raises
    ------
    OptionError : other columns, a level or grade that is none, or a level twice.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            reader = csv.DictReader(stream, strict=True)
            names = list(reader.fieldnames or ())
            if not {"id", "level"} <= set(names) or set(names) - set(COLUMNS) or len(names) < 3:
                shown = ", ".join(names[:8]) or "none"
                raise OptionError(f"{path} has the columns {shown}", "they are not those of expert grades", FIX)
            found: Truth = {}
            for row in reader:
                where = f"line {reader.line_num} of {path}"
                key = (str(row["id"] or "").strip(), _named(row["level"] or "", where))
                if key in found:
                    raise OptionError(f"{where}: {key[0]} {key[1]} stands twice", "", FIX)
                found[key] = _level(row, where)
            return found
    except OSError as error:
        raise OptionError(f"{path} cannot be read", error.strerror or "", FIX) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise OptionError(f"{path} is no CSV table in UTF-8", text_fault(error), FIX) from error


def _named(text: str, where: str) -> Level:
    try:
        return parse_level(text)
    except InputError as error:
        raise OptionError(f"{where}: {error.what}", error.why, error.fix) from error


def _level(row: dict[str, str | None], where: str) -> ExpertLevel:
    grade = (row.get("grade") or "").strip()
    if grade not in GRADES:
        raise OptionError(f"{where}: grade {grade!r}", "Genant grades are 0 to 3", FIX)
    heights = {name: _height(row[name] or "", where) for name in HEIGHTS if (row.get(name) or "").strip()}
    return ExpertLevel(grade=int(grade) if grade else None, heights=heights)


def _height(text: str, where: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not 0 < value < TALLEST_MM:
        raise OptionError(f"{where}: {text!r} is no height in mm", "", FIX)
    return value
