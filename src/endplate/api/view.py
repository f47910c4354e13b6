"""What every case offers, measured now or read back: levels by name, a table, a summary for a notebook."""

from __future__ import annotations

from collections.abc import Iterator
from html import escape
from typing import TYPE_CHECKING, Any

from endplate.api.errors import ArgumentTypeError, UnknownNameError
from endplate.api.level_view import LevelView
from endplate.api.table import to_dataframe
from endplate.errors import OptionError
from endplate.finding import Caution, Finding, Gap
from endplate.level import Level, parse_level
from endplate.report.phrase import title_of

if TYPE_CHECKING:
    from pandas import DataFrame

SHOWN = ("fracture", "genant_grade", "height_loss", "trabecular_density", "failure_load")
"""Columns of the summary in a notebook."""


class CaseView:
    """Reading a case by level, code and table; mixed into `Case` and `SavedCase`."""

    __slots__ = ()

    if TYPE_CHECKING:
        id: str
        findings: tuple[Finding, ...]
        gaps: tuple[Gap, ...]
        cautions: tuple[Caution, ...]

        @property
        def levels(self) -> tuple[Level, ...]:
            """The vertebrae of the case, from head to foot."""

    def __getitem__(self, level: Level | str) -> LevelView:
        """One vertebra: `case["L1"]`.

        Raises
        ------
        UnknownNameError
            It is not in this case; also a KeyError.
        ArgumentTypeError
            Something else than a level or its name; also a TypeError.
        """
        if not isinstance(level, str):
            raise ArgumentTypeError(f"case[{level!r}]", "a case is read by level", 'give a name, as case["L1"]')
        try:
            wanted = parse_level(level)
        except OptionError as error:
            raise UnknownNameError(f"case[{level!r}]", error.what, error.fix) from error
        if wanted not in self.levels:
            names = ", ".join(map(str, self.levels)) or "none; assess it first"
            raise UnknownNameError(f"{wanted} is not in this case", "", f"its levels: {names}")
        return LevelView(
            level=wanted,
            findings=tuple(item for item in self.findings if item.level is wanted),
            gaps=tuple(item for item in self.gaps if item.level is wanted),
            cautions=tuple(item for item in self.cautions if item.level is wanted),
        )

    def __contains__(self, level: object) -> bool:
        """Whether a level, or its name, is in this case."""
        return any(level == mine for mine in self.levels)

    def __iter__(self) -> Iterator[LevelView]:
        """The vertebrae, from head to foot."""
        return (self[level] for level in self.levels)

    def to_dataframe(self, gaps: bool = False) -> DataFrame:
        """Every finding as one row of a tidy pandas table.

        Parameters
        ----------
        gaps : bool, default False
            Add a row for each thing that could not be measured: its value is None and `reason` says why.

        Returns
        -------
        pandas.DataFrame
            Columns level, code, condition, value, low, high, unit, method, source (and reason with `gaps`); `level`
            is ordered from head to foot and empty for the whole case.

        Raises
        ------
        MissingExtraError
            The package pandas is not installed; also an ImportError.
        """
        return to_dataframe(self.findings, self.gaps if gaps else None)

    def _repr_html_(self) -> str:
        """The main findings of every level as a table."""
        heads = "".join(f"<th>{escape(title_of(code))}</th>" for code in SHOWN)
        rows = "".join(_row(view) for view in self)
        counts = f"{len(self.findings)} findings, {len(self.gaps)} gaps, {len(self.cautions)} cautions"
        table = f"<table><tr><th>Level</th>{heads}</tr>{rows}</table>" if rows else ""
        return f"<p><b>Case {escape(self.id)}</b>: {counts}. Research software, not for diagnosis.</p>{table}"


def _row(view: LevelView) -> str:
    cells = "".join(f"<td>{escape(_cell(view, code))}</td>" for code in SHOWN)
    return f"<tr><th>{view.level}</th>{cells}</tr>"


def _cell(view: LevelView, code: str) -> str:
    quantity: Any = view.get(code)
    return str(quantity) if quantity.known else "–"
