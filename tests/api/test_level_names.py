"""A level equals its name, hashes like it, and is ordered by its place in the spine, against names too."""

from __future__ import annotations

import json
import pickle

import pytest

from endplate.errors import OptionError
from endplate.level import Level, parse_level


@pytest.mark.parametrize("level", Level)
def test_a_level_is_its_name(level: Level) -> None:
    assert level == level.value == str(level) == f"{level}"
    assert hash(level) == hash(level.value)
    assert {level.value: 1}[level] == 1 and {level: 1}[level.value] == 1  # type: ignore[index]
    assert parse_level(level.value) is level is parse_level(f" {level.value.lower()} ")
    assert json.loads(json.dumps({level: [level]})) == {level.value: [level.value]}
    assert pickle.loads(pickle.dumps(level)) is level


def test_levels_are_ordered_by_place_not_by_letters() -> None:
    assert sorted(["T12", Level.T9, Level.C1, Level.L1], key=lambda x: Level(x)) == ["C1", "T9", "T12", "L1"]
    assert max(Level.T9, Level.T12) is Level.T12 and min(Level.L1, Level.T12) is Level.T12
    assert Level.T9 < "T12" and Level.T9 < "T12" and Level.T13 >= "T12" and Level.T1 >= "C7"
    with pytest.raises(TypeError, match="no order against 'X1'"):
        _ = Level.T9 < "X1"
    with pytest.raises(TypeError, match="no order against 3"):
        _ = Level.T9 < 3


@pytest.mark.parametrize("name", ["L9", "", "lumbar 1", "L", 3, None])
def test_what_is_no_level_is_refused_with_what_to_write(name: object) -> None:
    with pytest.raises(OptionError, match="is no vertebra"):
        parse_level(name)  # type: ignore[arg-type]
