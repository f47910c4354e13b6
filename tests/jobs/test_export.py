"""An export holds what the list of our own files names, as it was left, and nothing that lies beside it."""

from __future__ import annotations

import zipfile

from endplate.jobs import queue
from endplate.jobs.context import JobContext
from endplate.jobs.export import ZIP, export
from endplate.report.folder import exchanged
from endplate.store.cases import add_case


def test_everything_of_ours_and_nothing_else(store, files, tmp_path):
    folder = tmp_path / "results"
    with exchanged(folder, ("case", "decision")) as new:
        for name in ("case.json", "report.html", "decision-aid.html", "volumes/labels.nii.gz"):
            (new / name).parent.mkdir(exist_ok=True)
            (new / name).write_text(f"<!doctype html><title>t</title><p>{name}")
    (folder / "private.txt").write_text("not ours")
    (folder / "decision-aid.html").write_text("changed by hand")
    case_id = add_case(store, "spine", folder)
    job_id = queue.submit(store, "export", "Export", "ada", case_id)
    context = JobContext(job=queue.claim(store, job_id), store=store, files=files)
    made = export(context)
    assert made["files"][-1] == ZIP
    with zipfile.ZipFile(context.folder() / ZIP) as archive:
        names = set(archive.namelist())
    assert {"case.json", "report.html", "volumes/labels.nii.gz"} <= names
    assert names.isdisjoint({"private.txt", "decision-aid.html"})
    assert made["missing"] or (context.folder() / "report.pdf").read_bytes().startswith(b"%PDF")
