"""A log, a file of options, completion, and the time that is left."""

from __future__ import annotations

import json
import logging
import stat
import subprocess
import sys

import pytest

from endplate.cli.app import main
from endplate.cli.progress import progress_bars, time_left


def test_a_log_is_appended_to_its_owners_file_and_root_is_left_as_it_was(tmp_path, capsys):
    log = tmp_path / "l.log"
    before = (logging.getLogger().level, list(logging.getLogger().handlers))
    for _ in range(2):
        assert main(["info", "--quiet", "--log", str(log)]) == 0
    lines = log.read_text().splitlines()
    assert sum("endplate 0" in line for line in lines) == 2 and sum(line.endswith("done") for line in lines) == 2
    assert stat.S_IMODE(log.stat().st_mode) == 0o600
    assert (logging.getLogger().level, list(logging.getLogger().handlers)) == before
    assert capsys.readouterr().err == ""


def test_a_refusal_is_in_the_log_with_its_place_and_one_line_on_the_terminal(tmp_path, capsys):
    log = tmp_path / "l.log"
    (tmp_path / "bad.json").write_text("{")
    assert main(["record", "check", str(tmp_path / "bad.json"), "--log", str(log)]) == 2
    text = log.read_text()
    assert "ERROR" in text and "Traceback" in text
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


def test_without_a_log_a_refusal_is_said_once(tmp_path):
    """In a process of its own: here pytest's handler takes what logging's last resort would print."""
    (tmp_path / "bad.json").write_text("{")
    words = [sys.executable, "-m", "endplate", "record", "check", str(tmp_path / "bad.json")]
    ended = subprocess.run(words, capture_output=True, text=True, check=False)
    assert ended.returncode == 2 and len(ended.stderr.strip().splitlines()) == 1, ended.stderr


def test_verbose_says_what_is_done_on_standard_error(capsys):
    assert main(["info", "--json", "--verbose"]) == 0
    printed = capsys.readouterr()
    assert json.loads(printed.out)["ok"] and "INFO endplate: done" in printed.err


@pytest.mark.parametrize(
    ("words", "said"),
    [(["--quiet", "--verbose"], "--quiet and --verbose"), (["--log", "/nowhere/at/all/l.log"], "cannot be written")],
)
def test_what_cannot_be_logged_is_refused(words, said, capsys):
    assert main(["info", *words]) == 2
    assert said in capsys.readouterr().err


@pytest.fixture
def options(tmp_path, monkeypatch):
    """Write a file of options; returns a function that runs `decide --batch` with it and says how it went."""
    (tmp_path / "in.jsonl").write_text('{"age_yr":70,"sex":"F"}\n')
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NUMBA_NUM_THREADS", "1")

    def run(text: str, *words: str) -> int:
        (tmp_path / "e.toml").write_text(text)
        return main(["decide", *words, "--config", "e.toml"])

    return run


def test_the_file_fills_in_what_the_command_line_does_not_say(options, tmp_path, capsys):
    text = 'json = true\n[decide]\nbatch = "in.jsonl"\nout = "from-file.jsonl"\n[follow.due]\ndatabase = "x.db"\n'
    assert options(text) == 0
    assert json.loads(capsys.readouterr().out)["ok"] and (tmp_path / "from-file.jsonl").exists()
    assert options(text, "--out", "from-line.jsonl") == 0
    assert (tmp_path / "from-line.jsonl").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[decide]\nbatches = 'x'\n", "batches"),
        ("[decidee]\n", "'decidee' is not a command"),
        ("labels = 'x'\n", "'labels' is not an option that all commands have"),
        ("quiet = \n", "is no TOML"),
    ],
)
def test_a_name_that_nothing_reads_is_refused(options, text, said, capsys):
    assert options(text, "--batch", "in.jsonl", "--out", "o.jsonl") == 2
    assert said in capsys.readouterr().err


def test_a_file_by_the_variable_and_one_that_is_not_there(tmp_path, monkeypatch, capsys):
    (tmp_path / "e.toml").write_text("quiet = true\n")
    monkeypatch.setenv("ENDPLATE_CONFIG", str(tmp_path / "e.toml"))
    assert main(["info"]) == 0 and capsys.readouterr().out == ""
    assert main(["info", "--config", str(tmp_path / "none.toml")]) == 2
    assert "cannot be read" in capsys.readouterr().err
    assert main(["info", "--config", "a", "--config", "b"]) == 2


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_knows_commands_and_options(shell, capsys):
    assert main(["completion", shell]) == 0
    script = capsys.readouterr().out
    assert "cohort" in script and "no-mechanics" in script


@pytest.mark.parametrize(
    ("elapsed", "fraction", "words"),
    [(5, 0.5, ""), (100, 0.0, ""), (100, 1.0, ""), (60, 0.5, "about 60 s left"), (600, 0.25, "about 30 min left"),
     (36000, 0.1, "about 4 d left"), (30, 0.01, "")],
)  # fmt: skip
def test_the_time_left_is_told_once_it_can_be(elapsed, fraction, words):
    assert time_left(elapsed, fraction) == words


def test_counting_stages_print_now_and_then_and_their_end(capsys, monkeypatch):
    now = iter(float(n) for n in range(0, 10000, 5))
    monkeypatch.setattr("endplate.cli.progress.time.monotonic", lambda: next(now))
    with progress_bars("lines") as tell:
        for done in range(41):
            tell("cohort", done / 40, f"{done} of 40 cases")
    lines = capsys.readouterr().err.splitlines()
    assert 5 < len(lines) < 15 and "40 of 40" in lines[-1]
    assert any("left" in line for line in lines)
