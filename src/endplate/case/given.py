"""What a case is read from, whatever it is: a path, an image in memory, an array with an affine, a record as a dict."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from endplate.case.provenance import sha256
from endplate.errors import OptionError
from endplate.image.ct import read_ct
from endplate.image.gantry_tilt import straighten_volume
from endplate.image.hounsfield import check_hounsfield
from endplate.image.labels import read_labels
from endplate.image.labels.in_memory import Numbering, labels_in_memory
from endplate.image.limits import DEFAULT, ReadSettings
from endplate.image.padding import fill_padding
from endplate.image.placed import Frame, Placed, place_array, place_nibabel, place_sitk, sitk_affine
from endplate.image.series_ref import SeriesRef
from endplate.image.volume import LabelMap, Volume, placed_volume
from endplate.patient import PatientRecord, read_record
from endplate.patient.record import parse_record

IMAGES = "a path, a nibabel or SimpleITK image, or an array with affine= and frame="


@dataclass(frozen=True, slots=True, kw_only=True)
class Where:
    """The place of an array in the patient: (4, 4) index to mm and its world frame; None for images with their own."""

    affine: ArrayLike | None = None
    frame: Frame | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where something came from: its name, its SHA-256, its path if it has one."""

    name: str
    digest: str
    path: Path | None = None


def ct_of(given: Any, where: Where, reading: ReadSettings = DEFAULT) -> tuple[Volume, Source]:
    """A CT and where it came from.

    Raises
    ------
    ImageError, OptionError : what, why, what to give.
    """
    if isinstance(given, str | Path):
        path = Path(given)
        return read_ct(path, reading), Source(name=path.name, digest=sha256(path), path=path)
    if isinstance(given, Volume):
        volume, name = given, "Volume in memory"
    else:
        placed, kind = _placed(given, where, "ct")
        volume, name = placed_volume(placed), kind
    digest = digest_of(volume.hu, volume.grid.affine)
    volume = _without_padding(volume, name)
    check_hounsfield(volume.hu, volume.grid, f"the CT ({name})")
    return straighten_volume(volume), Source(name=name, digest=digest)


def _without_padding(volume: Volume, name: str) -> Volume:
    """The volume with padding outside its field set to air, as of a file; what was given stays as it is."""
    hu = np.array(volume.hu)
    notes = fill_padding(hu)
    if not notes:
        return volume
    series = volume.series or SeriesRef(path=name)
    return replace(volume, hu=hu, series=replace(series, notes=series.notes + notes))


def labels_of(given: Any, scheme: Numbering, where: Where, reading: ReadSettings = DEFAULT) -> tuple[LabelMap, Source]:
    """Vertebra labels and where they came from.

    Raises
    ------
    LabelError, ImageError, OptionError : what, why, what to give.
    """
    if isinstance(given, str | Path):
        path = Path(given)
        if isinstance(scheme, Mapping):
            raise OptionError("a table as scheme= of a label file", "a file has one by name", "write a scheme file")
        return read_labels(path, scheme, reading), Source(name=path.name, digest=sha256(path), path=path)
    if isinstance(given, LabelMap):
        return given, Source(name="LabelMap in memory", digest=digest_of(given.labels, given.grid.affine))
    placed, kind = _placed(given, where, "labels")
    return labels_in_memory(placed, scheme, f"the labels ({kind})"), Source(
        name=kind, digest=digest_of(placed.values, placed.affine)
    )


def record_of(given: Any) -> tuple[PatientRecord, Source]:
    """A patient record and where it came from.

    Raises
    ------
    RecordError, OptionError : what, why, what to give.
    """
    if isinstance(given, str | Path):
        path = Path(given)
        return read_record(path), Source(name=path.name, digest=sha256(path), path=path)
    if isinstance(given, Mapping):
        return _in_memory(parse_record(json.dumps(dict(given), default=str), "record"), "dict in memory")
    if isinstance(given, PatientRecord):
        return _in_memory(given, "PatientRecord in memory")
    raise OptionError(f"record={type(given).__name__}", "a patient record is needed", "give a path, a dict or a record")


def _in_memory(record: PatientRecord, name: str) -> tuple[PatientRecord, Source]:
    text = record.model_dump_json()
    return record, Source(name=name, digest=hashlib.sha256(text.encode()).hexdigest())


def place_of(given: Any, where: Where) -> Where:
    """The place that an array beside this image may share: that of the image as it was given."""
    if where.affine is not None or given is None or isinstance(given, str | Path):
        return where
    if isinstance(given, Volume):
        return Where(affine=given.grid.affine, frame="LPS")
    if _is_nibabel(given):
        return Where(affine=given.affine, frame="RAS")
    if _is_sitk(given):
        return Where(affine=sitk_affine(given), frame="LPS")
    return where


def digest_of(values: NDArray[Any], affine: NDArray[np.float64]) -> str:
    """SHA-256 of voxels and their place, for the provenance of what never was a file."""
    digest = hashlib.sha256(str((values.shape, values.dtype.str)).encode())
    digest.update(np.ascontiguousarray(affine, np.float64).tobytes())
    digest.update(np.ascontiguousarray(values).data)
    return digest.hexdigest()


def _placed(given: Any, where: Where, role: str) -> tuple[Placed, str]:
    """Voxels, affine, and what kind of thing they came from."""
    if _is_nibabel(given):
        return place_nibabel(given), "nibabel image in memory"
    if _is_sitk(given):
        return place_sitk(given), "SimpleITK image in memory"
    if isinstance(given, np.ndarray):
        return place_array(given, where.affine, where.frame), "array in memory"
    raise OptionError(f"{role}={type(given).__name__}", f"{role} can be {IMAGES}", "give one of these")


def _is_nibabel(given: Any) -> bool:
    return hasattr(given, "dataobj") and hasattr(given, "affine") and hasattr(given, "header")


def _is_sitk(given: Any) -> bool:
    return hasattr(given, "GetDirection") and hasattr(given, "GetSpacing")
