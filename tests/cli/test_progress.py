"""Progress goes to standard error, as bars or as plain lines, and never in the way of a program."""

from __future__ import annotations

import pytest

from endplate.cli.exit_codes import Output
from endplate.cli.progress import STAGE_WORDS, progress_bars


def test_nothing_is_drawn_where_nobody_watches(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bars("nothing") as tell:
        tell("anatomy", 0.5, "L1")
    assert capsys.readouterr() == ("", "")


def test_bars_name_the_stage_and_the_level_on_standard_error(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "100")
    with progress_bars("bars") as tell:
        tell("anatomy", 1.0, "")
        tell("mechanics", 0.4, "L2")
        tell("mechanics", 7.0, "L3")
        tell("a stage of tomorrow", 0.1, "")
    printed = capsys.readouterr()
    assert printed.out == ""
    for words in (STAGE_WORDS["anatomy"], STAGE_WORDS["mechanics"], "L3", "a stage of tomorrow"):
        assert words in printed.err


def test_a_log_gets_one_plain_line_a_stage_and_a_level(capsys: pytest.CaptureFixture[str]) -> None:
    with progress_bars("lines") as tell:
        tell("read", 0.0, "ct.nii.gz")
        for fraction, level in ((0.0, ""), (0.0, "L1"), (0.2, "L1"), (0.4, "L1"), (0.5, "L2"), (1.0, "")):
            tell("mechanics", fraction, level)
    printed = capsys.readouterr()
    words = STAGE_WORDS["mechanics"]
    assert printed.out == ""
    assert [line.split("] ")[1] for line in printed.err.splitlines()] == [words, f"{words}: L1", f"{words}: L2"]
    assert "\x1b" not in printed.err


def test_the_time_left_of_an_injection_does_not_count_how_long_it_took_to_get_ready(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Setting up takes 30 s, each of 40 steps 1 s: after 12 steps 28 s are left, not 98."""
    now = [0.0]
    monkeypatch.setattr("endplate.cli.progress.time.monotonic", lambda: now[0])
    with progress_bars("lines") as tell:
        tell("cement", 0.0, "vertebroplasty")
        for step in range(1, 14):
            now[0] = 30.0 + step
            tell("cement", step / 40, f"vertebroplasty {step / 10:.2f} mL")
    said = capsys.readouterr().err.splitlines()
    assert not any("left" in line for line in said[:11])
    assert said[-1].endswith("1.30 mL, about 27 s left")


@pytest.mark.parametrize(
    ("json", "quiet", "terminal", "drawn"),
    [
        (False, False, True, "bars"),
        (False, False, False, "lines"),
        (True, False, False, "nothing"),
        (False, True, False, "nothing"),
        (False, True, True, "nothing"),
    ],
)
def test_progress_is_told_to_who_asks(
    monkeypatch: pytest.MonkeyPatch, json: bool, quiet: bool, terminal: bool, drawn: str
) -> None:
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    assert Output(json=json, quiet=quiet).progress == drawn
