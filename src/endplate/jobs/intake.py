"""Take in what was dropped: recognise it, keep it by its hash, and go on to measure."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

from endplate.errors import InputError, RecordError
from endplate.jobs.context import JobContext
from endplate.jobs.recognise import Dropped, Recognised, recognise
from endplate.store.cases import change_case, input_paths, set_input
from endplate.store.files import keep_input

NAMES = "names.json"
"""Beside the files of an upload: the names that they were given, by number."""


def intake(context: JobContext) -> dict[str, Any]:
    """Recognise the upload of the job, keep its files with the case, and measure it.

    Arguments of the job: `upload`, the id of a folder of files. After that those of `measure`.
    """
    folder = context.files.incoming(str(context.arguments["upload"]))
    if folder.is_dir():
        context.tell("recognise", 0.0, "")
        _keep(context, recognise(dropped(folder)))
        shutil.rmtree(folder, ignore_errors=True)
        context.keep("the files that were given are kept with the case; nothing was measured")
        context.tell("recognise", 1.0, "")
    elif not input_paths(context.store, context.files, context.job.case_id or ""):
        raise InputError("the files that were given are gone", "", "give them again")
    from endplate.jobs.measure import measure

    return measure(context)


def dropped(folder: Path) -> list[Dropped]:
    """The files of an upload with their names."""
    names = json.loads((folder / NAMES).read_text(encoding="utf-8"))
    return [Dropped(path=folder / number, name=name) for number, name in names.items()]


def _keep(context: JobContext, found: Recognised) -> None:
    """Keep each part by its hash, under the name that it was given."""
    record = _checked_record(context, found)
    single = (("ct", "nifti", found.ct), ("labels", "nifti", found.labels), ("labels", "seg", found.seg),
              ("record", "record", found.record), ("scheme", "scheme", found.scheme))  # fmt: skip
    for role, kind, one in single:
        if one is not None:
            _set(context, role, keep_input(context.store, context.files, kind, [one.path], ours=True), one.name)
    if found.series:
        paths = [one.path for one in found.series]
        digest = keep_input(context.store, context.files, "dicom", paths, ours=True, names=_numbers(len(paths)))
        _set(context, "ct", digest, f"{len(paths)} DICOM images")
    if found.masks:
        paths, names = [one.path for one in found.masks], [mask_name(one.name) for one in found.masks]
        digest = keep_input(context.store, context.files, "masks", paths, names, ours=True)
        _set(context, "labels", digest, f"{len(paths)} masks")
    if record is not None:
        change_case(context.store, context.job.case_id or "", record)


def _numbers(count: int) -> list[str]:
    return [f"{number:05d}.dcm" for number in range(count)]


def mask_name(name: str) -> str:
    """A name of our own for a mask, made of the letters and digits of the one that it was given."""
    bare = re.sub(r"[^A-Za-z0-9_]+", "_", re.sub(r"\.nii(\.gz)?$", "", name.rpartition("/")[2]))
    return f"{bare.strip('_')[:80]}{'.nii.gz' if name.lower().endswith('.gz') else '.nii'}"


def _checked_record(context: JobContext, found: Recognised) -> dict[str, Any] | None:
    """The columns of the case that its record gives.

    Raises
    ------
    RecordError : it cannot be read, or it is of another patient than the case.
    """
    if found.record is None:
        return None
    from endplate.patient import read_record

    record, row = read_record(found.record.path), context.case()
    if row.patient_id is not None and record.id is not None and record.id != row.patient_id:
        raise RecordError(
            f"the record is of patient {record.id}, the case of {row.patient_id}",
            "two patients would be mixed",
            "give the record of this patient, or begin a new case",
        )
    return {"record": record.model_dump(mode="json", exclude_none=True), "patient_id": record.id or row.patient_id}


def _set(context: JobContext, role: str, sha256: str, name: str) -> None:
    set_input(context.store, context.job.case_id or "", role, sha256, name)
