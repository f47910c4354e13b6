"""Read a case: CT, labels and record, brought onto one grid."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from numpy.typing import ArrayLike

from endplate.atomic import readable
from endplate.case.given import Source, Where, ct_of, labels_of, place_of, record_of
from endplate.case.model import Case
from endplate.case.provenance import begin, patient_mark, sha256
from endplate.case.readings.apply import with_readings
from endplate.case.readings.reading import Reading
from endplate.errors import plain
from endplate.finding import Caution
from endplate.image.file_type import is_ordinary
from endplate.image.labels.in_memory import Numbering
from endplate.image.limits import DEFAULT, ReadSettings
from endplate.image.nifti.sidecar import sidecar_of
from endplate.image.placed import Frame
from endplate.image.resample import match_grids
from endplate.image.volume import Volume

UNNAMED = "case"


def read_case(
    ct: Any,
    labels: Any,
    record: Any = None,
    scheme: Numbering = None,
    affine: ArrayLike | None = None,
    frame: Frame | None = None,
    reading: ReadSettings = DEFAULT,
    readings: Sequence[Reading] = (),
) -> Case:
    """One patient's scan, vertebra labels and record, ready for `assess`.

    Parameters
    ----------
    ct : NIfTI file, DICOM series folder, nibabel or SimpleITK image, `Volume`, or array (I, J, K) in HU; None where
        only labels exist (geometry and grades then, the rest a gap).
    labels : label map, folder of masks, DICOM SEG, nibabel or SimpleITK image, `LabelMap`, or array (I, J, K).
    record : patient record as a path (JSON or TOML), a dict or a `PatientRecord`, with age, sex and, for the load on
        the spine, mass and stature.
    scheme : name or file of the label numbering where the file does not say; for labels in memory also a table such
        as {20: "L1"}.
    affine : (4, 4) from index to mm at voxel centres, of what is given as an array; an array of labels beside an image
        may leave it out and then has the place of the image.
    frame : world frame of `affine`: "RAS" as nibabel counts, "LPS" as SimpleITK and DICOM do.
    reading : what to trust in an image header that contradicts itself, and the most that is read.
    readings : what a reader says of the scan, in the order in which it was said; it outranks what will be computed.

    Returns
    -------
    Case : CT and labels on the CT's grid, LPS mm, with the SHA-256 of every input.

    Raises
    ------
    ImageError, LabelError, GridMismatchError, RecordError, OptionError : what, why, what to do.
    """
    where = Where(affine=affine, frame=frame)
    sources: dict[str, Source] = {}
    patient = volume = None
    if record is not None:
        patient, sources["record"] = record_of(record)
    if ct is not None:
        volume, sources["ct"] = ct_of(ct, where, reading)
    label_map, sources["labels"] = labels_of(labels, scheme, place_of(ct, where), reading)
    if volume is not None:
        label_map = match_grids(volume, label_map)
    notes = label_map.notes + (volume.series.notes if volume and volume.series else ())
    inputs = {f"{role}: {_shown(source.name)}": source.digest for role, source in _ordered(sources)}
    provenance = begin(inputs | _beside(volume, scheme), {"label_scheme": label_map.scheme, **_series(volume)})
    case = Case(
        id=patient.id if patient and patient.id else _name(sources),
        volume=volume,
        labels=label_map,
        record=patient,
        cautions=tuple(Caution(code="input", text=_shown(note)) for note in dict.fromkeys(notes)),
        provenance=provenance,
    )
    return with_readings(case, readings)


def _series(volume: Volume | None) -> dict[str, dict[str, str]]:
    """What identifies the DICOM series that was read, so that results are filed with it and no other.

    The patient's identifier is kept as a short hash: it is compared, never shown.
    """
    series = volume.series if volume is not None else None
    if series is None or not (series.series_uid and series.sop_uids):
        return {}  # the sidecar of a NIfTI may name a series, but its images were not read
    found = {
        "series_uid": series.series_uid,
        "study_uid": series.study_uid,
        "frame_of_reference_uid": series.frame_of_reference_uid,
        "patient": patient_mark(series.patient_id),
    }
    return {"ct_series": {name: text for name, text in found.items() if text}}


def _ordered(sources: dict[str, Source]) -> list[tuple[str, Source]]:
    return [(role, sources[role]) for role in ("ct", "labels", "record") if role in sources]


def _beside(volume: Volume | None, scheme: Numbering) -> dict[str, str]:
    """Files that were read along with others: a scheme, and what stands beside a NIfTI."""
    found: dict[str, Path] = {}
    if isinstance(scheme, str | Path) and is_ordinary(Path(scheme)):
        found["scheme"] = Path(scheme)
    series = volume.series if volume is not None else None
    if series is not None and is_ordinary(beside := sidecar_of(Path(series.path))):
        found["sidecar"] = beside
    return {f"{role}: {_shown(path.name)}": sha256(path) for role, path in found.items()}


def _name(sources: dict[str, Source]) -> str:
    """The CT's or else the labels' file name without its ending."""
    path = sources["ct" if "ct" in sources else "labels"].path
    return UNNAMED if path is None else _shown(re.sub(r"\.nii(\.gz)?$", "", path.name))


def _shown(text: str) -> str:
    """A file name or note as one line that can be printed and written."""
    return plain(readable(text))
