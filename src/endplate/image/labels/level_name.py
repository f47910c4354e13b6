"""Find the vertebral level in a structure's name."""

from __future__ import annotations

import re

from endplate.level import Level

_LONGEST = 100
_LEVEL = re.compile(r"^(c|th|t|l|s)0?(\d{1,2})$", re.ASCII)
_REGIONS = {"cervical": "C", "thoracic": "T", "lumbar": "L", "sacral": "S"}
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
             "eleventh", "twelfth", "thirteenth")  # fmt: skip
# Words that say that a vertebra is meant, and words that say nothing; any other word means another structure.
_VERTEBRA = frozenset({"vertebra", "vertebrae", "vert", "vertebral", "body", "bone"})
_EMPTY = frozenset({"of", "the", "structure", "entire", "whole", "spine"})


def level_from_name(name: str, *, bare: bool = True) -> Level | None:
    """The level meant by names such as vertebrae_L1, Th12, L1_body, "Bone structure of L2", "First lumbar vertebra".

    Parameters
    ----------
    bare : whether a name that is only the level (L1) or "sacrum" counts.
    """
    text = re.sub(r"[\s_.,()-]+", " ", name[:_LONGEST].lower()).strip()
    special = {"atlas": "C1", "axis": "C2"}.get(text) or ("S1" if bare and text == "sacrum" else None)
    if special:
        return Level(special)
    text = re.sub(r"\b(vertebrae?|vert)(?=[ctls]h?\d)|(?<=\d)(?=vert)", lambda m: f"{m[0]} ", text)
    words = text.split()
    said = [word for word in words if word in _VERTEBRA]
    left = [word for word in words if word not in _VERTEBRA and word not in _EMPTY]
    if not bare and not said:
        return None
    found = {_level(word) for word in left} if len(left) != 2 or not set(left) & set(_REGIONS) else {_spelled(left)}
    # "cervical vertebrae 1 (C1)" names a level twice
    if len(left) == 3 and left[0] in _REGIONS:
        found = {_spelled(left[:2]), _level(left[2])}
    return found.pop() if len(found) == 1 else None


def _level(word: str) -> Level | None:
    match = _LEVEL.match(word)
    return None if match is None else _of(match[1][0] + str(int(match[2])))


def _spelled(words: list[str]) -> Level | None:
    """The level of "first lumbar", "lumbar 1" or "1st lumbar"."""
    region, number = (words[0], words[1]) if words[0] in _REGIONS else (words[1], words[0])
    if region not in _REGIONS:
        return None
    digits = re.fullmatch(r"0?(\d{1,2})(st|nd|rd|th)?", number, re.ASCII)
    place = _ORDINALS.index(number) + 1 if number in _ORDINALS else int(digits[1]) if digits else 0
    return _of(_REGIONS[region] + str(place))


def _of(text: str) -> Level | None:
    try:
        return Level(text.upper())
    except ValueError:
        return None
