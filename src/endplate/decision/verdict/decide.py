"""The decision: every rule set, flag and grading at every level, each with its reasons.

Order of weight: emergencies; in each rule set that speaks of the case absolute contraindications, relative ones, the
answer; technique. Rule sets stand side by side; where they disagree the conflict is named (`conflict.py`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import partial
from typing import Any

from endplate.decision.facts.level_facts import LevelFacts
from endplate.decision.logic.kleene import FactValues, Node, Not, Remembered, open_fields
from endplate.decision.logic.score import Score
from endplate.decision.rules.derive import derive
from endplate.decision.rules.rulebook import Flag, Grading, rulebook
from endplate.decision.rules.ruleset import Outcome, RuleSet, settle
from endplate.decision.verdict.conflict import conflicts
from endplate.decision.verdict.reason import ladder_missing, ladder_reasons, missing_fields, reason, verdict_reasons
from endplate.decision.verdict.sensitivity import borderline, find_sensitivities
from endplate.decision.verdict.verdict import Decision, Grade, LevelDecision, RaisedFlag, ScoreResult, Verdict


def decide(levels: Sequence[LevelFacts], rulesets: Sequence[RuleSet] | None = None) -> Decision:
    """What every rule set, or each of those given, says of every level, and why."""
    return Decision(levels=tuple(decide_level(facts, rulesets) for facts in levels))


def decide_level(given: LevelFacts, rulesets: Sequence[RuleSet] | None = None) -> LevelDecision:
    """What every rule set, or each of those given, says of one level, and why."""
    facts = _filled(given)
    book = rulebook()
    verdicts = tuple(evaluate(ruleset, facts) for ruleset in (book.rulesets if rulesets is None else rulesets))
    return replace(
        _level_decision(facts, verdicts, grade(book.group("technique")[0], facts)),
        conflicts=conflicts(verdicts, facts.values),
        causes=tuple(grade(grading, facts) for grading in book.group("cause")),
        classes=tuple(grade(grading, facts) for grading in book.group("class")),
        conservative=tuple(grade(grading, facts) for grading in book.group("conservative")),
    )


def standing(levels: Sequence[LevelFacts]) -> Decision:
    """What every rule set says of every level, without why: for a page that shows cells and flags while one types.

    Reasons of verdicts and of the technique, scores, borderline values, conflicts and other gradings are left empty;
    status, answer, what is missing, flags and the technique are those of `decide`.
    """
    return Decision(levels=tuple(_standing_of(facts) for facts in levels))


def _standing_of(given: LevelFacts) -> LevelDecision:
    facts = _filled(given)
    book = rulebook()
    return _level_decision(
        facts, tuple(_verdict(ruleset, facts) for ruleset in book.rulesets), _grade(book.group("technique")[0], facts)
    )


def _filled(given: LevelFacts) -> LevelFacts:
    """The facts with what follows from them; criteria that many rule sets share are asked once."""
    return LevelFacts(values=Remembered(derive(given.values)), origin=given.origin, bands=given.bands)


def _level_decision(facts: LevelFacts, verdicts: tuple[Verdict, ...], technique: Grade) -> LevelDecision:
    """Flags, verdicts and technique; what else a decision holds is left empty."""
    flags = tuple(raised(flag, facts) for flag in rulebook().flags)
    return LevelDecision(
        level=facts.level,
        emergencies=tuple(flag for flag in flags if flag.kind == "emergency" and flag.truth),
        flags=tuple(flag for flag in flags if flag.kind != "emergency" and flag.truth),
        open_flags=tuple(flag for flag in flags if flag.truth is None),
        verdicts=verdicts,
        conflicts=(),
        causes=(),
        classes=(),
        conservative=(),
        technique=technique,
    )


def outcomes(values: FactValues) -> dict[str, Outcome]:
    """Status and answer of every rule set at one level, without reasons: the fast path for many records."""
    return outcomes_of(derive(values))


def outcomes_of(filled: FactValues) -> dict[str, Outcome]:
    """As `outcomes`, of facts that are derived already."""
    facts = Remembered(filled)
    return {ruleset.id: ruleset.outcome(facts) for ruleset in rulebook().rulesets}


def evaluate(ruleset: RuleSet, facts: LevelFacts) -> Verdict:
    """The verdict of one rule set with its reasons; `facts` with what follows from them filled in."""
    verdict = _verdict(ruleset, facts)
    return replace(
        verdict,
        reasons=verdict_reasons(ruleset, facts),
        scores=tuple(_score(score, facts.values) for score in ruleset.scores),
        assumed=tuple(_assumed(ruleset.scores, facts.values)),
        overridden=tuple(
            node.words for node in ruleset.absolute if ruleset.scores and verdict.applies and node.truth(facts.values)
        ),
        borderline=borderline(ruleset, facts),
    )


def _verdict(ruleset: RuleSet, facts: LevelFacts) -> Verdict:
    """What a rule set says and what it misses; why is left empty."""
    left = ruleset.reachable(facts.values)
    status, answer, applies = settle(left)
    return Verdict(
        ruleset=ruleset.id,
        title=ruleset.title,
        edition=ruleset.edition,
        question=ruleset.question,
        level=facts.level,
        status=status,
        answer=answer,
        applies=applies,
        reachable=left,
        reasons=(),
        missing=missing_fields(ruleset, facts.values),
        scores=(),
        assumed=(),
        overridden=(),
        borderline=(),
        approximation=ruleset.approximation,
        find_changes=partial(find_sensitivities, ruleset, facts.values),
    )


def raised(flag: Flag, facts: LevelFacts) -> RaisedFlag:
    """A flag at some facts."""
    return RaisedFlag(
        id=flag.id,
        kind=flag.kind,
        words=flag.when.words,
        action=flag.action,
        truth=flag.when.truth(facts.values),
        suspected=_suspected(flag, facts.values),
        missing=tuple(sorted(open_fields((flag.when,), facts.values))),
        reason=reason(flag.kind, flag.when, facts),
    )


def urgent(values: FactValues) -> dict[str, str]:
    """Emergencies at one level, "certain" or "possible", without reasons: the fast path for many records."""
    return urgent_of(derive(values))


def urgent_of(filled: FactValues) -> dict[str, str]:
    """As `urgent`, of facts that are derived already."""
    flags = [flag for flag in rulebook().flags if flag.kind == "emergency"]
    found = {flag.id: "certain" for flag in flags if flag.when.truth(filled)}
    return found | {flag.id: "possible" for flag in flags if _suspected(flag, filled)}


def _suspected(flag: Flag, values: FactValues) -> bool:
    """Whether a flag is open while some of what it asks is known to hold."""
    return flag.when.truth(values) is None and _partly(flag.when, values)


def _partly(node: Node, values: FactValues) -> bool:
    if isinstance(node, Not) or not node.children:
        return node.truth(values) is True
    return any(_partly(child, values) for child in node.children)


def grade(grading: Grading, facts: LevelFacts) -> Grade:
    """A grading at some facts; where all that is left begins alike, that much is settled."""
    return replace(_grade(grading, facts), reasons=ladder_reasons(grading.ladder, facts))


def _grade(grading: Grading, facts: LevelFacts) -> Grade:
    """A grading without its reasons."""
    left = grading.ladder.reachable(facts.values)
    return Grade(
        id=grading.id,
        group=grading.group,
        title=grading.title,
        value=left[0] if len(left) == 1 else _in_common(left),
        reachable=left,
        missing=ladder_missing(grading.ladder, facts.values),
        reasons=(),
    )


def _in_common(left: tuple[Any, ...]) -> str | None:
    """Values such as "neither: this" and "neither: that" in one; None where they begin differently."""
    parts = [str(value).partition(": ") for value in left]
    heads = {head for head, _, _ in parts}
    if len(heads) != 1 or not all(tail for _, _, tail in parts):
        return None
    return f"{heads.pop()}: {', or '.join(tail for _, _, tail in parts)}"


def _score(score: Score, facts: FactValues) -> ScoreResult:
    low, high = score.bounds(facts)
    return ScoreResult(name=score.name, words=score.words, low=low, high=high, points=score.points(facts))


def _assumed(scores: Iterable[Score], facts: FactValues) -> Iterable[str]:
    return (points.words for score in scores for points in score.points(facts) if points.assumed)
