"""A store with one small case: two vertebrae of a digital spine, as files kept by their hash."""

from __future__ import annotations

import time

import pytest

from endplate.image.nifti import write_labels, write_volume
from endplate.image.phantom import PhantomSpec, make_phantom
from endplate.jobs import queue
from endplate.jobs.supervise import Place
from endplate.level import Level
from endplate.store.cases import add_case, set_input
from endplate.store.database import open_store
from endplate.store.files import Files, keep_input


@pytest.fixture(scope="session")
def scan(tmp_path_factory):
    folder = tmp_path_factory.mktemp("scan")
    spec = PhantomSpec(levels=(Level.L1, Level.L2), spacing_mm=(2.0, 2.0, 2.0), field_mm=(110, 130))
    phantom = make_phantom(spec)
    write_volume(folder / "ct.nii.gz", phantom.volume.grid, phantom.volume.hu)
    write_labels(folder / "labels.nii.gz", phantom.labels)
    return folder


@pytest.fixture
def store(tmp_path):
    with open_store(tmp_path / "endplate.db") as store:
        yield store


@pytest.fixture
def files(tmp_path):
    return Files(tmp_path / "data").prepare()


@pytest.fixture
def place(store, files):
    return Place(database=store.name, data=str(files.root))


@pytest.fixture
def case_id(store, files, scan):
    case_id = add_case(store, "spine")
    for role in ("ct", "labels"):
        set_input(store, case_id, role, keep_input(store, files, "nifti", [scan / f"{role}.nii.gz"]), f"{role}.nii.gz")
    return case_id


@pytest.fixture
def until(store):
    """Wait until a job is in one of some states; returns it and the seconds that took."""

    def wait(job_id, *states, seconds=60.0):
        begun = time.monotonic()
        while time.monotonic() - begun < seconds:
            job = queue.job_row(store, job_id)
            if job.state in states:
                return job, time.monotonic() - begun
            time.sleep(0.05)
        raise AssertionError(f"{job.state} after {seconds} s, not {states}")

    return wait
