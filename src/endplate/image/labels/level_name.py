"""Find the vertebral level in a structure's name."""

from __future__ import annotations

import re

from endplate.level import Level

_VERTEBRA = re.compile(r"^(?:vertebrae?|vert|vertebral_body)[ _-]*([ctls])0?(\d{1,2})$", re.IGNORECASE)
_BARE = re.compile(r"^([ctls])0?(\d{1,2})(?:[ _-]*vertebrae?)?$", re.IGNORECASE)
_NAMED = re.compile(r"^([ctls])(\d{1,2})[ _-]+vertebrae?$", re.IGNORECASE)
_SPELLED = re.compile(r"^(\w+) (cervical|thoracic|lumbar|sacral) vertebra$", re.IGNORECASE)
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
             "eleventh", "twelfth", "thirteenth")  # fmt: skip


def level_from_name(name: str, *, bare: bool = True) -> Level | None:
    """The level meant by names such as vertebrae_L1, L1 vertebra, "First lumbar vertebra", atlas or sacrum.

    Parameters
    ----------
    bare : whether a name that is only the level (L1) or "sacrum" counts.
    """
    text = name.strip()
    special = {"atlas": "C1", "axis": "C2"}.get(text.lower()) or ("S1" if bare and text.lower() == "sacrum" else None)
    if special:
        return Level(special)
    for pattern in (_VERTEBRA, _NAMED, *((_BARE,) if bare else ())):
        if match := pattern.match(text):
            return _level(match[1] + str(int(match[2])))
    if (match := _SPELLED.match(text)) and match[1].lower() in _ORDINALS:
        return _level(match[2][0] + str(_ORDINALS.index(match[1].lower()) + 1))
    return None


def _level(text: str) -> Level | None:
    try:
        return Level(text.upper())
    except ValueError:
        return None
