"""Facts that remember answer as the same facts do that ask every part anew."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from endplate.decision.logic.field import field_catalogue
from endplate.decision.logic.kleene import Remembered, truth_of
from endplate.decision.rules.rulebook import rulebook


def _facts(chance: Random, share: float) -> dict[str, Any]:
    return {name: _value(chance, name) for name in field_catalogue() if chance.random() < share}


def _value(chance: Random, name: str) -> Any:
    return chance.choice(field_catalogue()[name].samples())


def _agree(remembering: Remembered) -> None:
    plain = dict(remembering)
    for ruleset in rulebook().rulesets:
        assert ruleset.reachable(remembering) == ruleset.reachable(plain)
        for node in ruleset.nodes():
            assert truth_of(node, remembering) is node.truth(plain)


@pytest.mark.parametrize("share", [0.1, 0.5, 0.9])
def test_answers_stay_right_while_facts_change(share: float) -> None:
    chance = Random(round(100 * share))
    for _ in range(3):
        facts = Remembered(_facts(chance, share))
        _agree(facts)
        for _ in range(6):
            name = chance.choice(list(field_catalogue()))
            other = facts.but({name: _value(chance, name)})
            _agree(other)
            again = other.but({})
            again.learn({key: _value(chance, key) for key in chance.sample(list(field_catalogue()), 3)})
            _agree(again)
            _agree(facts)
            facts = again


def test_an_answer_that_a_fact_turns_is_not_kept() -> None:
    criterion = next(one for ruleset in rulebook().rulesets for one in ruleset.absolute if one.child.field)
    name = criterion.child.field
    facts = Remembered({name: True})
    assert criterion.truth(facts) is True
    assert criterion.truth(facts.but({name: False})) is False
    facts.learn({name: None})
    assert criterion.truth(facts) is None
