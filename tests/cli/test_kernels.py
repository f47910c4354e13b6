"""`endplate compile`: what measuring and what rehearsals need is compiled, and it is said where it is kept."""

from __future__ import annotations

import json
import os

import pytest

from endplate.cli import kernels
from endplate.cli.app import main
from endplate.numerics import precompile


def test_both_parts_are_compiled_and_the_place_is_named(tmp_path, monkeypatch, capsys):
    done: list[str] = []

    class Compilers(precompile.Warmup):
        def wait(self) -> None:
            done.append("measuring")

    mark = tmp_path / "compiled-x"
    monkeypatch.setattr(precompile, "begin", Compilers)
    monkeypatch.setattr(precompile, "stamp", lambda: mark)
    monkeypatch.setattr(kernels, "_rehearse_once", lambda: (done.append("repair"), mark.touch()))
    assert main(["compile", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["result"]
    assert done == ["measuring", "repair"] and found["kept"] and found["cache"] == str(tmp_path)


def test_a_cache_that_cannot_be_written_is_said(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr(precompile, "begin", precompile.Warmup)
    monkeypatch.setattr(precompile, "stamp", lambda: tmp_path / "none" / "compiled-x")
    monkeypatch.setattr(kernels, "_rehearse_once", lambda: None)
    assert main(["compile"]) == 0
    assert "cannot be written" in capsys.readouterr().out


@pytest.mark.skipif(
    "ENDPLATE_COMPILE" not in os.environ, reason="set ENDPLATE_COMPILE to compile all kernels: a minute"
)
def test_afterwards_a_rehearsal_compiles_nothing(tmp_path):
    import subprocess
    import sys

    environment = os.environ | {"NUMBA_CACHE_DIR": str(tmp_path)}
    for _ in range(2):
        before = set(tmp_path.rglob("*.nbc"))
        subprocess.run([sys.executable, "-m", "endplate", "compile", "--quiet"], env=environment, check=True)
    assert before and set(tmp_path.rglob("*.nbc")) == before
