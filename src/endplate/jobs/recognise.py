"""What a dropped file is, by its content: CT, labels, masks, DICOM images, DICOM SEG, patient record, label scheme."""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np

from endplate.errors import ImageError, InputError, LabelError
from endplate.image.dicom.opened import opened
from endplate.image.file_type import is_dicom
from endplate.image.labels.level_name import level_from_name
from endplate.image.limits import DEFAULT, ReadSettings
from endplate.image.nifti.file import read_nifti
from endplate.image.nifti.gunzip import plain_bytes
from endplate.image.nifti.header import read_header

Kind = Literal["ct", "labels", "mask", "dicom", "seg", "text"]
SHOWN = ("a CT or labels as NIfTI, the files of one DICOM series, a DICOM SEG, a folder of masks, or a patient record "
         "as JSON or TOML")  # fmt: skip
NIFTI_MAGIC = (b"n+1\0", b"ni1\0")
LOWEST_LABEL = 0
SIDECAR_KEYS = {
    "Modality",
    "KVP",
    "ConvolutionKernel",
    "SliceThickness",
    "ManufacturersModelName",
    "ConversionSoftware",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Dropped:
    """A file as it lies in an upload: where, and the name that it was given."""

    path: Path
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Recognised:
    """What was dropped, by role. At most one of `ct` (NIfTI) and `series`; of labels, masks and SEG at most one."""

    ct: Dropped | None = None
    series: tuple[Dropped, ...] = ()
    labels: Dropped | None = None
    masks: tuple[Dropped, ...] = ()
    seg: Dropped | None = None
    record: Dropped | None = None
    scheme: Dropped | None = None
    sidecar: Dropped | None = None


def quick_kind(path: Path) -> Literal["nifti", "dicom", "text", "zip"] | None:
    """What a file is by its first bytes; None where it is nothing that endplate reads."""
    with path.open("rb") as stream:
        head = stream.read(348)
    if head[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
        return "zip"
    if is_dicom(path):
        return "dicom"
    if head[:2] == b"\x1f\x8b":
        try:
            with plain_bytes(path) as plain:
                head = plain.read(348)
        except (OSError, EOFError, ValueError):
            return None
    if len(head) >= 348 and (head[344:348] in NIFTI_MAGIC or head[4:8] == b"n+2\0"):
        return "nifti"
    return "text" if _is_text(path) else None


def _is_text(path: Path) -> bool:
    if path.stat().st_size > DEFAULT.limits.table_bytes * 4:
        return False
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        return False
    return bool(text.strip()) and "\0" not in text


def recognise(files: Sequence[Dropped], reading: ReadSettings = DEFAULT) -> Recognised:
    """Sort what was dropped together.

    Raises
    ------
    InputError : a file is none of what endplate reads, or two of a kind were given; the message names them.
    """
    kinds: dict[Kind, list[Dropped]] = {}
    masks = [one for one in files if _names_a_level(one.name)]
    many = len(masks) > 1
    for one in files:
        kinds.setdefault("mask" if many and one in masks else _kind(one, reading), []).append(one)
    texts = _texts(kinds.get("text", []))
    found = Recognised(
        ct=_single(kinds.get("ct", []), "CT", ImageError),
        series=tuple(kinds.get("dicom", [])),
        labels=_single(kinds.get("labels", []), "label map", LabelError),
        masks=tuple(kinds.get("mask", [])),
        seg=_single(kinds.get("seg", []), "DICOM SEG", LabelError),
        **texts,
    )
    _refuse_two(found)
    return found


def _refuse_two(found: Recognised) -> None:
    if found.ct is not None and found.series:
        raise ImageError(
            f"{found.ct.name} and {len(found.series)} DICOM images were given together",
            "a case has one CT",
            "give one of them",
        )
    labels = [
        name for name, given in (("a label map", found.labels), ("masks", found.masks), ("a SEG", found.seg)) if given
    ]
    if len(labels) > 1:
        raise LabelError(f"{' and '.join(labels)} were given together", "only one can be used", "give one of them")


def _single(found: Sequence[Dropped], word: str, error: type[InputError]) -> Dropped | None:
    if len(found) > 1:
        names = ", ".join(one.name for one in found[:3])
        raise error(f"{len(found)} files look like a {word}: {names}", "a case has one", "give one of them")
    return found[0] if found else None


def _kind(one: Dropped, reading: ReadSettings) -> Kind:
    quick = quick_kind(one.path)
    if quick is None or quick == "zip":
        what = (
            "is a zip file within a zip file" if quick == "zip" else "is none of the kinds of file that endplate reads"
        )
        raise InputError(f"{one.name} {what}", "", f"give {SHOWN}")
    if quick == "dicom":
        modality = opened(one.path, reading.limits)[1].get("Modality", "").upper()
        return "seg" if modality == "SEG" else "dicom"
    if quick == "text":
        return "text"
    return _nifti_kind(one, reading)


def _nifti_kind(one: Dropped, reading: ReadSettings) -> Kind:
    """Labels are few whole numbers, none of them negative; a CT has air or fat in it."""
    header = read_header(one.path, reading)
    if header.label_xml is not None:
        return "labels"
    values = read_nifti(one.path, reading).values
    low = float(values.min())
    if low < LOWEST_LABEL:
        return "ct"
    if values.dtype.kind == "f" and not np.array_equal(values, np.rint(values)):
        return "ct"
    return "labels" if len(np.unique(values)) <= reading.limits.labels else "ct"


def _names_a_level(name: str) -> bool:
    return (
        name.lower().endswith((".nii", ".nii.gz")) and level_from_name(re.sub(r"\.nii(\.gz)?$", "", name)) is not None
    )


def _texts(found: Sequence[Dropped]) -> dict[str, Dropped | None]:
    """The patient record, the label scheme and the sidecar of a scan among text files."""
    schemes = [one for one in found if _is_scheme(one.path)]
    sidecars = [one for one in found if one not in schemes and _is_sidecar(one.path)]
    records = [one for one in found if one not in schemes and one not in sidecars]
    return {
        "record": _single(records, "patient record", InputError),
        "scheme": _single(schemes, "label scheme", InputError),
        "sidecar": _single(sidecars, "sidecar of a scan", InputError),
    }


def is_record(path: Path) -> bool:
    """Whether a text file is to be read as a patient record: it is no table of labels and no sidecar of a scan."""
    return not _is_scheme(path) and not _is_sidecar(path)


def _table_in(path: Path) -> dict[str, Any]:
    """What a JSON or TOML file holds; empty where it is neither."""
    try:
        text = path.read_text(encoding="utf-8-sig")
        table = json.loads(text) if text.lstrip().startswith(("{", "[")) else tomllib.loads(text)
    except (OSError, ValueError, RecursionError):
        return {}
    return table if isinstance(table, dict) else {}


def _is_sidecar(path: Path) -> bool:
    """The JSON file that dcm2niix and BIDS keep beside a NIfTI scan."""
    return bool(SIDECAR_KEYS & set(_table_in(path)))


def _is_scheme(path: Path) -> bool:
    """A table of levels and numbers, and not the record of a patient."""
    table = _table_in(path)
    if {"age_yr", "birth_year", "sex"} & set(table):
        return False
    inner = table.get("levels", table)
    return isinstance(inner, dict) and any(_pairs_a_level(key, value) for key, value in inner.items())


def _pairs_a_level(key: str, value: object) -> bool:
    names = [text for text in (key, value) if isinstance(text, str)]
    numbers = [one for one in (key, value) if isinstance(one, int) or (isinstance(one, str) and one.isdecimal())]
    return bool(numbers) and any(level_from_name(text) is not None for text in names)
