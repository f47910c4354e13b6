"""Every writing command with a fault at every rename: old results or new, never a mixture, nothing foreign touched."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tests.support.faults import disk_error, fault_at, interrupt, left_over, tree
from tests.support.writing_commands import COMMANDS, MINE, furnish, run

from endplate.report.folder import settle


@pytest.fixture(scope="module")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    desk = tmp_path_factory.mktemp("desk")
    furnish(desk)
    return desk


@pytest.fixture
def desk(furnished: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(furnished, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def mine(desk: Path) -> bool:
    return all((desk / name).read_text() == f"{name} is mine" for name in MINE)


@pytest.mark.parametrize(("again", "fault"), [(False, interrupt), (True, disk_error)], ids=["first", "second"])
@pytest.mark.parametrize("name", COMMANDS)
def test_a_fault_at_any_rename_leaves_what_was_there(desk: Path, name: str, again: bool, fault, capsys) -> None:
    if again:
        assert run(COMMANDS[name]) == 0
    held = tree(desk)
    for turn in range(200):
        with fault_at(turn, fault) as count:
            code = run(COMMANDS[name])
        if count[0] <= turn:
            break
        assert code == (2 if fault is disk_error else 130), capsys.readouterr().err
        assert tree(desk) == held
    assert turn >= 4 and code == 0 and mine(desk) and not left_over(desk)
    assert again or tree(desk) != held
    assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("name", COMMANDS)
def test_where_a_disk_fails_for_good_the_next_run_repairs(desk: Path, name: str, capsys) -> None:
    assert run(COMMANDS[name]) == 0
    inputs = {
        path: content for path, content in tree(desk).items() if "/" not in path and path.endswith((".gz", ".db"))
    }
    for turn in range(0, 200, 4):
        with fault_at(turn, disk_error, for_good=True) as count:
            code = run(COMMANDS[name])
        if count[0] <= turn:
            break
        assert code == 2 and mine(desk)
        settle(desk / COMMANDS[name].folder)
        assert run(COMMANDS[name]) == 0, capsys.readouterr().err
        assert not left_over(desk)
    assert mine(desk) and inputs.items() <= tree(desk).items()
