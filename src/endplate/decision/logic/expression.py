"""The language of the rule files: read into nodes by hand, nothing is ever executed.

    age_yr >= adult_yr and not (trend is better or infection)
    at least two of (progression, loss_pct > loss_above, kyphosis)
    level in T1..L5          lesion in (lytic, mixed)          neuro is not none

Numbers stand in the rule files as named thresholds with their source; a bare number in an expression is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from endplate.decision.logic.field import Field
from endplate.decision.logic.kleene import OPERATORS, All, AnyOf, AtLeast, Compare, Criterion, Holds, Node, Not, OneOf
from endplate.decision.logic.score import Score, ScoreCompare
from endplate.decision.logic.threshold import RuleFileError, Threshold
from endplate.level import Level

_TOKEN = re.compile(r"\s*(?:(?P<range>[CTLS]\d+\.\.[CTLS]\d+)|(?P<name>[A-Za-z_][\w.]*)|(?P<sign><=|>=|<|>|[(),]))")


@dataclass(frozen=True, slots=True)
class Names:
    """What an expression may speak of."""

    fields: Mapping[str, Field]
    thresholds: Mapping[str, Threshold]
    criteria: Mapping[str, Criterion]
    scores: Mapping[str, Score]


def parse(text: str, names: Names) -> Node:
    """An expression as a node.

    Raises
    ------
    RuleFileError : a word that is not known, a bare number, or a sentence that does not end.
    """
    parser = _Parser(_tokens(text), text, names)
    node = parser.either()
    if parser.peek():
        raise parser.fault(f"unexpected '{parser.peek()}'")
    return node


def _tokens(text: str) -> list[str]:
    tokens, at = [], 0
    while at < len(text.rstrip()):
        match = _TOKEN.match(text, at)
        if match is None:
            raise RuleFileError(f"cannot read '{text[at:].strip()}' in '{text}'", "numbers must be named thresholds")
        tokens.append(match.group().strip())
        at = match.end()
    return tokens


class _Parser:
    """Recursive descent over tokens: or, and, not, atom."""

    def __init__(self, tokens: list[str], text: str, names: Names) -> None:
        self.tokens, self.text, self.names = tokens, text, names

    def peek(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self) -> str:
        if not self.tokens:
            raise self.fault("it ends too early")
        return self.tokens.pop(0)

    def accept(self, *words: str) -> bool:
        if tuple(self.tokens[: len(words)]) != words:
            return False
        del self.tokens[: len(words)]
        return True

    def expect(self, word: str) -> None:
        if not self.accept(word):
            raise self.fault(f"'{word}' expected before '{self.peek()}'")

    def fault(self, what: str) -> RuleFileError:
        return RuleFileError(f"rule '{self.text}': {what}")

    def either(self) -> Node:
        return self._joined("or", self.both, AnyOf)

    def both(self) -> Node:
        return self._joined("and", self.one, All)

    def _joined(self, word: str, part: Callable[[], Node], kind: type[All] | type[AnyOf]) -> Node:
        parts = [part()]
        while self.accept(word):
            parts.append(part())
        return parts[0] if len(parts) == 1 else kind(tuple(parts))

    def one(self) -> Node:
        if self.accept("not"):
            return Not(self.one())
        if self.accept("("):
            inner = self.either()
            self.expect(")")
            return inner
        if self.accept("at", "least"):
            return self._at_least()
        return self._atom(self.take())

    def _at_least(self) -> Node:
        limit = self._threshold(self.take())
        self.expect("of")
        self.expect("(")
        parts = [self.either()]
        while self.accept(","):
            parts.append(self.either())
        self.expect(")")
        return AtLeast(limit, tuple(parts))

    def _atom(self, name: str) -> Node:
        if self.peek() in OPERATORS:
            sign = self.take()
            return self._comparison(name, sign, self._threshold(self.take()))
        if self.accept("is", "not"):
            return Not(self._choice(name, [self.take()]))
        if self.accept("is"):
            return self._choice(name, [self.take()])
        if self.accept("in"):
            return self._choice(name, self._several())
        return self._named(name)

    def _comparison(self, name: str, sign: str, limit: Threshold) -> Node:
        if name in self.names.scores:
            return ScoreCompare(self.names.scores[name], sign, limit)
        if self._field(name).kind not in ("number", "integer"):
            raise self.fault(f"{name} is not a number")
        return Compare(name, sign, limit)

    def _several(self) -> list[str]:
        if ".." in self.peek():
            first, last = (Level(end) for end in self.take().split(".."))
            return [level.value for level in Level if first.order <= level.order <= last.order]
        self.expect("(")
        choices = [self.take()]
        while self.accept(","):
            choices.append(self.take())
        self.expect(")")
        return choices

    def _choice(self, name: str, choices: list[str]) -> Node:
        known = self._field(name).choices
        if strange := [choice for choice in choices if choice not in known]:
            raise self.fault(f"{name} is never {', '.join(strange)}")
        ends = f"{choices[0]} to {choices[-1]}" if name == "level" and len(choices) > 1 else " or ".join(choices)
        return OneOf(name, frozenset(choices), f"{name} is {ends}")

    def _named(self, name: str) -> Node:
        if name in self.names.criteria:
            return self.names.criteria[name]
        if self._field(name).kind != "bool":
            raise self.fault(f"{name} is not a yes-or-no answer")
        return Holds(name)

    def _field(self, name: str) -> Field:
        if name not in self.names.fields:
            raise self.fault(f"'{name}' is not known")
        return self.names.fields[name]

    def _threshold(self, name: str) -> Threshold:
        if name not in self.names.thresholds:
            raise self.fault(f"'{name}' is not a threshold")
        return self.names.thresholds[name]
