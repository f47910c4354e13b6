"""Label schemes: which number means which vertebra."""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from endplate.errors import LabelError
from endplate.image.file_type import is_ordinary
from endplate.image.labels.level_name import level_from_name
from endplate.image.labels.numbering import Scheme
from endplate.image.labels.scheme_file import scheme_from_file
from endplate.level import Level


def _downward(first: int, upper: Level, lower: Level) -> dict[int, Level]:
    """Consecutive labels from `upper` at `first` down to `lower`, leaving out T13 and L6."""
    run = [level for level in Level if level.usual and upper.order <= level.order <= lower.order]
    return {first + step: level for step, level in enumerate(run)}


def _upward(first: int, lower: Level, upper: Level) -> dict[int, Level]:
    """Consecutive labels from `lower` at `first` up to `upper`, leaving out T13 and L6."""
    run = [level for level in Level if level.usual and upper.order <= level.order <= lower.order]
    return {first + step: level for step, level in enumerate(reversed(run))}


# VerSe (Sekuboyina 2021, Med Image Anal 73:102166): C1-C7 1-7, T1-T12 8-19, L1-L6 20-25, sacrum 26, coccyx 27, T13 28.
# SPINEPS / TPTBox add 100 for the disc below a vertebra and 200 for its endplate (knowledge).
_VERSE = Scheme(
    name="verse",
    description="VerSe: C1-C7 1-7, T1-T12 8-19, L1-L6 20-25, sacrum 26, T13 28 (numbers grow downwards)",
    levels={level.verse_id: level for level in Level},
    others=frozenset({27, *range(101, 129), *range(201, 229)}),
)
# TotalSegmentator class maps, read in totalsegmentator/map_to_binary.py (verified); in `vertebrae_pp` and
# `vertebrae_pp_refined` 1-24 are C1-L5 (maintainer, TotalSegmentator issue 613, 2026-09-22; verified up to L4).
_TOTAL = Scheme(
    name="totalsegmentator",
    description="TotalSegmentator 2 `total`: sacrum 25, S1 26, L5-L1 27-31, T12-T1 32-43, C7-C1 44-50 (grow upwards)",
    levels=_upward(26, Level.S1, Level.C1),
    others=frozenset({*range(1, 26), *range(51, 118)}),
    sacrum=25,
)
_TOTAL_V1 = Scheme(
    name="totalsegmentator-v1",
    description="TotalSegmentator 1 `total`: L5-L1 18-22, T12-T1 23-34, C7-C1 35-41 (numbers grow upwards)",
    levels=_upward(18, Level.L5, Level.C1),
    others=frozenset({*range(1, 18), *range(42, 105)}),
    sacrum=92,
)
_PP = Scheme(
    name="vertebrae_pp",
    description="TotalSegmentator `vertebrae_pp`, `vertebrae_pp_refined`: C1-C7 1-7, T1-T12 8-19, L1-L5 20-24",
    levels=_downward(1, Level.C1, Level.L5),
    # The same numbers as VerSe: guessing gains nothing by a second name.
    guess=False,
)
# TotalSpineSeg, read in totalspineseg/resources/labels_maps/tss_map.json (verified): cord 1, canal 2, L7 47, discs
# 63-100. T1-T4 have VerSe's numbers of L2-L5, so that it is tried only where no other scheme fits.
_SPINESEG = Scheme(
    name="totalspineseg",
    description="TotalSpineSeg: C1-C7 11-17, T1-T12 21-32, L1-L6 41-46, sacrum 50 (numbers grow downwards)",
    levels=_downward(11, Level.C1, Level.C7) | _downward(21, Level.T1, Level.T12) | _downward(41, Level.L1, Level.L5)
    | {46: Level.L6},
    others=frozenset({1, 2, 47, *range(63, 68), *range(71, 83), *range(91, 96), 100}),
    sacrum=50,
    guess="last",
)  # fmt: skip
# spine-segment 0.1.6, read in its source (verified): 28 is the last class of its network, where VerSe has T13, and its
# README calls it the sacrum. Which of the two it is cannot be known, so that it is no vertebra here.
_SPINE_SEGMENT = Scheme(
    name="spine-segment",
    description="spine-segment: as VerSe, C1-C7 1-7, T1-T12 8-19, L1-L6 20-25; 28 is left out, its meaning is disputed",
    levels={level.verse_id: level for level in Level if level.verse_id <= Level.L6.verse_id},
    others=frozenset({28}),
    guess=False,
)
_TABLE = {scheme.name: scheme for scheme in (_VERSE, _TOTAL, _TOTAL_V1, _PP, _SPINESEG, _SPINE_SEGMENT)}
_ALIASES = {"total": "totalsegmentator", "total_v2": "totalsegmentator", "total_v1": "totalsegmentator-v1",
            "vertebrae_pp_refined": "vertebrae_pp", "tptbox": "verse"}  # fmt: skip


def known_schemes() -> MappingProxyType[str, str]:
    """Names that `--scheme` accepts, each with a one-line description."""
    return MappingProxyType({name: scheme.description for name, scheme in _TABLE.items()})


def guessable_schemes() -> tuple[Scheme, ...]:
    """The schemes that are tried when the file does not name its labels."""
    return tuple(scheme for scheme in _TABLE.values() if scheme.guess is True)


def last_schemes() -> tuple[Scheme, ...]:
    """The schemes that are tried where none of `guessable_schemes` fits."""
    return tuple(scheme for scheme in _TABLE.values() if scheme.guess == "last")


def scheme_by_name(name: str | Path) -> Scheme:
    """The built-in scheme of that name, or the scheme in that TOML or JSON file.

    Raises
    ------
    LabelError : neither a known name nor a usable file.
    """
    key = str(name).strip().lower()
    key = _ALIASES.get(key, key)
    if key in _TABLE:
        return _TABLE[key]
    path = Path(name)
    if is_ordinary(path):
        return scheme_from_file(path)
    raise LabelError(
        f"label scheme {name} is neither known nor a file", f"known: {', '.join(_TABLE)}", "name one of them or a file"
    )


def scheme_from_names(names: dict[int, str], source: str) -> Scheme | None:
    """A scheme from label names such as `vertebrae_L1`, or None where no name is a vertebra.

    Names without the word "vertebra" count unless each only repeats its number: where it knows no names,
    TotalSegmentator writes L20 for label 20, and L5 for label 5 whatever that shows.
    """
    repeated = all(name.strip().upper() == f"L{number}" for number, name in names.items() if _is_bare(name))
    levels: dict[int, Level] = {}
    sacrum: list[int] = []
    for number, name in names.items():
        if name.strip().lower() == "sacrum":
            sacrum.append(number)
        elif (level := level_from_name(name, bare=not repeated)) is not None:
            levels[number] = level
    if not levels or len(set(levels.values())) < len(levels):
        return None
    return Scheme(
        name=source, description="names stored in the file", levels=levels,
        others=frozenset(names) - set(levels), sacrum=sacrum[0] if len(sacrum) == 1 else None,
    )  # fmt: skip


def _is_bare(name: str) -> bool:
    """Whether a name is a level without the word vertebra."""
    return level_from_name(name, bare=True) is not None and level_from_name(name, bare=False) is None
