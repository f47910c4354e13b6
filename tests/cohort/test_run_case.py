"""One case: what it leaves, when it is done, and when it is run again."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace

import pytest
from tests.support.small_cohort import write_cohort

from endplate.case.assess import AssessSettings
from endplate.case.plan import PlanSettings
from endplate.cohort.row import CohortRow
from endplate.cohort.run_case import record_failure, run_case
from endplate.cohort.settings import CohortSettings, Job, settings_hash
from endplate.cohort.source import read_rows
from endplate.cohort.stamp import is_done, read_stamp
from endplate.errors import OutputError

SETTINGS = CohortSettings(plan=PlanSettings(assess=AssessSettings(mechanics=False)))


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    """A case that was run once, labels alone, and the job that ran it."""
    folder = tmp_path_factory.mktemp("cohort")
    (row,) = read_rows(write_cohort(folder / "in", 1, 2.5))
    job = Job(row=replace(row, ct=None), folder=folder / "out", settings=SETTINGS)
    assert run_case(job).status == "done"
    return job


@pytest.fixture
def job(cohort, tmp_path):
    """A copy of it that a test may spoil."""
    shutil.copytree(cohort.folder, tmp_path / "out")
    shutil.copytree(cohort.row.labels.parent, tmp_path / "in")
    row = replace(cohort.row, labels=tmp_path / "in" / "labels.nii.gz", record=tmp_path / "in" / "record.json")
    return replace(cohort, row=row, folder=tmp_path / "out")


def done(job: Job) -> bool:
    return is_done(job, read_stamp(job.folder), settings_hash(job.settings))


def test_a_case_leaves_its_document_picture_and_stamp(cohort):
    names = sorted(path.name for path in cohort.folder.iterdir() if not path.name.startswith("."))
    assert names == ["case.json", "cohort.json", "thumbnail.jpg"]
    stamp = read_stamp(cohort.folder)
    assert stamp.status == "done" and stamp.sex in ("female", "male") and stamp.age_yr == 50
    assert [mark[0] for mark in stamp.marks] == ["L1", "L2"]
    assert set(stamp.inputs) == {"labels", "record"} and all(one["sha256"] for one in stamp.inputs.values())
    assert done(cohort)


def test_a_moved_input_of_the_same_content_is_kept_without_computing(job, monkeypatch):
    assert not done(job)  # its path is another one now
    monkeypatch.setattr("endplate.cohort.run_case._made", lambda job: pytest.fail("it was computed again"))
    assert run_case(job).status == "kept"
    assert done(job)  # and is known at a glance from now on
    os.utime(job.row.labels, ns=(1, 1))
    assert not done(job) and run_case(job).status == "kept" and done(job)


@pytest.mark.parametrize("change", ["content", "settings", "version", "output gone", "output cut", "stamp cut"])
def test_what_no_longer_fits_is_run_again(job, monkeypatch, change):
    monkeypatch.setattr("endplate.cohort.run_case._made", lambda job: pytest.fail("computed"))
    if change == "content":
        job.row.record.write_text(json.dumps({"id": "x", "age_yr": 61, "sex": "male"}))
    elif change == "settings":
        job = replace(job, settings=replace(SETTINGS, scheme="verse"))
    elif change == "version":
        stamp = json.loads((job.folder / "cohort.json").read_text())
        (job.folder / "cohort.json").write_text(json.dumps(stamp | {"version": "0.1.9"}))
    elif change == "output gone":
        (job.folder / "case.json").unlink()
    elif change == "output cut":
        (job.folder / "case.json").write_text("{}")
    else:
        (job.folder / "cohort.json").write_text("{")
    assert not done(job)
    with pytest.raises(pytest.fail.Exception, match="computed"):
        run_case(job)


@pytest.mark.parametrize(
    ("row", "step", "kind", "words"),
    [
        (CohortRow(id="a"), "assess", "LabelError", "neither a CT nor labels"),
        (CohortRow(id="a", ct="IN/labels.nii.gz"), "assess", "LabelError", "has no labels"),
        (CohortRow(id="a", labels="IN/none.nii.gz"), "assess", "LabelError", "does not exist"),
        (CohortRow(id="a", labels="IN/record.json"), "assess", "LabelError", ""),
        (CohortRow(id="a", labels="IN/labels.nii.gz"), "plan", "RecordError", "has no record"),
        (CohortRow(id="a", record={"age_yr": 700, "sex": "female"}), "decide", "RecordError", ""),
    ],
)
def test_a_bad_case_is_a_row_with_its_reason(cohort, tmp_path, row, step, kind, words):
    there = cohort.row.labels.parent
    ct, labels = (None if p is None else there / str(p).removeprefix("IN/") for p in (row.ct, row.labels))
    job = Job(row=replace(row, ct=ct, labels=labels), folder=tmp_path / "out", settings=replace(SETTINGS, step=step))
    outcome = run_case(job)
    assert outcome.status == "failed" and words in outcome.reason
    stamp = read_stamp(job.folder)
    assert (stamp.status, stamp.reason) == ("failed", outcome.reason) and (kind in stamp.kind or not words)
    assert not (job.folder / "case.json").exists()
    assert done(job)  # the same inputs would fail the same way


def test_a_record_alone_is_decided_on(tmp_path):
    row = CohortRow(id="a", record={"id": "a", "age_yr": 74, "sex": "female", "levels": {"L1": {"fracture": True}}})
    job = Job(row=row, folder=tmp_path / "out", settings=replace(SETTINGS, step="decide"))
    assert run_case(job).status == "done"
    verdicts = read_stamp(job.folder).verdicts
    assert ("L1", "nice_ta279") in {verdict[:2] for verdict in verdicts}
    assert any(verdict[1].startswith("steadi") and not verdict[0] for verdict in verdicts)


def test_a_fault_that_is_not_of_the_inputs_is_raised_to_be_tried_again(job, monkeypatch):
    def full(*_: object) -> None:
        raise OutputError("no space left", "", "")

    (job.folder / "cohort.json").unlink()
    monkeypatch.setattr("endplate.cohort.run_case._made", full)
    with pytest.raises(OutputError):
        run_case(job)
    assert record_failure(job, "KilledWorker", "died 4 times").status == "failed"
    assert read_stamp(job.folder).reason == "died 4 times" and not (job.folder / "case.json").exists()
