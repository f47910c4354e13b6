"""The case of the Python front: `case["L1"].anterior_height`, tables, reports; the stages return it as they got it."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

from endplate.api.errors import ArgumentTypeError
from endplate.api.page import Report
from endplate.api.view import CaseView
from endplate.case import model
from endplate.level import FROM_VERSE_ID, Level


class Case(CaseView, model.Case):
    """One patient, one scan, and everything measured from it."""

    __slots__ = ()

    @classmethod
    def of(cls, case: model.Case) -> Case:
        """A case of the inner stages with the methods of this front; the same data, nothing copied."""
        if isinstance(case, cls):
            return case
        return cls(**{field.name: getattr(case, field.name) for field in fields(case)})

    @property
    def levels(self) -> tuple[Level, ...]:
        """The vertebrae found; before it was measured, those in the labels. From head to foot."""
        if self.spine is not None:
            return tuple(vertebra.level for vertebra in self.spine.vertebrae)
        import numpy as np

        return tuple(sorted(FROM_VERSE_ID[int(n)] for n in np.unique(self.labels.labels) if int(n) in FROM_VERSE_ID))

    def report(self) -> Report:
        """The report as one HTML page: `case.report().save("r.html")`."""
        from endplate.report.html import to_html

        return Report(name=self.id, html=to_html(self))

    def save(self, folder: str | Path) -> dict[str, Path]:
        """Write report, `case.json` and volumes into a folder; `load_case` reads it back.

        Parameters
        ----------
        folder : made when absent; the results of an earlier run are replaced in one step.

        Returns
        -------
        dict
            Name of each document to its path; with a decision also its documents.

        Raises
        ------
        OutputError
            The folder cannot be written; what was there before is intact.
        """
        from endplate.report.write import write_report

        return write_report(self, folder)


def as_case(given: Any, verb: str) -> Case:
    """The case that was given to a verb.

    Raises
    ------
    ArgumentTypeError
        Something else; the message says what to give.
    """
    if isinstance(given, model.Case):
        return Case.of(given)
    raise ArgumentTypeError(
        f"{verb}({type(given).__name__})",
        f"{verb} works on a case with its scan",
        "give what endplate.read_case(ct, labels=...) returns",
    )
