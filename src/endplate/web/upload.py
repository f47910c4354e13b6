"""Files dropped on the worklist or on a case: taken in at once, recognised and measured by a job."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import IO, Any

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.responses import RedirectResponse, Response

from endplate.errors import EndplateError
from endplate.jobs.recognise import quick_kind
from endplate.patient import parse_record, read_record
from endplate.store.audit import note
from endplate.store.cases import CaseRow, add_case, case_row
from endplate.store.ids import new_id
from endplate.store.users import User
from endplate.web.access import Editor, TheBench, TheCase
from endplate.web.bench import Bench, start_job
from endplate.web.unpack import discard, unpack

router = APIRouter(include_in_schema=False)
Given = Sequence[tuple[str, IO[bytes]]]


@router.post("/cases")
async def new_case(request: Request, bench: TheBench, user: Editor) -> Response:
    """Begin a case with what was dropped, and start to measure it."""
    given, name = await _given(request, bench)
    case = await run_in_threadpool(take_in, bench, user, given, None, name)
    return _answer(request, case)


@router.post("/cases/{case_id}/files")
async def more_files(request: Request, bench: TheBench, user: Editor, case: TheCase) -> Response:
    """Add files to a case, or replace one of a kind, and measure it again."""
    given, _ = await _given(request, bench)
    return _answer(request, await run_in_threadpool(take_in, bench, user, given, case, ""))


async def _given(request: Request, bench: Bench) -> tuple[Given, str]:
    form = await request.form(max_files=bench.settings.upload_files, max_fields=20)
    files = [one for one in form.getlist("files") if isinstance(one, UploadFile) and (one.filename or one.size)]
    name = form.get("name")
    return [(one.filename or "file", one.file) for one in files], name.strip() if isinstance(name, str) else ""


def take_in(bench: Bench, user: User, given: Given, case: CaseRow | None, name: str) -> CaseRow:
    """Keep what was given and start the job that recognises and measures it; returns the case.

    Raises
    ------
    InputError : a file that endplate does not read, or a record that cannot be used; nothing is kept then.
    """
    folder = bench.files.new_incoming()
    try:
        names = unpack(folder, given, bench.settings)
        _refuse_bad_record(folder, names)
    except (EndplateError, OSError):
        discard(folder)
        raise
    if case is None:
        case = case_row(bench.store, add_case(bench.store, name or _name_of(names)))
        note(bench.store, user.name, "began the case", case)
    else:
        note(bench.store, user.name, "added files", case, ", ".join(names.values()))
    start_job(bench, user, "intake", f"Measure {case.name}", case, {"upload": folder.name})
    return case


def _refuse_bad_record(folder: Any, names: dict[str, str]) -> None:
    """A record is small: it is refused at once, with the line that the command prints."""
    for number, name in names.items():
        path = folder / number
        if quick_kind(path) == "text" and _looks_like_record(path):
            if path.suffix == ".toml":
                read_record(path)
            else:
                parse_record(path.read_text(encoding="utf-8-sig"), f"record {name}")


def _looks_like_record(path: Any) -> bool:
    text = path.read_text(encoding="utf-8-sig")
    return '"age_yr"' in text or "age_yr" in text.split("=")[0] or "\nage_yr" in text


def _name_of(names: dict[str, str]) -> str:
    """A name for a case: that of its first image without the ending."""
    images = [name for name in names.values() if ".nii" in name.lower()] or list(names.values())
    first = min(images, key=lambda name: ("label" in name.lower() or "seg" in name.lower(), name))
    for end in (".nii.gz", ".nii", ".dcm", ".zip", ".json", ".toml"):
        first = first.removesuffix(end)
    return first or f"case {new_id()[:6]}"


def _answer(request: Request, case: CaseRow) -> Response:
    """To a script the address of the case as JSON, to a form the worklist."""
    if "application/json" in request.headers.get("accept", ""):
        return Response(json.dumps({"ok": True, "case": case.id}), media_type="application/json")
    return RedirectResponse("/", 303)
