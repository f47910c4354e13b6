"""Compiling ahead: done once, never in the way."""

from __future__ import annotations

import sys
from threading import current_thread

import pytest

from endplate.numerics import precompile as warm


def test_a_stamped_cache_starts_no_compiler(tmp_path, monkeypatch):
    mark = tmp_path / "compiled-x"
    mark.touch()
    monkeypatch.setattr(warm, "stamp", lambda: mark)
    assert warm.begin().processes == []


def test_a_stamped_cache_is_loaded_once_beside_the_work_on_two_threads(tmp_path, monkeypatch):
    mark, loaded = tmp_path / "compiled-x", []
    mark.touch()
    monkeypatch.setattr(warm, "stamp", lambda: mark)
    monkeypatch.setattr(warm, "_load", lambda: loaded.append(current_thread()))
    monkeypatch.setattr(warm, "_LOADED", [])
    monkeypatch.setattr(warm, "thread_count", lambda: 1)
    assert warm.begin().loader is None and not loaded
    monkeypatch.setattr(warm, "thread_count", lambda: 2)
    first = warm.begin()
    assert first.loader is not None and warm.begin().loader is None
    first.stop()
    assert loaded == [first.loader] and not first.loader.is_alive()


def test_two_parts_leave_a_stamp_only_when_both_succeed(tmp_path, monkeypatch):
    mark = tmp_path / "compiled-x"
    monkeypatch.setattr(warm, "stamp", lambda: mark)
    started = []

    class Fake:
        def __init__(self, command, **_):
            assert command[:3] == [sys.executable, "-m", "endplate.numerics.precompile"]
            started.append(command[-1])
            self.code = 1 if len(started) == 4 else 0

        def wait(self):
            return self.code

    monkeypatch.setattr(warm.subprocess, "Popen", Fake)
    warm.begin().wait()
    assert tuple(started) == warm.PARTS and mark.exists()
    mark.unlink()
    warm.begin().wait()
    assert not mark.exists()


@pytest.mark.parametrize("part", warm.PARTS)
def test_every_part_runs(part):
    warm.compile_part(part)


def test_the_stamp_changes_with_the_sources(monkeypatch, tmp_path):
    before = warm.stamp()
    (tmp_path / "one.py").write_text("x = 1\n")
    monkeypatch.setattr(warm, "__file__", str(tmp_path / "warm.py"))
    assert warm.stamp() != before
