"""A store with one digital spine, measured as a job measures it, and jobs run in this process."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

from endplate.image.nifti import HU, write_labels, write_volume
from endplate.image.phantom import Deformity, PhantomSpec, make_phantom
from endplate.jobs import queue
from endplate.jobs.context import JobContext
from endplate.jobs.tasks import task_of
from endplate.level import Level
from endplate.store.cases import add_case, change_case, set_input
from endplate.store.database import Store, open_store
from endplate.store.files import Files, keep_input

LEVELS = (Level.T12, Level.L1, Level.L2, Level.L3)
BROKEN = Level.L2


def run_job(store: Store, files: Files, job_id: str) -> dict[str, Any]:
    """Run a waiting job here; what it returns."""
    job = queue.claim(store, job_id)
    assert job is not None
    try:
        result = task_of(job.task)(JobContext(job=job, store=store, files=files))
    except Exception as error:
        queue.end(store, job_id, "failed", {"error": {"message": str(error)}})
        raise
    queue.end(store, job_id, "done", {"result": result})
    return result


_MADE: dict[str, tuple[Path, str]] = {}


def copied_store(place: Path, once: Path) -> str:
    """A store in the empty folder `place` with the measured case in it; its id.

    The case is measured once a process, in the folder `once`, and copied.
    """
    if "case" not in _MADE:
        with open_store(once / "endplate.db") as store:
            files = Files(once / "data").prepare()
            _MADE["case"] = once, measured_case(store, files, once / "given")
    source, case_id = _MADE["case"]
    shutil.copytree(source, place, dirs_exist_ok=True)
    with open_store(place / "endplate.db") as store:
        change_case(store, case_id, {"folder": str(Files(place / "data").results(case_id))})
    return case_id


def measured_case(store: Store, files: Files, place: Path) -> str:
    """A case T12 to L3 whose L2 is a wedge, measured without mechanics; its id."""
    wedge = {BROKEN: Deformity(shape="wedge", loss=0.4, breach=True)}
    spec = PhantomSpec(levels=LEVELS, spacing_mm=(1.5, 1.5, 1.5), field_mm=(120, 150), deformities=wedge)
    phantom = make_phantom(spec)
    place.mkdir(parents=True, exist_ok=True)
    write_volume(place / "ct.nii.gz", phantom.volume.grid, phantom.volume.hu, meaning=HU)
    write_labels(place / "labels.nii.gz", phantom.labels)
    case_id = add_case(store, "Digital spine")
    for role in ("ct", "labels"):
        digest = keep_input(store, files, "nifti", [place / f"{role}.nii.gz"])
        set_input(store, case_id, role, digest, f"{role}.nii.gz")
    run_job(store, files, queue.submit(store, "measure", "Measure", "ada", case_id, {"mechanics": False}))
    return case_id
