"""A case read back from what was written: everything in `case.json`, without the voxels."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endplate.api.errors import UnknownNameError
from endplate.api.page import Report
from endplate.api.view import CaseView
from endplate.errors import OptionError
from endplate.finding import Caution, Finding, Gap
from endplate.level import Level, parse_level
from endplate.patient import PatientRecord
from endplate.patient.record import parse_record
from endplate.report.document import to_json
from endplate.report.folder import DOCUMENT, PAGE
from endplate.report.read_document import cautions_of, findings_of, gaps_of, read_document


@dataclass(frozen=True, slots=True, kw_only=True, eq=False, repr=False)
class SavedCase(CaseView):
    """What `case.json` holds; voxels, meshes and figures are not in it.

    Parameters
    ----------
    id : str
        Name of the case.
    path : Path
        The document.
    format_version : int
        Version of the format in which it was written.
    levels : tuple of Level
        Vertebrae found, from head to foot.
    findings : tuple of Finding
        Every measured or derived fact, as in a `Case`.
    gaps : tuple of Gap
        What could not be measured, and why.
    cautions : tuple of Caution
        What a reader must know before trusting a level.
    patient : dict or None
        The record as plain values, None where none was given.
    curves : tuple of dict
        Load and displacement of each level that was solved.
    rehearsals : tuple of dict
        What each rehearsal holds beyond findings.
    provenance : dict
        Versions, inputs with SHA-256, parameters.
    """

    id: str
    path: Path
    format_version: int
    levels: tuple[Level, ...]
    findings: tuple[Finding, ...]
    gaps: tuple[Gap, ...]
    cautions: tuple[Caution, ...]
    patient: dict[str, Any] | None
    curves: tuple[dict[str, Any], ...]
    rehearsals: tuple[dict[str, Any], ...]
    provenance: dict[str, Any]

    @property
    def record(self) -> PatientRecord | None:
        """The patient record; None where none was given.

        Raises
        ------
        RecordError
            It was written with fields that this version does not have.
        """
        return None if self.patient is None else parse_record(to_json(self.patient), f"the record in {self.path.name}")

    def report(self) -> Report:
        """The page that was written beside the document; it cannot be made anew without the scan.

        Returns
        -------
        Report
            The page as it was written.

        Raises
        ------
        UnknownNameError
            There is none.
        """
        page = self.path.parent / PAGE
        if not page.is_file():
            raise UnknownNameError(
                f"no {PAGE} beside {self.path.name}", "a page needs the scan", "read and assess the scan again"
            )
        return Report(name=self.id, html=page.read_text(encoding="utf-8"))

    def __repr__(self) -> str:
        """In a line, as a case."""
        levels = ", ".join(map(str, self.levels)) or "no level"
        counts = f"{len(self.findings)} findings, {len(self.gaps)} gaps, {len(self.cautions)} cautions"
        return f"<SavedCase {self.id!r}: {levels}; {counts}>"


def load_case(place: str | Path) -> SavedCase:
    """A case read back from a results folder, or from its `case.json`.

    Parameters
    ----------
    place : str or Path
        The folder that `write_report`, `case.save` or a command wrote, or the file itself.

    Returns
    -------
    SavedCase
        Documents of every earlier format version are read; one of a later version is refused.

    Raises
    ------
    OptionError
        It cannot be read, is no endplate case, is not whole, or was written by a newer endplate.
    """
    if not isinstance(place, str | Path):
        raise OptionError(f"load_case({type(place).__name__})", "a case is read from a folder", "give a path")
    path = Path(place) / DOCUMENT if Path(place).is_dir() else Path(place)
    document = read_document(path)
    return SavedCase(
        id=str(document.get("id", "")),
        path=path,
        format_version=document["format_version"],
        levels=tuple(parse_level(name) for name in document["levels"]),
        findings=findings_of(document),
        gaps=gaps_of(document),
        cautions=cautions_of(document),
        patient=document.get("patient"),
        curves=tuple(document.get("curves", ())),
        rehearsals=tuple(document.get("rehearsals", ())),
        provenance=document.get("provenance", {}),
    )
