"""Read a case: CT, labels and record, brought onto one grid."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path

from endplate.case.model import Case
from endplate.case.provenance import begin
from endplate.errors import plain
from endplate.finding import Caution
from endplate.image.ct import read_ct
from endplate.image.file_type import is_ordinary
from endplate.image.labels import read_labels
from endplate.image.limits import DEFAULT, ReadSettings
from endplate.image.nifti.sidecar import sidecar_of
from endplate.image.resample import match_grids
from endplate.patient import read_record


def read_case(
    ct: str | Path | None,
    labels: str | Path,
    record: str | Path | None = None,
    scheme: str | Path | None = None,
    reading: ReadSettings = DEFAULT,
) -> Case:
    """One patient's scan, vertebra labels and record, ready for `assess`.

    Parameters
    ----------
    ct : NIfTI file or DICOM series folder; None where only labels exist (geometry and grades then, the rest a gap).
    labels : label map, folder of masks or DICOM SEG.
    record : patient record (JSON or TOML) with age, sex and, for the load on the spine, mass and stature.
    scheme : name or file of the label numbering where the file does not say.
    reading : what to trust in an image header that contradicts itself, and the most that is read.

    Returns
    -------
    Case : CT and labels on the CT's grid, LPS mm, with the SHA-256 of every input.

    Raises
    ------
    ImageError, LabelError, GridMismatchError, RecordError : what, why, what to do.
    """
    paths = {
        role: Path(path) if path is not None else None
        for role, path in (("ct", ct), ("labels", labels), ("record", record))
    }
    patient = read_record(paths["record"]) if paths["record"] else None
    volume = read_ct(paths["ct"], reading) if paths["ct"] else None
    label_map = read_labels(Path(labels), scheme, reading)
    if volume is not None:
        label_map = match_grids(volume, label_map)
    notes = label_map.notes + (volume.series.notes if volume and volume.series else ())
    paths["scheme"] = Path(scheme) if scheme is not None and is_ordinary(Path(scheme)) else None
    if volume is not None and is_ordinary(beside := sidecar_of(Path(volume.series.path if volume.series else ""))):
        paths["sidecar"] = beside
    provenance = replace(begin(paths), parameters={"label_scheme": label_map.scheme})
    name = plain(re.sub(r"\.nii(\.gz)?$", "", Path(ct if ct is not None else labels).name))
    cautions = tuple(Caution(code="input", text=plain(note)) for note in dict.fromkeys(notes))
    return Case(
        id=patient.id if patient and patient.id else name,
        volume=volume,
        labels=label_map,
        record=patient,
        cautions=cautions,
        provenance=provenance,
    )
