"""What identifies a scan, and the facts of its acquisition that density needs."""

from __future__ import annotations

from dataclasses import dataclass

from endplate.short_repr import short_repr


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class SeriesRef:
    """What identifies a scan: file path or DICOM UIDs, and the acquisition facts that density needs.

    `kvp`, `contrast`, `kernel`, `manufacturer`, `slice_thickness_mm` are None where the file does not say.
    """

    path: str
    modality: str | None = None
    study_uid: str | None = None
    series_uid: str | None = None
    frame_of_reference_uid: str | None = None
    sop_uids: tuple[str, ...] = ()
    kvp: float | None = None
    contrast: bool | None = None
    kernel: str | None = None
    manufacturer: str | None = None
    slice_thickness_mm: float | None = None
    patient_id: str | None = None
    notes: tuple[str, ...] = ()

    __repr__ = short_repr
