"""Red flags, cautions and the choice of technique: what stands above the verdicts on every page and in every list."""

from __future__ import annotations

from dataclasses import dataclass

from endplate.decision.verdict.verdict import Decision, LevelDecision, RaisedFlag
from endplate.report.care.words import fact_words, missing_words

KINDS = ("red", "caution")
"""Kinds of flags that are cautions, the gravest first; notes are none."""
MOST_TECHNIQUES = 3
"""Choices that are named; more are no choice."""
TITLES = {"red": "Red flag", "caution": "Caution"}


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingCaution:
    """A red flag or caution with the levels at which it stands; `because` names the facts that raised it."""

    id: str
    kind: str
    levels: tuple[str, ...]
    words: str
    action: str
    because: str

    @property
    def title(self) -> str:
        """What it is, in words."""
        return TITLES[self.kind]

    @property
    def where(self) -> str:
        """Its levels in words."""
        return ", ".join(self.levels)


@dataclass(frozen=True, slots=True, kw_only=True)
class TechniqueLine:
    """The choice of technique at some levels: `text` names it, or those that are possible and what to ask for."""

    levels: tuple[str, ...]
    text: str

    @property
    def where(self) -> str:
        """Its levels in words."""
        return ", ".join(self.levels)


def cautions(decision: Decision) -> tuple[StandingCaution, ...]:
    """Every red flag and caution that stands, the red ones first; levels that share one stand together."""
    found: dict[str, list[str]] = {}
    flags = {}
    for level in decision.levels:
        for flag in level.flags:
            if flag.kind in KINDS:
                flags[flag.id] = flag
                found.setdefault(flag.id, []).append(level.level)
    listed = [
        StandingCaution(id=name, kind=flags[name].kind, levels=tuple(at), words=flags[name].words,
                        action=flags[name].action, because=_because(flags[name]))
        for name, at in found.items()
    ]  # fmt: skip
    return tuple(sorted(listed, key=lambda one: KINDS.index(one.kind)))


def _because(flag: RaisedFlag) -> str:
    """The facts that raised a flag, in words."""
    return "; ".join(fact_words(used) for used in flag.reason.used if used.value is not None)


def technique_lines(decision: Decision) -> tuple[TechniqueLine, ...]:
    """The choice of technique, levels with the same one together."""
    found: dict[str, list[str]] = {}
    for level in decision.levels:
        found.setdefault(_technique(level), []).append(level.level)
    return tuple(TechniqueLine(levels=tuple(at), text=text) for text, at in found.items())


def _technique(level: LevelDecision) -> str:
    grade = level.technique
    if grade.value is not None:
        return str(grade.value)
    ask = f"Ask for: {missing_words(grade.missing[:3])}"
    if len(grade.reachable) > MOST_TECHNIQUES:
        return f"indeterminate: too little is known to choose. {ask}"
    choices = zip("abc", map(str, grade.reachable), strict=False)
    possible = "; ".join(f"({place}) {_choice(value)}" for place, value in choices)
    return f"indeterminate, one of: {possible}. {ask}"


def _choice(value: str) -> str:
    """A choice as a reader says it: "neither: why" is no procedure, and why."""
    return f"no procedure, {value.removeprefix('neither: ')}" if value.startswith("neither: ") else value
