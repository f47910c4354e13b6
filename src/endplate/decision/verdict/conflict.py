"""Disagreements between sources, named: a question and who stands on which side of it here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from endplate.decision.logic.kleene import FactValues, Truth
from endplate.decision.rules.rulebook import Dispute, rulebook
from endplate.decision.verdict.verdict import Conflict, Verdict

SIDES: dict[str, Truth] = {"yes": True, "conditional": True, "no": False, "contraindicated": False}


def conflicts(
    verdicts: Sequence[Verdict], facts: FactValues, disputes: Iterable[Dispute] | None = None
) -> tuple[Conflict, ...]:
    """The questions on which members take known and opposite sides at these facts; `disputes` of the rule book."""
    by_id = {verdict.ruleset: verdict for verdict in verdicts}
    found = []
    for dispute in rulebook().disputes if disputes is None else disputes:
        sides = {name: _side(name, by_id, facts) for name in dispute.members}
        yes = tuple(name for name, side in sides.items() if side is True)
        no = tuple(name for name, side in sides.items() if side is False)
        if yes and no:
            found.append(
                Conflict(id=dispute.id, question=dispute.question, positions=dispute.positions, yes=yes, no=no)
            )
    return tuple(found)


def _side(name: str, verdicts: dict[str, Verdict], facts: FactValues) -> Truth:
    """For or against: a rule set that was not asked, or does not speak of such a case, takes no side."""
    if name not in verdicts:
        criterion = rulebook().criteria.get(name)
        return None if criterion is None else criterion.truth(facts)
    verdict = verdicts[name]
    return SIDES.get(verdict.status) if verdict.applies else None
