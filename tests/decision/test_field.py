"""The catalogue of facts: values that stand for all others, and what a fact refuses."""

from __future__ import annotations

from typing import Any

import pytest

from endplate.decision.logic.field import Field, Kind, field_catalogue
from endplate.errors import RecordError
from endplate.level import Level


def field(kind: Kind, **more: Any) -> Field:
    return Field(name="x", kind=kind, scope="case", title="X", **more)


NUMBER = field("number", low=0, high=10)
WHOLE = field("integer", low=1, high=6)
CHOICE = field("choice", choices=("a", "b"))


@pytest.mark.parametrize(
    ("entry", "limits", "samples"),
    [
        (field("bool"), (), (True, False)),
        (CHOICE, (), ("a", "b")),
        (NUMBER, (), (0, 5, 10)),
        (NUMBER, (4,), (0, 2, 4, 7, 10)),
        (NUMBER, (4, 8), (0, 2, 4, 6, 8, 9, 10)),
        (NUMBER, (8, 4, 4), (0, 2, 4, 6, 8, 9, 10)),
        (NUMBER, (0,), (0, 5, 10)),
        (NUMBER, (10,), (0, 5, 10)),
        (NUMBER, (-3, 12), (0, 5, 10)),
        (WHOLE, (), (1, 2, 5, 6)),
        (WHOLE, (3,), (1, 2, 3, 4, 5, 6)),
        (field("integer", low=0, high=24), (17,), (0, 1, 16, 17, 18, 23, 24)),
        (field("integer", low=0, high=24), (17.5,), (0, 1, 16, 18, 23, 24)),
    ],
)
def test_samples_lie_on_between_and_beyond_the_limits(entry: Field, limits: tuple[float, ...], samples: Any) -> None:
    assert entry.samples(limits) == samples


def test_no_value_falls_between_two_samples_that_any_limit_tells_apart() -> None:
    limits = (4.0, 8.0)
    for value in (0.1, 3.9, 4.0, 4.1, 7.9, 8.0, 8.1, 9.9):
        sides = [(value < limit, value == limit) for limit in limits]
        assert any([(one < limit, one == limit) for limit in limits] == sides for one in NUMBER.samples(limits))


@pytest.mark.parametrize(
    ("entry", "value"),
    [(field("bool"), True), (field("bool"), None), (CHOICE, "b"), (NUMBER, 0), (NUMBER, 10), (NUMBER, 2.5),
     (WHOLE, 1), (WHOLE, 6), (NUMBER, None)],
)  # fmt: skip
def test_what_a_fact_may_be(entry: Field, value: Any) -> None:
    entry.check(value)


@pytest.mark.parametrize(
    ("entry", "value", "message"),
    [
        (field("bool"), 1, "x is 1; it should be true or false; correct it or leave it out."),
        (field("bool"), "yes", "x is 'yes'; it should be true or false; correct it or leave it out."),
        (CHOICE, "c", "x is 'c'; it should be one of a, b; correct it or leave it out."),
        (NUMBER, -0.1, "x is -0.1; it should be a number from 0 to 10; correct it or leave it out."),
        (NUMBER, 10.1, "x is 10.1; it should be a number from 0 to 10; correct it or leave it out."),
        (NUMBER, True, "x is True; it should be a number from 0 to 10; correct it or leave it out."),
        (NUMBER, "5", "x is '5'; it should be a number from 0 to 10; correct it or leave it out."),
        (WHOLE, 2.5, "x is 2.5; it should be a whole number from 1 to 6; correct it or leave it out."),
    ],
)
def test_what_a_fact_refuses_and_how(entry: Field, value: Any, message: str) -> None:
    with pytest.raises(RecordError) as caught:
        entry.check(value)
    assert str(caught.value) == message


def test_the_catalogue_holds_every_level_and_says_what_it_asks() -> None:
    catalogue = field_catalogue()
    assert catalogue["level"].choices == tuple(level.value for level in Level)
    assert (catalogue["level"].kind, catalogue["level"].scope, catalogue["level"].title) == ("choice", "level", "Level")
    nrs = catalogue["nrs"]
    assert (nrs.low, nrs.high, nrs.unit, nrs.scope) == (0, 10, "{score}", "case")
    assert catalogue["loss_pct"].scope == "level"
    assert all(entry.name == name and entry.title for name, entry in catalogue.items())
    assert all(entry.low < entry.high for entry in catalogue.values() if entry.kind in ("number", "integer"))
    assert all(entry.choices for entry in catalogue.values() if entry.kind == "choice")
