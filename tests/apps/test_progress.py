"""Progress is for people who watch, on standard error, and never in the way of a program."""

from __future__ import annotations

import pytest

from endplate.apps.progress import STAGE_WORDS, progress_bars


def test_nothing_is_drawn_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bars(False) as tell:
        tell("anatomy", 0.5, "L1")
    assert capsys.readouterr() == ("", "")


def test_bars_name_the_stage_and_the_level_on_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    with progress_bars(True) as tell:
        tell("anatomy", 1.0, "")
        tell("mechanics", 0.4, "L2")
        tell("mechanics", 7.0, "L3")
        tell("a stage of tomorrow", 0.1, "")
    printed = capsys.readouterr()
    assert printed.out == ""
    for words in (STAGE_WORDS["anatomy"], STAGE_WORDS["mechanics"], "L3", "a stage of tomorrow"):
        assert words in printed.err
