"""Renamed options: the old spelling does what the new one does, is announced, and ends with its release."""

from __future__ import annotations

import pytest

from endplate import __version__
from endplate.cli.app import main
from endplate.cli.deprecated import EXPIRES, RENAMED_OPTIONS, current_spelling


@pytest.mark.parametrize(("old", "new"), RENAMED_OPTIONS.items())
def test_an_old_spelling_is_read_as_the_new_one_and_announced(old, new, capsys) -> None:
    assert current_spelling(["rehearse", old, "3"]) == ["rehearse", new, "3"]
    assert current_spelling([f"{old}=3"]) == [f"{new}=3"]
    said = capsys.readouterr().err
    assert said.count(f"{old} is deprecated") == 2 and new in said and EXPIRES in said


def test_a_value_that_looks_like_nothing_renamed_stays(capsys) -> None:
    assert current_spelling(["--level", "L1", "most-mpa"]) == ["--level", "L1", "most-mpa"]
    assert capsys.readouterr().err == ""


def test_the_command_line_takes_an_old_spelling(tmp_path, capsys) -> None:
    given = ["rehearse", "none.nii.gz", "--labels", "none.nii.gz", "--level", "L1", "--out", str(tmp_path / "out")]
    assert main([*given, "--most-mpa", "0"]) == 2
    said = capsys.readouterr().err
    assert "deprecated" in said and "unknown" not in said.lower()


def test_no_old_spelling_outlives_its_release() -> None:
    release = tuple(int(part) for part in __version__.split(".")[:3])
    assert release < tuple(int(part) for part in EXPIRES.split(".")), "remove RENAMED_OPTIONS and this room's old names"
