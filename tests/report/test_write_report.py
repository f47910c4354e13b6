"""Results are whole or absent: what was there before an accident is there after it."""

from __future__ import annotations

import errno
import json
import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from tests.support.synthetic_case import synthetic_case
from tests.support.tiny_disk import mounted

from endplate.case import Case
from endplate.errors import OptionError, OutputError
from endplate.report import write as write_module
from endplate.report.care.write import AFTER, AID, ALONE, BUNDLE, DECISION
from endplate.report.folder import BESIDE, check_writable, exchanged, kept
from endplate.report.manifest import MANIFEST
from endplate.report.write import write_report


@pytest.fixture(scope="module")
def case() -> Case:
    return synthetic_case()


@pytest.fixture
def blank_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """Accidents do not care what the page says; drawing it takes seconds."""
    monkeypatch.setattr(
        write_module, "_pages", lambda case: {"report.html": f"<p>{case.id.split()[0]}</p>", "report.json": "{}"}
    )


def tree(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


def fail_with(error: BaseException):
    def raising(*args: object, **kwargs: object) -> None:
        raise error

    return raising


ACCIDENTS = [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt(), SystemExit(143), MemoryError()]


def test_everything_promised_is_written(case: Case, tmp_path: Path) -> None:
    paths = write_report(case, tmp_path / "deep" / "out")
    assert set(paths) == {"html", "json", "nifti"}
    assert all(path.exists() for path in paths.values())
    names = {path.name for path in paths["nifti"].iterdir()}
    assert {"labels.nii.gz", "L1_body.nii.gz", "L1_strain.nii.gz", "L1_density_roi.nii.gz"} <= names
    assert [p.name for p in paths["html"].parent.iterdir() if p.name.startswith(".")] == [MANIFEST]


def test_body_volume_lies_where_the_body_lies(case: Case, tmp_path: Path) -> None:
    write_report(case, tmp_path, formats=("nifti",))
    image = nib.load(tmp_path / "volumes" / "L1_body.nii.gz")
    centre_ras = nib.affines.apply_affine(image.affine, np.argwhere(np.asarray(image.dataobj)).mean(axis=0))
    assert case.spine is not None
    expected = case.spine.vertebrae[2].centroid_mm * [-1, -1, 1]
    assert np.allclose(centre_ras, expected, atol=1.5)


@pytest.mark.usefixtures("blank_page")
@pytest.mark.parametrize("accident", ACCIDENTS, ids=lambda error: type(error).__name__)
@pytest.mark.parametrize("before", ["nothing", "results"])
def test_an_accident_while_writing_leaves_what_was_there(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, accident: BaseException, before: str
) -> None:
    out = tmp_path / "out"
    if before == "results":
        write_report(case, out, formats=("html", "json"))
        (out / "notes.txt").write_text("the user's own")
    held = tree(tmp_path)
    monkeypatch.setattr(write_module, "_volumes", fail_with(accident))
    with pytest.raises(OutputError if isinstance(accident, OSError) else type(accident)):
        write_report(case, out)
    assert tree(tmp_path) == held
    assert out.exists() == (before == "results")


@pytest.mark.usefixtures("blank_page")
def test_a_second_run_replaces_the_first_and_leaves_no_stale_level(case: Case, tmp_path: Path) -> None:
    write_report(case, tmp_path)
    mine = (tmp_path / "notes.txt", tmp_path / "volumes" / "notes.txt")
    for note in mine:
        note.write_text("the user's own")
    write_report(replace(synthetic_case(case_id="second"), strengths=()), tmp_path)
    assert json.loads((tmp_path / "case.json").read_text())["id"] == "second"
    assert not (tmp_path / "volumes" / "L1_strain.nii.gz").exists()
    assert [note.read_text() for note in mine] == ["the user's own"] * 2
    assert kept(tmp_path) == ["notes.txt", "volumes/notes.txt"]


@pytest.mark.usefixtures("blank_page")
def test_a_decision_about_the_earlier_case_goes_with_it_and_comes_back_after_an_accident(
    case: Case, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_report(case, tmp_path)
    with exchanged(tmp_path, ("decision",)) as new:
        for name in BESIDE:
            (new / name).write_text("about the earlier case")
    held = tree(tmp_path)
    rename = os.rename

    def last_fails(source: Path, target: Path) -> None:
        if source == source.parent / "report.html" and source.parent.name == "new":
            raise KeyboardInterrupt
        rename(source, target)

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(os, "rename", last_fails)
        write_report(synthetic_case(case_id="other"), tmp_path)
    assert tree(tmp_path) == held
    write_report(synthetic_case(case_id="other"), tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {
        "report.html", "report.json", "case.json", "volumes", MANIFEST
    }  # fmt: skip


@pytest.mark.usefixtures("blank_page")
def test_a_decision_of_ours_without_a_case_is_not_joined(case: Case, tmp_path: Path) -> None:
    with exchanged(tmp_path, ("decision",)) as new:
        (new / "decision.json").write_text("about somebody")
    with pytest.raises(OutputError, match=r"decision\.json of a decision without a case"):
        write_report(case, tmp_path)


def test_a_decision_without_a_case_is_neither_removed_nor_joined(tmp_path: Path) -> None:
    assert set(BESIDE) == {DECISION, AID, BUNDLE, ALONE, AFTER}
    (tmp_path / "decision.json").write_text("about somebody")
    with pytest.raises(OutputError, match=r"decision\.json that endplate did not write"):
        check_writable(tmp_path)
    assert tree(tmp_path) == {"decision.json": b"about somebody"}


@pytest.mark.usefixtures("blank_page")
def test_a_report_that_is_not_ours_is_never_replaced(case: Case, tmp_path: Path) -> None:
    (tmp_path / "report.html").write_text("someone else's")
    with pytest.raises(OutputError, match="did not write"):
        check_writable(tmp_path)
    with pytest.raises(OutputError, match="did not write"):
        write_report(case, tmp_path)
    assert tree(tmp_path) == {"report.html": b"someone else's"}


@pytest.mark.usefixtures("blank_page")
def test_a_file_in_the_way_is_one_clear_error(case: Case, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for place in (tmp_path / "file", tmp_path / "file" / "out"):
        with pytest.raises(OutputError, match="cannot write results"):
            check_writable(place)
        with pytest.raises(OutputError, match="cannot write results"):
            write_report(case, place)


def test_a_read_only_folder_is_refused_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.mkdtemp", fail_with(OSError(errno.EROFS, "Read-only file system")))
    with pytest.raises(OutputError, match="Read-only file system"):
        check_writable(tmp_path / "a" / "b")
    assert not (tmp_path / "a").exists()


def test_checking_a_folder_leaves_nothing_behind(tmp_path: Path) -> None:
    check_writable(tmp_path / "a" / "b")
    assert list(tmp_path.iterdir()) == []


def test_an_unknown_format_is_named(case: Case, tmp_path: Path) -> None:
    with pytest.raises(OptionError, match="pdf"):
        write_report(case, tmp_path, formats=("pdf",))


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    with mounted(tmp_path / "disk", 96) as disk:
        yield disk


def test_a_disk_that_really_fills_up_keeps_what_it_had(case: Case, tiny_disk: Path) -> None:
    out = tiny_disk / "out"
    write_report(replace(case, strengths=(), spine=None), out, formats=("json",))
    held = tree(tiny_disk)
    with pytest.raises(OutputError, match=r"No space left.*free some space"):
        write_report(case, out)
    assert tree(tiny_disk) == held
    assert sorted(path.name for path in out.iterdir()) == [MANIFEST, "case.json"]
