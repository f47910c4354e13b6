"""Take in what was dropped: recognise it, keep it by its hash, and go on to measure."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path
from typing import Any

from endplate.errors import ImageError, InputError, RecordError, text_fault
from endplate.image.dicom.opened import opened
from endplate.image.limits import DEFAULT
from endplate.jobs.context import JobContext
from endplate.jobs.names import by_given_names
from endplate.jobs.recognise import Dropped, Recognised, recognise
from endplate.jobs.record_levels import names_now
from endplate.patient import PatientRecord, parse_record
from endplate.patient.limits import bounded_bytes
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
        files = dropped(folder)
        with by_given_names({one.path: one.name for one in files}):
            _keep(context, recognise(files))
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
    _refuse_another_patient(context, found)
    single = (("labels", "nifti", found.labels), ("labels", "seg", found.seg),
              ("record", "record", found.record), ("scheme", "scheme", found.scheme))  # fmt: skip
    for role, kind, one in single:
        if one is not None:
            _set(context, role, keep_input(context.store, context.files, kind, [one.path], ours=True), one.name)
    if found.ct is not None:
        _keep_ct(context, found.ct, found.sidecar)
    if found.series:
        paths = [one.path for one in found.series]
        digest = keep_input(context.store, context.files, "dicom", paths, ours=True)
        _set(context, "ct", digest, f"{len(paths)} DICOM images")
    if found.masks:
        paths, names = [one.path for one in found.masks], [mask_name(one.name) for one in found.masks]
        digest = keep_input(context.store, context.files, "masks", paths, names, ours=True)
        _set(context, "labels", digest, f"{len(paths)} masks")
    if record is not None:
        change_case(context.store, context.job.case_id or "", record)


def _keep_ct(context: JobContext, ct: Dropped, sidecar: Dropped | None) -> None:
    """A CT, with the JSON file beside it under the name by which its reader looks for it."""
    paths, names = [ct.path], []
    if sidecar is not None:
        paths.append(sidecar.path)
        names = ["whole.nii.gz" if ct.path.name.endswith(".gz") else "whole.nii", "whole.json"]
    _set(context, "ct", keep_input(context.store, context.files, "nifti", paths, names, ours=True), ct.name)


def mask_name(name: str) -> str:
    """A name of our own for a mask, made of the letters and digits of the one that it was given."""
    bare = re.sub(r"[^A-Za-z0-9_]+", "_", re.sub(r"\.nii(\.gz)?$", "", name.rpartition("/")[2]))
    return f"{bare.strip('_')[:80]}{'.nii.gz' if name.lower().endswith('.gz') else '.nii'}"


def record_in(one: Dropped) -> PatientRecord:
    """The patient record of a dropped file, JSON or TOML by its content.

    Raises
    ------
    RecordError : as the commands say it, with the name that the file was given.
    """
    name = f"record {one.name}"
    try:
        text = bounded_bytes(one.path).decode("utf-8-sig")
        if not text.lstrip().startswith(("{", "[")):
            text = json.dumps(tomllib.loads(text), default=str)
    except ValueError as error:
        raise RecordError(f"{name} is not valid JSON or TOML", text_fault(error), "mend the file") from error
    return parse_record(text, name)


def _checked_record(context: JobContext, found: Recognised) -> dict[str, Any] | None:
    """The columns of the case that its record gives.

    Raises
    ------
    RecordError : it cannot be read, or it is of another patient than the case.
    """
    if found.record is None:
        return None
    record, row = record_in(found.record), context.case()
    if row.patient_id is not None and record.id is not None and record.id != row.patient_id:
        raise RecordError(
            f"the record is of patient {record.id}, the case of {row.patient_id}",
            "two patients would be mixed",
            "give the record of this patient, or begin a new case",
        )
    return {
        "record": record.model_dump(mode="json", exclude_none=True),
        "patient_id": record.id or row.patient_id,
        "record_names": names_now(context.store, row),  # a record that is given now speaks of the present names
    }


def _refuse_another_patient(context: JobContext, found: Recognised) -> None:
    """Refuse a series of another patient than the series that the case was read from before.

    Raises
    ------
    ImageError : naming both.
    """
    before = context.inputs().get("ct")
    if not found.series or before is None or not before.is_dir():
        return
    old = _patient_of(next(iter(sorted(before.iterdir()))))
    new = _patient_of(found.series[0].path)
    if old and new and old != new:
        raise ImageError(
            f"the series is of patient {new}, the case of {old}", "two patients would be mixed", "begin a new case"
        )


def _patient_of(path: Path) -> str:
    return opened(path, DEFAULT.limits)[1].get("PatientID", "")


def _set(context: JobContext, role: str, sha256: str, name: str) -> None:
    set_input(context.store, context.job.case_id or "", role, sha256, name)
