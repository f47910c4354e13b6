"""A long explanation cut to what a reader needs: what decides, what to ask for, five lines of each list."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from endplate.cited import cited
from endplate.decision.explanation.explain import ABSOLUTE, ANSWERS, NOT, NOT_KNOWN, SCOPE, Branch, explain
from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.rules.derive import derive
from endplate.decision.rules.ruleset import RuleSet, settle

FIRST = int(cited(5.0, "1", "Lines of a list that are shown; the rest is counted: own choice", "design"))


FEW_ANSWERS = int(cited(2.0, "1", "So many open answers are still read in full: own choice", "design"))


def condensed_rules(ruleset: RuleSet, facts: LevelFacts) -> Branch:
    """Why a rule set says what it says, cut; where many answers are still possible, its head names their kinds."""
    tree = condensed(explain(ruleset, facts))
    left = ruleset.reachable(derive(facts.values))
    outcome = settle(left)
    if outcome.status != "indeterminate" or len(left) <= FEW_ANSWERS:
        return tree
    kinds = dict.fromkeys(one.status if one.applies else "not applicable" for one in left)
    words = f"still possible: {', '.join(kinds)}"
    return replace(tree, text=tree.text.replace(f"({outcome.answer})", f"({words})"))


def condensed(branch: Branch) -> Branch:
    """The tree with what decides alone; of what is open, the answers to ask for; long lists counted beyond five."""
    if branch.marked and branch.truth is None:
        return replace(branch, text=branch.text + _asks(branch), branches=())
    parts = _deciding(branch.branches)
    kept = [part for part in parts if _matters(branch, part)]
    shown = tuple(condensed(part) for part in kept[:FIRST])
    idle = 0 if branch.marked else len(parts) - len(kept)
    return replace(branch, branches=(*shown, *_rest(len(kept) - len(shown), idle)))


def _deciding(parts: tuple[Branch, ...]) -> tuple[Branch, ...]:
    """Of the headings of a rule set the one that settles it, if one does: its scope first, then what bars it."""
    for heading, truth in ((SCOPE, False), (ABSOLUTE, True)):
        found = [part for part in parts if part.text.startswith(heading)]
        if any(inner.truth is truth for part in found for inner in part.branches):
            return tuple(found)
    return parts


def _matters(whole: Branch, part: Branch) -> bool:
    """Whether a part bears on the answer of the whole: of a list, what holds or is open; else what decides it."""
    if not part.marked or whole.text == ANSWERS or whole.text == NOT or len(whole.branches) == 1:
        return True
    return part.truth is whole.truth if whole.marked else part.truth is not False


def _rest(left: int, idle: int) -> Iterator[Branch]:
    """What is not shown, counted: what would not fit, and what does not hold."""
    if left:
        yield Branch(text=f"and {left} more", marked=False)
    if idle:
        yield Branch(text=f"{idle} do not hold" if idle > 1 else "1 does not hold", marked=False)


def _asks(branch: Branch) -> str:
    """The answers that an open part lacks, five by name."""
    names = list(dict.fromkeys(_missing(branch)))
    if not branch.branches or not names:
        return ""
    more = f"; and {len(names) - FIRST} more" if len(names) > FIRST else ""
    return f"; ask for: {'; '.join(names[:FIRST])}{more}"


def _missing(branch: Branch) -> Iterator[str]:
    if not branch.branches and branch.truth is None and NOT_KNOWN in branch.text:
        yield branch.text.partition(NOT_KNOWN)[0]
    for part in branch.branches:
        yield from _missing(part)
