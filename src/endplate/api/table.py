"""Findings as a tidy pandas table; pandas is optional and loaded here alone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from endplate.api.errors import MissingExtraError
from endplate.finding import Finding, Gap
from endplate.level import Level

if TYPE_CHECKING:
    from pandas import DataFrame

COLUMNS = ("level", "code", "condition", "value", "low", "high", "unit", "method", "source")


def to_dataframe(findings: Sequence[Finding], gaps: Sequence[Gap] | None = None) -> DataFrame:
    """One row a finding, and one a gap where they are given.

    Parameters
    ----------
    findings : of any case.
    gaps : what could not be measured; adds the column `reason`.

    Raises
    ------
    MissingExtraError
        pandas is not installed.
    """
    pandas = _pandas()
    rows: list[dict[str, Any]] = [{name: getattr(finding, name) for name in COLUMNS} for finding in findings]
    columns = [*COLUMNS] if gaps is None else [*COLUMNS, "reason"]
    rows += [{"level": gap.level, "code": gap.code, "reason": gap.reason} for gap in gaps or ()]
    table = pandas.DataFrame(rows, columns=columns)
    names = [None if row["level"] is None else row["level"].value for row in rows]
    table["level"] = pandas.Categorical(names, [level.value for level in Level], ordered=True)
    for text in ("code", "condition", "unit", "method", "source", "reason"):
        if text in table:
            table[text] = table[text].fillna("")
    return table.astype({"low": float, "high": float})


def _pandas() -> Any:
    try:
        import pandas
    except ImportError as error:
        raise MissingExtraError(
            "pandas is not installed",
            "tables are made with it",
            "pip install 'endplate[pandas]', or pip install pandas",
        ) from error
    return pandas
