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
    """One patient, one scan, and everything measured from it.

    `read_case` makes it; each verb returns a new one with more in it and leaves the given one as it was.

    Parameters
    ----------
    id : str
        Name of the case.
    volume : Volume or None
        The CT in HU, LPS mm; None where only labels were given.
    labels : LabelMap
        Vertebra labels on the CT's grid.
    record : PatientRecord or None
        The patient record, where one was given.
    spine : Spine, optional
        Vertebrae as measured from the labels; None before `assess`.
    fractures : tuple of Fracture, optional
        Heights, grade and shape of each level.
    alignment : Alignment, optional
        Kyphosis and lordosis angles.
    calibration : Calibration, optional
        The line from HU to density, and where it comes from.
    densities : tuple of BoneDensity, optional
        Trabecular density of each level.
    strengths : tuple of Strength, optional
        Stiffness and failure load of each level that was solved.
    loads : tuple of LoadToStrength, optional
        Load on a level over its strength, by activity.
    rehearsals : tuple of Rehearsal, optional
        Rehearsed repairs, one for each level.
    care : Care, optional
        Verdicts of the rule sets and the plan of prevention.
    readings : tuple of Reading, optional
        What a reader said of it, in the order in which it was said.
    resolved : Resolved, optional
        What follows from the readings: names of the vertebrae, and what is said of each.
    findings : tuple of Finding, optional
        Every measured or derived fact.
    gaps : tuple of Gap, optional
        What could not be measured, and why.
    cautions : tuple of Caution, optional
        What a reader must know before trusting a level.
    provenance : Provenance, optional
        Versions, inputs with SHA-256, parameters, seconds by stage.

    Examples
    --------
    >>> import endplate as ep
    >>> case = ep.assess(ep.read_case("ct.nii.gz", labels="labels.nii.gz"))  # doctest: +SKIP
    >>> case["L1"].anterior_height  # doctest: +SKIP
    """

    __slots__ = ()

    @classmethod
    def of(cls, case: model.Case) -> Case:
        """A case of the inner stages with the methods of this class; the same data, nothing copied.

        Parameters
        ----------
        case : endplate.case.model.Case
            What a stage of `endplate.case` returns, or a case of this class, which comes back as it is.

        Returns
        -------
        Case
            The case with `case["L1"]`, `to_dataframe`, `report` and `save`.
        """
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
        """The report as one HTML page: `case.report().save("r.html")`.

        Returns
        -------
        Report
            The page; it is written to disk by its `save`.
        """
        from endplate.report.html import to_html

        return Report(name=self.id, html=to_html(self))

    def save(self, folder: str | Path, crop: bool = False) -> dict[str, Path]:
        """Write report, `case.json` and volumes into a folder; `load_case` reads it back.

        Parameters
        ----------
        folder : str or Path
            Where to write; made when absent. The results of an earlier run are replaced in one step.
        crop : bool, default False
            Cut the volumes of one level to the box round it; otherwise each has the whole grid of the CT.

        Returns
        -------
        dict of str to Path
            Name of each document to its path; with a decision also its documents.

        Raises
        ------
        OutputError
            The folder cannot be written; what was there before is intact.
        """
        from endplate.report.write import write_report

        return write_report(self, folder, crop=crop)


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
