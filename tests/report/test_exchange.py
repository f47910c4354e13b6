"""The exchange of old results for new: whole whatever happens at any rename, and what is not ours is not touched."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path

import pytest
from tests.support.faults import disk_error, fault_at, in_child, interrupt, killed, left_over, tree

from endplate.errors import OutputError
from endplate.report.folder import check_writable, exchanged, exchanged_file, kept, settle, write_file
from endplate.report.manifest import HIDDEN, MANIFEST, safe_name

OLD = {
    "case.json": "old",
    "report.html": "old page",
    "volumes/T11_body.nii.gz": "gone",
    "volumes/labels.nii.gz": "same",
}
NEW = {
    "case.json": "new",
    "report.html": "new page",
    "volumes/L1_body.nii.gz": "first",
    "volumes/labels.nii.gz": "same",
}
MINE = {"volumes/L1_my_remarks.txt": "mine", "notes.txt": "mine", "volumes/notes.txt": "mine too", "other.json": "{}"}

posix = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def write(folder: Path, files: dict[str, str]) -> bool:
    with exchanged(folder, ("case", "decision")) as new:
        for name, text in files.items():
            (new / name).parent.mkdir(exist_ok=True)
            (new / name).write_text(text)
    return False


def put_mine(folder: Path) -> None:
    for name, text in MINE.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)


def state(folder: Path) -> str:
    """Which results a folder holds: old, new, none, or mixed; what is not ours must be there whatever they are."""
    assert {name: (folder / name).read_text() for name in MINE} == MINE
    files = {str(p.relative_to(folder)): p.read_text() for p in folder.rglob("*") if p.is_file()}
    ours = {name: text for name, text in files.items() if name not in MINE and name != MANIFEST}
    listed = json.loads(files[MANIFEST])["files"] if MANIFEST in files else {}
    if set(listed) != set(ours):
        return "mixed"
    return {str(OLD): "old", str(NEW): "new", "{}": "none"}.get(str(dict(sorted(ours.items()))), "mixed")


@pytest.fixture(params=["first run", "second run"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    put_mine(tmp_path / "out")
    if request.param == "second run":
        write(tmp_path / "out", OLD)
    return tmp_path / "out"


@pytest.mark.parametrize("fault", [disk_error, interrupt])
@pytest.mark.parametrize("after", [False, True])
def test_a_fault_at_any_rename_puts_back_what_was_there(folder: Path, fault, after) -> None:
    held, before = tree(folder), state(folder)
    for turn in range(100):
        with fault_at(turn, fault, after=after) as count:
            try:
                write(folder, NEW)
            except (OutputError, KeyboardInterrupt) as error:
                assert "half-way" not in str(error)
        if count[0] <= turn:
            break
        # Once the journal is closed the new results stand; every other fault leaves the old ones, to the byte.
        assert state(folder) == "new" or tree(folder) == held
        assert not left_over(folder)
        if state(folder) == "new":
            assert after and count[0] == turn + 1
            break
    assert turn > 7 and state(folder) == "new" and before != "new"


def test_where_every_rename_fails_from_some_moment_the_next_run_completes_or_undoes(folder: Path) -> None:
    before = state(folder)
    ends = set()
    for turn in range(100):
        with fault_at(turn, disk_error, for_good=True) as count:
            try:
                write(folder, NEW)
            except OutputError as error:
                assert bool(left_over(folder)) == ("half-way" in str(error))
        if count[0] <= turn:
            break
        settle(folder)
        ends.add(state(folder))
        assert state(folder) in (before, "new") and not left_over(folder)
        write(folder, OLD if before == "old" else {})
    assert turn > 7 and ends == {before, "new"}


@posix
def test_a_process_killed_at_any_rename_leaves_what_the_next_run_completes_or_undoes(folder: Path) -> None:
    before, ends = state(folder), []
    for turn in range(100):
        with fault_at(turn, killed):
            code = in_child(lambda: write(folder, NEW))
        if code == 0:
            break
        assert code == -signal.SIGKILL and left_over(folder)
        settle(folder)
        ends.append(state(folder))
        assert not left_over(folder)
        write(folder, OLD if before == "old" else {})
        assert state(folder) == before
    assert set(ends) == {before, "new"}
    # Up to the journal the run never was; from then on it is completed.
    assert ends == sorted(ends, key=lambda end: end == "new") and len(ends) > 7


@posix
def test_a_repair_that_is_killed_itself_is_completed_by_the_next(folder: Path) -> None:
    before = state(folder)
    with fault_at(6, killed):
        assert in_child(lambda: write(folder, NEW)) == -signal.SIGKILL
    for turn in range(100):
        with fault_at(turn, killed):
            if in_child(lambda: settle(folder)) == 0:
                break
    assert turn < 99 and state(folder) in (before, "new") and not left_over(folder)


@posix
def test_a_living_run_is_not_taken_for_a_dead_one(tmp_path: Path) -> None:
    with exchanged(tmp_path, ("case",)) as new:
        (new / "case.json").write_text("slow")
        assert in_child(lambda: write(tmp_path, NEW)) == 0
        assert (new / "case.json").read_text() == "slow"
    assert (tmp_path / "case.json").read_text() == "slow" and not left_over(tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_a_file_that_appears_where_a_killed_run_was_about_to_write_is_kept(folder: Path) -> None:
    with fault_at(5, disk_error, for_good=True), pytest.raises(OutputError, match="half-way"):
        write(folder, NEW)
    missing = next(name for name in NEW if not (folder / name).exists())
    (folder / missing).write_text("a person's own")
    with pytest.raises(OutputError, match=r"did not write|not its own"):
        write(folder, NEW)
    assert (folder / missing).read_text() == "a person's own"
    (folder / missing).unlink()
    write(folder, NEW)
    assert state(folder) == "new" and not left_over(folder)


def test_what_was_left_with_rows_of_patients_goes_and_what_only_looks_like_it_stays(tmp_path: Path) -> None:
    strange = tmp_path / f"{HIDDEN}mine"
    strange.mkdir()
    (strange / "thesis.txt").write_text("mine")
    if hasattr(os, "fork"):
        with fault_at(2, killed):
            in_child(lambda: write(tmp_path, NEW))
        assert len(left_over(tmp_path)) > 1
    check_writable(tmp_path)
    assert left_over(tmp_path) == [strange.name] and (strange / "thesis.txt").read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["case.json", "report.html", "volumes/labels.nii.gz", "volumes/L4_body.nii.gz", "fhir.json"]
)
@pytest.mark.parametrize("how", ["foreign", "changed", "link"])
def test_a_file_of_our_name_that_is_not_as_we_left_it_is_refused_before_and_after_the_work(tmp_path, name, how) -> None:
    if how == "changed":
        with exchanged(tmp_path, ("case", "decision")) as new:
            (new / name).parent.mkdir(exist_ok=True)
            (new / name).write_text("ours")
            if name == "fhir.json":
                (new / "case.json").write_text("ours")
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    (tmp_path / "elsewhere").write_text("precious")
    path.symlink_to(tmp_path / "elsewhere") if how == "link" else path.write_text("precious")
    held = tree(tmp_path)
    with pytest.raises(OutputError, match="was changed since" if how == "changed" else "did not write"):
        check_writable(tmp_path)
    with pytest.raises(OutputError):
        write(tmp_path, NEW | {"volumes/L4_body.nii.gz": "x", "fhir.json": "x"})
    assert tree(tmp_path) == held and not left_over(tmp_path)


def test_a_folder_of_volumes_that_is_a_link_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "volumes").symlink_to(tmp_path / "precious")
    with pytest.raises(OutputError, match="volumes that endplate did not write"):
        write(tmp_path / "out", NEW)
    assert not list((tmp_path / "precious").iterdir())


def test_a_case_alone_does_not_make_a_folder_ours(tmp_path: Path) -> None:
    put_mine(tmp_path)
    (tmp_path / "case.json").write_text('{"format": "endplate-case"}')
    held = tree(tmp_path)
    with pytest.raises(OutputError, match=r"case\.json that endplate did not write"):
        write(tmp_path, NEW)
    assert tree(tmp_path) == held


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[]",
        '{"format": "endplate-manifest", "files": {"../x": {"sha256": "0", "of": "case"}}}',
        "\udcff",
        "{" * 9999,
    ],
)
def test_a_list_of_files_that_is_none_stops_the_run_and_is_kept(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_bytes(text.encode("utf-8", "surrogateescape"))
    held = tree(tmp_path)
    with pytest.raises(OutputError, match="no list of files"):
        write(tmp_path, NEW)
    assert tree(tmp_path) == held


@pytest.mark.parametrize(
    "name", ["", "/etc/passwd", "../x", "a/../../x", "a//b", "./a", "a\\b", f"{HIDDEN}x/y", "a\0", "a/b/c/d/e"]
)
def test_a_list_names_no_place_outside_its_folder(name: str) -> None:
    assert not safe_name(name) and safe_name("volumes/L1_body.nii.gz") and safe_name(MANIFEST)


def test_one_file_is_replaced_where_we_left_it_and_other_files_of_its_kind_stay(tmp_path: Path) -> None:
    for name in ("a.html", "b.html"):
        write_file(tmp_path / name, "first", "page")
    write_file(tmp_path / "a.html", "second", "page")
    assert [(tmp_path / name).read_text() for name in ("a.html", "b.html")] == ["second", "first"]
    with pytest.raises(OutputError, match="did not write"):
        write_file(tmp_path / "a.html", "a record", "record")
    (tmp_path / "b.html").write_text("edited by hand")
    with pytest.raises(OutputError, match="was changed since"):
        write_file(tmp_path / "b.html", "second", "page")
    write_file(tmp_path / "a.html", "third", "page")
    assert kept(tmp_path) == ["b.html"]


@pytest.mark.parametrize("where", ["out/case.json", "out/volumes/L1_body.nii.gz", "out/volumes"])
def test_an_output_that_is_an_input_is_refused(tmp_path: Path, where: str) -> None:
    write(tmp_path / "out", NEW)
    held = tree(tmp_path)
    with pytest.raises(OutputError, match="is an input of this run"):
        check_writable(tmp_path / "out", inputs=[tmp_path / where])
    with (
        pytest.raises(OutputError, match="is an input of this run"),
        exchanged(tmp_path / "out", ("case",), [tmp_path / where]),
    ):
        pass
    assert tree(tmp_path) == held


def test_an_input_that_lies_among_the_volumes_stays(tmp_path: Path) -> None:
    write(tmp_path, OLD)
    (tmp_path / "volumes" / "ct.nii.gz").write_text("the scan")
    with exchanged(tmp_path, ("case", "decision"), [tmp_path / "volumes" / "ct.nii.gz"]) as new:
        (new / "case.json").write_text("new")
    assert (tmp_path / "volumes" / "ct.nii.gz").read_text() == "the scan"
    assert not (tmp_path / "volumes" / "T11_body.nii.gz").exists()


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_results_are_for_their_owner_alone_whatever_the_umask(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write(tmp_path / "deep" / "out", {**NEW})
        with exchanged_file(tmp_path / "rows.jsonl", "rows") as rows:
            rows.write_text("{}")
    finally:
        os.umask(before)
    modes = {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_file()}
    folders = {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*") if path.is_dir()}
    assert (modes, folders) == ({0o600}, {0o700})
