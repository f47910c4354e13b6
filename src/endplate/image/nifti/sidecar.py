"""The JSON file that dcm2niix and BIDS keep beside a NIfTI scan: the acquisition facts that NIfTI cannot hold."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path
from typing import Any

from endplate.errors import ImageError
from endplate.image.error_text import name_of
from endplate.image.file_type import is_ordinary
from endplate.image.series_ref import SeriesRef

MAX_BYTES = 2**22
_LONGEST = 64


def sidecar_of(path: Path) -> Path:
    """Where the JSON file of a NIfTI scan would lie."""
    return path.parent / (path.name.removesuffix(".gz").removesuffix(".nii") + ".json")


def with_sidecar(series: SeriesRef, path: Path) -> SeriesRef:
    """The series with tube voltage, kernel, contrast, maker and thickness from `name.json` beside `name.nii.gz`.

    Without such a file, or where it is no JSON object, the series comes back as it was (with a note in the second
    case).

    Raises
    ------
    ImageError : the file says that the scan is not a CT.
    """
    sidecar = sidecar_of(path)
    if not is_ordinary(sidecar) or sidecar.stat().st_size > MAX_BYTES:
        return series
    try:
        facts = json.loads(sidecar.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        facts = None
    if not isinstance(facts, dict):
        return replace(series, notes=(*series.notes, f"{name_of(sidecar)} beside the scan cannot be read"))
    modality = _text(facts.get("Modality"))
    if modality not in (None, "CT"):
        raise ImageError(
            f"{name_of(path)} is {modality}, says {name_of(sidecar)}", "Hounsfield units are needed", "give the CT"
        )
    agent = _text(facts.get("ContrastBolusAgent")) or _text(facts.get("ContrastBolusIngredient"))
    maker = [_text(facts.get(key)) for key in ("Manufacturer", "ManufacturersModelName")]
    return replace(
        series,
        modality=modality,
        kvp=_positive(facts.get("KVP")),
        contrast=None if agent is None else agent.upper() not in ("NONE", "NO"),
        kernel=_text(facts.get("ConvolutionKernel")),
        manufacturer=" ".join(part for part in maker if part) or None,
        slice_thickness_mm=_positive(facts.get("SliceThickness")),
        series_uid=_text(facts.get("SeriesInstanceUID")),
        study_uid=_text(facts.get("StudyInstanceUID")),
        notes=(*series.notes, f"acquisition facts from {name_of(sidecar)}"),
    )


def _text(value: Any) -> str | None:
    if not isinstance(value, str):
        return None
    return "".join(c if c.isprintable() else "?" for c in value.strip())[:_LONGEST] or None


def _positive(value: Any) -> float | None:
    """A positive number, also where it was written as text."""
    try:
        number = float(value) if isinstance(value, int | float | str) and not isinstance(value, bool) else 0.0
    except (ValueError, OverflowError):
        return None
    return number if number > 0 and math.isfinite(number) else None
