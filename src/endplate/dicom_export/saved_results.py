"""What a results folder holds, as the DICOM objects need it: the document, its page and its volumes."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from endplate.errors import OptionError
from endplate.finding import Finding, Gap
from endplate.image.labels import read_labels
from endplate.image.nifti import read_nifti
from endplate.image.nifti.file import NiftiImage
from endplate.image.volume import LabelMap
from endplate.level import Level
from endplate.report.folder import PAGE, VOLUMES
from endplate.report.read_document import findings_of, gaps_of, read_document

SOURCE = "ct_series"
"""Where the provenance of a case keeps what identifies the DICOM series that it was read from."""


@dataclass(frozen=True)
class SavedResults:
    """A results folder that was read and found whole.

    Parameters
    ----------
    folder : Path
        Where it lies.
    document : dict
        The case document.
    """

    folder: Path
    document: dict[str, Any]

    @property
    def case_id(self) -> str:
        """Name of the case."""
        return str(self.document["id"])

    @cached_property
    def findings(self) -> tuple[Finding, ...]:
        """Everything that was measured."""
        return findings_of(self.document)

    @cached_property
    def gaps(self) -> tuple[Gap, ...]:
        """What was not, with the reason."""
        return gaps_of(self.document)

    @property
    def levels(self) -> tuple[Level, ...]:
        """Vertebrae that were measured, from head to foot."""
        return tuple(Level(name) for name in self.document["levels"])

    @property
    def version(self) -> str:
        """Version of endplate that measured."""
        return str(self.document["provenance"]["version"])

    @property
    def made(self) -> datetime:
        """When the run began, UTC."""
        stated = datetime.fromisoformat(self.document["provenance"]["started"])
        return stated.astimezone(UTC)

    @property
    def source(self) -> dict[str, str] | None:
        """UIDs of the DICOM series that was measured; None where the scan was no DICOM, or an older version ran."""
        found = self.document["provenance"].get("parameters", {}).get(SOURCE)
        return found if isinstance(found, dict) else None

    @cached_property
    def ct_input(self) -> tuple[str, str] | None:
        """Name and SHA-256 of the CT as it was read; None where there was none."""
        inputs: dict[str, str] = self.document["provenance"].get("inputs", {})
        return next(((name[4:], digest) for name, digest in inputs.items() if name.startswith("ct: ")), None)

    @cached_property
    def labels(self) -> LabelMap:
        """The labels as they were read, on the CT's grid."""
        return read_labels(self._volume("labels.nii.gz"), "verse")

    def volume(self, name: str) -> NiftiImage | None:
        """A volume by its file name; None where this case has none."""
        path = self.folder / VOLUMES / name
        return read_nifti(path) if path.is_file() else None

    def names(self, pattern: str) -> list[Path]:
        """Files of the volumes folder by a pattern, in the order of their names."""
        return sorted((self.folder / VOLUMES).glob(pattern))

    @cached_property
    def page(self) -> str | None:
        """The report as HTML; None where it was not written."""
        path = self.folder / PAGE
        return path.read_text(encoding="utf-8") if path.is_file() else None

    @cached_property
    def digest(self) -> str:
        """SHA-256 of the document: what the UIDs of the objects follow from."""
        return hashlib.sha256(json.dumps(self.document, sort_keys=True).encode()).hexdigest()

    def _volume(self, name: str) -> Path:
        path = self.folder / VOLUMES / name
        if not path.is_file():
            raise OptionError(f"{path} is missing", "the segmentation is made of it", "assess the scan again")
        return path


def saved_results(folder: Path) -> SavedResults:
    """The results in a folder.

    Raises
    ------
    OptionError : no results of an endplate run, or not whole.
    """
    return SavedResults(folder=folder, document=read_document(folder))
