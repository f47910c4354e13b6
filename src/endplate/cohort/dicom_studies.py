"""The rows of a cohort from a folder of DICOM studies: a folder each, a CT series and, where there is one, its SEG."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from endplate.cohort.row import CohortRow
from endplate.errors import ImageError
from endplate.image.dicom.files import files_of
from endplate.image.dicom.opened import opened
from endplate.image.file_type import is_dicom
from endplate.image.limits import Limits


@dataclass(slots=True)
class _Series:
    """Files of one series in one folder."""

    folder: Path
    modality: str
    description: str
    files: list[Path] = field(default_factory=list)


def read_studies(folder: Path, limits: Limits) -> list[CohortRow]:
    """A row for each CT series of each folder in the given one, with the DICOM SEG that lies in the same study folder.

    A study with one CT series is named after its folder; where there are several, the folder of the series is added.

    Raises
    ------
    ImageError : more files in a study than the limit.
    """
    rows: list[CohortRow] = []
    for study in sorted(path for path in folder.iterdir() if path.is_dir() and not path.name.startswith(".")):
        rows += _study(study, limits)
    return rows


def _study(study: Path, limits: Limits) -> list[CohortRow]:
    series = _series(study, limits)
    scans = [one for one in series.values() if one.modality == "CT"]
    masks = [one for one in series.values() if one.modality == "SEG"]
    crowds = Counter(one.folder for one in series.values())
    return [_row(study, one, masks, len(scans) > 1, crowds[one.folder] > 1) for one in scans]


def _row(study: Path, one: _Series, masks: list[_Series], several: bool, shared: bool) -> CohortRow:
    beside = [mask for mask in masks if mask.folder == one.folder] or masks
    inside = one.folder.relative_to(study).as_posix()
    notes = (
        (f"{len(beside)} SEG objects lie in the study; {beside[0].files[0].name} was taken",) if len(beside) > 1 else ()
    )
    return CohortRow(
        id=f"{study.name}/{inside}" if several and inside != "." else study.name,
        # A folder that holds the SEG too is no series folder: the reader takes the series that one file belongs to.
        ct=one.files[0] if shared else one.folder,
        labels=beside[0].files[0] if beside else None,
        notes=notes,
    )


def _series(study: Path, limits: Limits) -> dict[tuple[Path, str], _Series]:
    """Series by folder and UID."""
    found: dict[tuple[Path, str], _Series] = {}
    for path in files_of(study, limits):
        if not is_dicom(path):
            continue
        try:
            _, facts = opened(path, limits)
        except ImageError:
            continue  # what cannot be opened is said when the series is read
        key = (path.parent, facts.get("SeriesInstanceUID", ""))
        one = found.setdefault(
            key, _Series(path.parent, facts.get("Modality", "").upper(), facts.get("SeriesDescription", ""))
        )
        one.files.append(path)
    return found
