"""The candidacy matrix: rule sets by levels, each cell with its reasons."""

from __future__ import annotations

from dataclasses import dataclass, replace

from endplate.decision.verdict.verdict import Decision, Verdict

QUESTIONS = {
    "augmentation": "Cement at all (vertebroplasty or kyphoplasty)?",
    "vertebroplasty": "Vertebroplasty?",
    "kyphoplasty": "Kyphoplasty?",
    "operation": "An operation of any kind?",
    "surgical opinion": "A surgeon's opinion?",
    "imaging": "Advanced imaging?",
    "fracture liaison": "Fracture liaison and secondary prevention?",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One rule set: its verdict at each level."""

    title: str
    edition: str
    approximation: str
    verdicts: tuple[Verdict, ...]

    @property
    def spans(self) -> tuple[tuple[Verdict, ...], ...]:
        """The verdicts with neighbouring levels together where they are the same in every reason."""
        found: list[list[Verdict]] = []
        for verdict in self.verdicts:
            if found and _same(found[-1][0], verdict):
                found[-1].append(verdict)
            else:
                found.append([verdict])
        return tuple(map(tuple, found))


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """The rule sets that answer one question."""

    question: str
    rows: tuple[Row, ...]


def matrix(decision: Decision) -> tuple[Block, ...]:
    """Blocks by question; rule sets that speak of none of the levels stand last in theirs."""
    if not decision.levels:
        return ()
    rows: dict[str, list[Row]] = {}
    for first in decision.levels[0].verdicts:
        across = tuple(level.verdict(first.ruleset) for level in decision.levels)
        row = Row(
            title=first.title,
            edition=first.edition.edition,
            approximation=first.approximation,
            verdicts=across,
        )
        rows.setdefault(first.question, []).append(row)
    return tuple(
        Block(question=QUESTIONS.get(question, question), rows=tuple(sorted(found, key=_silent)))
        for question, found in rows.items()
    )


def _silent(row: Row) -> bool:
    return not any(verdict.applies for verdict in row.verdicts)


def _same(first: Verdict, other: Verdict) -> bool:
    if replace(first, level=other.level) != other:
        return False
    return first.status != "indeterminate" or first.would_change == other.would_change
