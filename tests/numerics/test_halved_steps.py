"""Steps that fail are halved, unless what fails is a body that gives way."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from endplate.errors import SolverError
from endplate.numerics.mpm.engine_state import Solution
from endplate.numerics.mpm.load import Load
from endplate.numerics.mpm.load_stepping import MAX_HALVINGS, march
from endplate.numerics.mpm.newton import MoveTooFarError


class Body:
    """Stands for an engine: what a step of a given length does is asked of `answer`."""

    balloons = ()
    energy_balance = SimpleNamespace(loose_steps=0)
    last: Solution | None = None

    def __init__(self, answer: Any) -> None:
        self.answer, self.tried = answer, []

    def step(self, load: Load) -> Any:
        self.tried.append(load.pressure_mpa[0])  # type: ignore[index]
        self.answer(self.tried[-1])
        return SimpleNamespace(reaction_n=np.zeros(3))


def length(here: float, there: float) -> Load:
    return Load(pressure_mpa=(there - here,))


def too_long(by: float) -> None:
    if by > 0.3:
        raise SolverError("no equilibrium", "it is too long", "take smaller steps")


def never(by: float) -> None:
    raise SolverError("no equilibrium", "there is none", "take smaller steps")


def gives_way(by: float) -> None:
    raise MoveTooFarError(5.0, 4.0)


def follows(by: float) -> None:
    if by > 0.3:
        raise MoveTooFarError(20 * by, 4.0)


@pytest.mark.parametrize("answer", [too_long, follows])
def test_a_step_that_is_too_long_is_halved_until_it_goes(answer: Any) -> None:
    body = Body(answer)
    assert march(body, length, [1.0]).converged  # type: ignore[arg-type]
    assert body.tried == [1.0, 0.5, 0.25, 0.25, 0.5, 0.25, 0.25]


def test_what_finds_nothing_is_halved_as_often_as_allowed() -> None:
    body = Body(never)
    assert not march(body, length, [1.0]).converged  # type: ignore[arg-type]
    assert body.tried == [0.5**n for n in range(MAX_HALVINGS + 1)]


def test_a_body_that_gives_way_is_not_asked_again_and_again() -> None:
    body = Body(gives_way)
    course = march(body, length, [1.0])  # type: ignore[arg-type]
    assert not course.converged and course.stop.startswith("a step moves bone by 5.00 mm")
    assert body.tried == [1.0, 0.5]
