"""A results folder opened as a case: its pictures are asked for once, and its thumbnail is the sagittal section."""

from __future__ import annotations

import re
import shutil

import pytest

import endplate as ep
from endplate.image.nifti import write_labels, write_volume
from endplate.jobs import queue
from endplate.jobs.summary import picture_of
from endplate.store.cases import case_row, case_rows, change_case, inputs_of, remove_case
from endplate.web.opened import open_results


@pytest.fixture(scope="module")
def results(tmp_path_factory):
    """Results beside the scan that they came from."""
    place = tmp_path_factory.mktemp("opened")
    levels = (ep.Level.L1, ep.Level.L2)
    spine = ep.make_phantom(ep.PhantomSpec(levels=levels, spacing_mm=(2.0, 2.0, 2.0), field_mm=(110, 130)))
    write_volume(place / "ct.nii.gz", spine.volume.grid, spine.volume.hu)
    write_labels(place / "labels.nii.gz", spine.labels)
    case = ep.read_case(place / "ct.nii.gz", labels=place / "labels.nii.gz")
    ep.assess(case, mechanics=False).save(place / "results")
    return place / "results"


def open_again(bench, results):
    return open_results(bench.store, bench.files, results, "ada")


def test_the_pictures_are_asked_for_at_once_and_only_where_they_are_missing(bench, results):
    case_id = open_again(bench, results)
    assert set(inputs_of(bench.store, case_id)) == {"ct", "labels"}
    assert [job.task for job in queue.jobs(bench.store)] == ["view"]
    assert open_again(bench, results) == case_id
    assert len(queue.jobs(bench.store)) == 1  # one that waits is taken
    queue.end(bench.store, queue.jobs(bench.store)[0].id, "done")
    view = bench.files.view(case_id)
    view.mkdir()
    (view / "scene.json").write_text("{}")
    open_again(bench, results)
    assert len(queue.jobs(bench.store)) == 1  # they are there


def test_a_case_that_was_corrected_since_stays_the_one_case_of_its_folder(bench, results, tmp_path):
    folder = tmp_path / "results"
    shutil.copytree(results, folder)
    case_id = open_again(bench, folder)
    ours = bench.files.results(case_id)  # where a job that measures again writes
    shutil.copytree(results, ours)
    summary = case_row(bench.store, case_id).summary | {"worst": "L2"}
    change_case(bench.store, case_id, {"folder": str(ours), "summary": summary})
    assert open_again(bench, folder) == case_id
    assert len(case_rows(bench.store)) == 1
    assert case_row(bench.store, case_id).folder == ours  # and what was corrected is still what is shown
    assert case_row(bench.store, case_id).summary["worst"] == "L2"
    newer = re.sub(r'"started": "[^"]*"', '"started": "2999-01-01T00:00:00+00:00"', (folder / "case.json").read_text())
    (folder / "case.json").write_text(newer)
    assert open_again(bench, folder) != case_id  # results that a command wrote since are not hidden
    remove_case(bench.store, case_id)
    assert open_again(bench, folder) != case_id


def test_without_the_scan_nothing_is_asked_for_and_the_page_says_what_to_do(bench, browser, results, tmp_path):
    alone = tmp_path / "alone"
    alone.mkdir()
    for name in ("case.json", "report.html"):
        (alone / name).write_bytes((results / name).read_bytes())
    case_id = open_again(bench, alone)
    assert queue.jobs(bench.store) == []
    text = browser.get(f"/cases/{case_id}/view").text
    assert "opened without the scan" in text and f'href="/cases/{case_id}/files"' in text


def test_a_scan_that_was_changed_since_is_not_taken(bench, results, tmp_path):
    copy = tmp_path / "copy"
    copy.mkdir()
    for name in ("case.json", "report.html"):
        (copy / name).write_bytes((results / name).read_bytes())
    (copy / "ct.nii.gz").write_bytes(b"another scan")
    case_id = open_again(bench, copy)
    assert inputs_of(bench.store, case_id) == {}
    assert case_row(bench.store, case_id).folder == copy


def test_the_thumbnail_is_the_sagittal_section_wherever_it_stands(results, tmp_path):
    made = picture_of(results)
    assert made is not None and made[1] == "image/webp"
    page = (results / "report.html").read_text(encoding="utf-8")
    axial = '<svg><image href="data:image/png;base64,AAAA"/></svg>'
    (tmp_path / "report.html").write_text(axial + page, encoding="utf-8")
    assert picture_of(tmp_path) == made
    (tmp_path / "report.html").write_text(axial, encoding="utf-8")
    assert picture_of(tmp_path) is None
