"""Cases on Dask: a small cohort end to end with a worker killed; schedulers and workers that cannot be used."""

from __future__ import annotations

import csv
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.support.small_cohort import write_cohort
from verification.cohort_kills import workers_of

import endplate
from endplate.cli.app import main
from endplate.cohort.engine import run_jobs

psutil = pytest.importorskip("psutil")
distributed = pytest.importorskip("distributed")
SOURCES = Path(endplate.__file__).parent
QUICK = ["--no-mechanics", "--workers", "1", "--json"]


def answer(capsys) -> dict:
    return json.loads(capsys.readouterr().out)


@pytest.fixture(scope="module")
def cases(tmp_path_factory) -> Path:
    """Three cases of labels alone, one of them without its file, and a record that is no record."""
    folder = tmp_path_factory.mktemp("cases")
    write_cohort(folder, 2, 2.5)
    rows = [("id", "labels", "record")]
    rows += [(f"case-{n:04d}", f"case-{n:04d}/labels.nii.gz", f"case-{n:04d}/record.json") for n in range(2)]
    rows += [("=absent", "absent.nii.gz", "")]
    with (folder / "cases.csv").open("w", newline="") as stream:
        csv.writer(stream).writerows(rows)
    return folder / "cases.csv"


@pytest.fixture(scope="module")
def study(cases, tmp_path_factory) -> Path:
    """The study of these cases, its worker killed once at work."""
    out = tmp_path_factory.mktemp("study") / "study"
    killed: list[int] = []

    def kill_once(client, jobs, retries, on_outcome):
        def count(outcome):
            on_outcome(outcome)
            if not killed:
                for one in workers_of(os.getpid()):
                    killed.append(one.pid)
                    one.kill()

        run_jobs(client, jobs, retries, count)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("endplate.cohort.conduct.run_jobs", kill_once)
        assert main(["cohort", str(cases), "--out", str(out), *QUICK, "--truth", str(cases.parent / "grades.csv")]) == 0
    assert killed
    assert not psutil.wait_procs(workers_of(os.getpid()), timeout=20)[1], "a process was left behind"
    return out


def test_every_case_is_a_row_once_and_a_failure_has_its_reason(study):
    pandas = pytest.importorskip("pandas")
    rows = pandas.read_parquet(study / "cases.parquet").set_index("case")
    assert sorted(rows.index) == ["=absent", "case-0000", "case-0001"]
    assert list(rows.status.loc[["case-0000", "case-0001", "=absent"]]) == ["done", "done", "failed"]
    assert "does not exist" in rows.reason["=absent"]
    tidy = pandas.read_parquet(study / "findings")
    assert list(tidy.columns)[:5] == ["case", "level", "code", "condition", "value"]
    document = json.loads((study / "cases" / "case-0001" / "case.json").read_text())
    mine = tidy[(tidy.case == "case-0001") & tidy.reason.isna()]
    assert len(mine) == len(document["findings"])
    assert tidy[(tidy.case == "case-0001") & tidy.reason.notna()].shape[0] == len(document["gaps"])


def test_the_wide_table_runs_nothing_and_keeps_numbers(study):
    with (study / "findings.csv").open(encoding="utf-8-sig", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert {row["case"] for row in rows} == {"'=absent", "case-0000", "case-0001"}
    heights = [float(row["anterior_height [mm]"]) for row in rows if row["anterior_height [mm]"]]
    assert len(heights) >= 3 and all(5 < height < 45 for height in heights)


def test_the_agreement_is_written(study):
    document = json.loads((study / "agreement.json").read_text())
    assert document["graded"] + document["silent"] + document["absent"] == 4
    assert {one["kind"] for one in document["heights"]} == {"anterior_mm", "middle_mm", "posterior_mm"}
    assert "Agreement with the expert" in (study / "study.html").read_text()


def test_run_again_nothing_is_computed_and_the_tables_are_the_same(study, cases, capsys, monkeypatch):
    monkeypatch.setattr("endplate.cohort.conduct._cluster", lambda *_: pytest.fail("workers were started"))
    before = {path.name: path.read_bytes() for path in (study / "findings").iterdir()} | {
        "csv": (study / "findings.csv").read_bytes()
    }
    assert main(["cohort", str(cases), "--out", str(study), *QUICK]) == 0
    found = answer(capsys)["result"]
    assert (found["kept"], found["ran"], found["failed"]) == (3, 0, 1)
    after = {path.name: path.read_bytes() for path in (study / "findings").iterdir()}
    assert before == after | {"csv": (study / "findings.csv").read_bytes()}
    assert not (study / "agreement.json").exists()  # no expert was given this time


def test_only_what_failed_is_run_again(study, cases, monkeypatch):
    seen: list[str] = []
    monkeypatch.setattr("endplate.cohort.conduct._run", lambda jobs, *_: seen.extend(job.row.id for job in jobs))
    assert main(["cohort", str(cases), "--out", str(study), *QUICK, "--only-failed"]) == 0
    assert seen == ["=absent"]


def test_what_was_never_run_is_not_said_to_be_done(cases, tmp_path, capsys):
    assert main(["cohort", str(cases), "--out", str(tmp_path / "new"), *QUICK, "--only-failed"]) == 0
    found = answer(capsys)["result"]
    assert (found["kept"], found["ran"], found["failed"]) == (0, 0, 3)


def test_bad_input_is_one_line_before_any_work(tmp_path, cases, study, capsys):
    other = tmp_path / "other"
    shutil.copytree(study, other)
    text = json.loads((other / "study.json").read_text())
    (other / "study.json").write_text(json.dumps(text | {"version": "0.1.0"}))
    strange = tmp_path / "strange"
    (strange / "cases").mkdir(parents=True)
    refused = [
        (["--out", str(other)], "was begun with endplate 0.1.0"),
        (["--out", str(strange)], "holds a folder cases but no study"),
        (["--out", str(study), "--workers", "900"], "--workers 900"),
        (["--out", str(study), "--memory-mb", "3"], "--memory-mb 3"),
        (["--out", str(study), "--sample", "9"], "there are 3 cases"),
        (["--out", str(study), "--scheduler", "tcp://127.0.0.1:9", "--workers", "2"], "--scheduler"),
        (["--out", str(study), "--segment", "nobody"], "no segmenter has that name"),
        (["--out", str(study), "--truth", str(cases)], "not those of expert grades"),
    ]
    for more, words in refused:
        capsys.readouterr()
        assert main(["cohort", str(cases), *more, "--no-mechanics", "--quiet"]) == 2, more
        said = capsys.readouterr().err.strip()
        assert words in said and "\n" not in said


def test_two_runs_in_one_study_are_refused(study, cases, capsys):
    from endplate.cohort.settings import CohortSettings
    from endplate.cohort.study import opened_study

    with opened_study(study, cases, CohortSettings()):
        assert main(["cohort", str(cases), "--out", str(study), *QUICK[:1], "--quiet"]) == 2
    assert "another endplate is at work" in capsys.readouterr().err


def test_a_scheduler_that_is_not_there_is_refused_in_a_line(tmp_path, cases, capsys, monkeypatch):
    monkeypatch.setattr("endplate.cohort.cluster.CONNECT_S", 0.5)
    for address, words in (("tcp://127.0.0.1:9", "cannot be reached"), ("nonsense://x", "--scheduler nonsense")):
        capsys.readouterr()
        given = ["cohort", str(cases), "--out", str(tmp_path / "s"), "--no-mechanics", "--quiet"]
        assert main([*given, "--scheduler", address]) == 2
        said = capsys.readouterr().err.strip()
        assert words in said and "\n" not in said


def test_workers_of_another_version_or_none_are_refused(tmp_path, cases, capsys):
    """A real scheduler, first without workers, then with a worker that runs endplate 0.0.1."""
    older = tmp_path / "path" / "endplate"
    older.mkdir(parents=True)
    for entry in SOURCES.iterdir():
        if entry.name != "version.py":
            (older / entry.name).symlink_to(entry)
    (older / "version.py").write_text('__version__ = "0.0.1"\n')
    given = ["cohort", str(cases), "--out", str(tmp_path / "s"), "--no-mechanics", "--quiet", "--scheduler"]
    with distributed.LocalCluster(n_workers=0, dashboard_address=None, host="127.0.0.1", silence_logs=50) as cluster:
        assert main([*given, cluster.scheduler_address]) == 2
        assert "has no workers" in capsys.readouterr().err
        environment = os.environ | {"PYTHONPATH": str(older.parent)}
        command = [sys.executable, "-m", "distributed.cli.dask_worker", cluster.scheduler_address, "--no-nanny",
                   "--no-dashboard", "--local-directory", str(tmp_path)]  # fmt: skip
        worker = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            with distributed.Client(cluster) as client:
                client.wait_for_workers(1, timeout=120)
            assert main([*given, cluster.scheduler_address]) == 2
        finally:
            worker.kill()
            worker.wait()
    said = capsys.readouterr().err.strip()
    assert "has endplate 0.0.1" in said and "\n" not in said
    assert not (tmp_path / "s" / "cases").exists()


@pytest.mark.skipif(
    "ENDPLATE_COHORT_KILLS" not in os.environ,
    reason="set ENDPLATE_COHORT_KILLS to a number of cases, or run `make cohort-kills`: minutes",
)
def test_killed_workers_and_a_killed_run_change_nothing(tmp_path, monkeypatch):
    from verification import cohort_kills

    count = os.environ["ENDPLATE_COHORT_KILLS"]
    monkeypatch.setattr("sys.argv", ["cohort_kills", "--count", count, "--folder", str(tmp_path)])
    assert cohort_kills.main() == 0
