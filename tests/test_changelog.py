"""Fragments of the changelog can be gathered: each bullet says what kind of change it is."""

from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest

FILE = Path(__file__).resolve().parents[1] / "changes" / "gather.py"
SPEC = importlib.util.spec_from_file_location("gather", FILE)
assert SPEC is not None and SPEC.loader is not None
gather = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(gather)


def test_every_fragment_can_be_gathered() -> None:
    gather.gathered([file.read_text(encoding="utf-8") for file in gather.fragments()])


def test_bullets_are_sorted_by_kind_and_wrapped() -> None:
    lines = gather.gathered(["- Fixed: two\n  lines\n- Added a thing\n"])
    assert lines == ["- Added: a thing", "- Fixed: two lines"]


def test_a_bullet_of_no_kind_is_named() -> None:
    with pytest.raises(ValueError, match="Mended"):
        gather.gathered(["- Mended: x\n"])
