"""What a case was read from: size, time and SHA-256 of each input; an unchanged one is known without reading it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from endplate.case.provenance import sha256
from endplate.cohort.settings import Job
from endplate.errors import EndplateError
from endplate.image.dicom.files import files_of
from endplate.image.file_type import exists, is_dicom, is_ordinary
from endplate.image.limits import DEFAULT
from endplate.image.nifti.sidecar import sidecar_of

Print = dict[str, Any]
"""path, bytes, mtime_ns, files and sha256 of one input; None for what is not known."""


def inputs_of(job: Job) -> dict[str, Path]:
    """Every file and folder that a case is read from, by role; a file of a DICOM series stands for its folder."""
    row, scheme = job.row, job.settings.scheme
    beside = None if row.ct is None else sidecar_of(row.ct)
    found: dict[str, Path | None] = {
        "ct": row.ct.parent if row.ct is not None and is_dicom(row.ct) else row.ct,
        "sidecar": beside if beside is not None and is_ordinary(beside) else None,
        "labels": row.labels,
        "record": row.record if isinstance(row.record, Path) else None,
        "scheme": Path(scheme) if scheme and is_ordinary(Path(scheme)) else None,
    }
    return {role: path for role, path in found.items() if path is not None}


def quick_prints(job: Job) -> dict[str, Print]:
    """Everything but the hashes: nothing is read."""
    prints = {role: _stat(path) for role, path in inputs_of(job).items()}
    if isinstance(job.row.record, Mapping):
        text = json.dumps(dict(job.row.record), sort_keys=True, default=str)
        prints["record"] = {"path": None, "sha256": hashlib.sha256(text.encode()).hexdigest()}
    return prints


def full_prints(job: Job) -> dict[str, Print]:
    """With the SHA-256 of each input; of one that cannot be read it is None."""
    prints = quick_prints(job)
    for role, path in inputs_of(job).items():
        try:
            prints[role]["sha256"] = sha256(path)
        except EndplateError:
            prints[role]["sha256"] = None
    return prints


def same_at_a_glance(now: Mapping[str, Print], then: Mapping[str, Print]) -> bool:
    """Whether path, size and time of every input are as they were."""
    return now.keys() == then.keys() and all(
        all(then[role].get(key) == value for key, value in now[role].items()) for role in now
    )


def same_content(now: Mapping[str, Print], then: Mapping[str, Print]) -> bool:
    """Whether every input holds what it held, wherever it lies."""
    return now.keys() == then.keys() and all(
        now[role].get("sha256") is not None and now[role]["sha256"] == then[role].get("sha256") for role in now
    )


def _stat(path: Path) -> Print:
    if not exists(path):
        return {"path": str(path), "bytes": None, "mtime_ns": None, "files": 0}
    try:
        files = files_of(path, DEFAULT.limits) if path.is_dir() else [path]
        facts = [file.stat() for file in files]
    except (OSError, EndplateError):
        return {"path": str(path), "bytes": None, "mtime_ns": None, "files": 0}
    return {
        "path": str(path),
        "bytes": sum(fact.st_size for fact in facts),
        "mtime_ns": max((fact.st_mtime_ns for fact in facts), default=None),
        "files": len(files),
    }
