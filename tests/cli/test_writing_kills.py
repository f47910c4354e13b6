"""Writing commands killed at random moments: nothing lost, nothing foreign touched, and the next run works.

Fifteen kills in an ordinary run; `make kills` runs 300 (ENDPLATE_KILLS). The seed is printed and may be given again
(ENDPLATE_SEED).
"""

from __future__ import annotations

import gzip
import json
import os
import random
import select
import signal
import sys
import time
from pathlib import Path
from unittest import mock

import pytest
from tests.support.faults import left_over, tree
from tests.support.writing_commands import BUNDLE, COMMANDS, MINE, RECORD, Command, furnish, run

from endplate.report import stage
from endplate.report.folder import settle
from endplate.report.manifest import MANIFEST

KILLS = int(os.environ.get("ENDPLATE_KILLS", "15"))
SEED = int(os.environ.get("ENDPLATE_SEED", str(random.randrange(10**6))))
EXCHANGE_S = 0.003
"""About how long an exchange takes; every other kill falls into one."""

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")


def vary(desk: Path, variant: int) -> None:
    """Inputs of which the results of two runs are told apart."""
    record = json.dumps(RECORD | {"pain": {"under_analgesia": 3 + variant}})
    (desk / "p.json").write_text(record)
    (desk / "lines.jsonl").write_text((record + "\n") * (1 + variant))
    birth = json.dumps(BUNDLE).replace("1950", f"195{variant}")
    (desk / "bundle.json").write_text(birth)


def words(command: Command, variant: int) -> Command:
    on = ("--on", f"2026-07-0{1 + variant}") if "--page" in command.words else ()
    return Command((*command.words, *on), command.folder)


def results(desk: Path, folder: str) -> dict[str, bytes]:
    """What endplate lists as its own in a folder, images by their content."""
    listed = json.loads((desk / folder / MANIFEST).read_text())["files"] if (desk / folder / MANIFEST).exists() else {}
    found = {name: (desk / folder / name).read_bytes() for name in listed}
    return {name: gzip.decompress(data) if data[:2] == b"\x1f\x8b" else data for name, data in found.items()}


def killed_run(command: Command, rng: random.Random, usual_s: float, inside: bool) -> int:
    """Run in a child that is killed at a random moment, of the whole run or of the exchange; how it ended."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        code = 99
        try:
            quiet = os.open(os.devnull, os.O_WRONLY)
            os.dup2(quiet, 1)
            os.dup2(quiet, 2)
            usual = stage.write_journal

            def announced(*arguments: object) -> None:
                usual(*arguments)
                os.write(writer, b"!")

            with mock.patch.object(stage, "write_journal", announced):
                code = run(command)
        finally:
            os._exit(code)
    os.close(writer)
    if inside:
        select.select([reader], [], [], 60)
        time.sleep(rng.uniform(0, EXCHANGE_S))
    else:
        time.sleep(rng.uniform(0, usual_s))
    os.kill(child, signal.SIGKILL)
    os.close(reader)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def test_a_killed_command_loses_nothing_and_the_next_run_works(tmp_path, monkeypatch, capsys) -> None:
    sys.stdout.write(f"ENDPLATE_SEED={SEED}\n")
    rng = random.Random(SEED)
    monkeypatch.chdir(tmp_path)
    furnish(tmp_path)
    expected: dict[tuple[str, int], dict[str, bytes]] = {}
    usual_s: dict[str, float] = {}
    ends = {"before": 0, "after": 0, "ended": 0, "inside": 0}
    for kill in range(KILLS):
        name, command = list(COMMANDS.items())[kill % len(COMMANDS)]
        for variant in (0, 1):
            if (name, variant) not in expected:
                vary(tmp_path, variant)
                begun = time.monotonic()
                assert run(words(command, variant)) == 0, capsys.readouterr().err
                usual_s[name] = time.monotonic() - begun
                expected[name, variant] = results(tmp_path, command.folder)
        vary(tmp_path, 1)
        assert run(words(command, 1)) == 0, capsys.readouterr().err
        vary(tmp_path, 0)
        held, was = tree(tmp_path), results(tmp_path, command.folder)
        code = killed_run(words(command, 0), rng, usual_s[name], inside=kill % 2 == 0)
        assert code in (0, -signal.SIGKILL)
        ends["inside"] += any((tmp_path / command.folder).glob(".endplate-partial-*/journal.json"))
        settle(tmp_path / command.folder)
        now = results(tmp_path, command.folder)
        assert now in (was, was | expected[name, 0]), f"old and new are mixed after {name}"
        ends["ended" if code == 0 else "before" if now == was else "after"] += 1
        check(tmp_path, command.folder, held)
        assert run(words(command, 0)) == 0, capsys.readouterr().err
        assert results(tmp_path, command.folder) == was | expected[name, 0]
        check(tmp_path, command.folder, held)
    with capsys.disabled():
        sys.stdout.write(f"{KILLS} kills (ENDPLATE_SEED={SEED}): {ends} ")
    assert KILLS < 100 or min(ends["before"], ends["after"], ends["inside"]) > 0


def check(desk: Path, folder: str, held: dict[str, bytes]) -> None:
    """Nothing hidden left, what is not ours as it was, and every listed file as it is listed."""
    assert not left_over(desk / folder)
    assert all((desk / name).read_text() == f"{name} is mine" for name in MINE)
    ours = {str(Path(folder) / name) for name in (*results(desk, folder), MANIFEST)}
    now = tree(desk)
    assert {name: now.get(name) for name in held if name not in ours} == {n: held[n] for n in held if n not in ours}
