"""The attributes of a DICOM header that are kept, as clean short text."""

from __future__ import annotations

from typing import Any

import pydicom

UIDS = ("SOPClassUID", "SOPInstanceUID", "SeriesInstanceUID", "StudyInstanceUID", "FrameOfReferenceUID")
OTHERS = (
    "Modality", "SeriesDescription", "KVP", "ContrastBolusAgent", "ConvolutionKernel", "Manufacturer",
    "ManufacturerModelName", "SliceThickness", "PatientID",
)  # fmt: skip
_IN_FILE_META = {"SOPClassUID": "MediaStorageSOPClassUID", "SOPInstanceUID": "MediaStorageSOPInstanceUID"}
_LONGEST = 64


def facts_of(header: pydicom.Dataset) -> dict[str, str]:
    """Keyword to text for the attributes present; a damaged one that nothing depends on counts as absent.

    Values are parsed by pydicom on access, so a damaged UID raises here, and only here.
    """
    facts = {key: clean(header.get(key)) for key in UIDS}
    for key, stored in _IN_FILE_META.items():  # some exporters leave the data set's own class blank
        facts[key] = facts[key] or clean(getattr(header, "file_meta", {}).get(stored))
    for key in OTHERS:
        try:
            facts[key] = clean(_anywhere(header, key))
        except Exception:  # any parser may raise any kind; unknown is a value
            facts[key] = ""
    return {key: text for key, text in facts.items() if text}


def clean(value: Any) -> str:
    """One short printable line of any attribute value; "" for none."""
    if value is None:
        return ""
    parts = value if isinstance(value, pydicom.multival.MultiValue) else [value]
    text = " ".join("\\".join(map(str, parts)).split())
    return "".join(c if c.isprintable() else "?" for c in text)[:_LONGEST]


def _anywhere(header: pydicom.Dataset, key: str) -> Any:
    """The attribute itself, or where multi-frame files keep it: in the shared functional groups."""
    value = header.get(key)
    shared = header.get("SharedFunctionalGroupsSequence")
    if value is None and shared:
        value = next((element.value for element in shared[0].iterall() if element.keyword == key), None)
    return value
