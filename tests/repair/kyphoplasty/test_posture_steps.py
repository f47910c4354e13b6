"""How far the neighbours are extended on the table, and that a body gets there by way of slow motion."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest

from endplate.errors import SolverError
from endplate.numerics.mpm.load import Load, Settings, Spring
from endplate.repair.kyphoplasty.creep import FREED, SLOWED_MPA, creep
from endplate.repair.kyphoplasty.height_gain import BodyHeights
from endplate.repair.kyphoplasty.posture import MIN_DEG, raise_front
from endplate.repair.kyphoplasty.stop_rules import CAUTION, Rises

DEPTH_MM = 30.0
BODY_MPA = 0.1
"""Stiffness of the fake body against that of the void: what it resists a step with."""


@dataclass
class Damped:
    """Stands for an engine: a front that goes towards where it is pulled, as far as the void lets it."""

    settings: Settings = field(default_factory=Settings)
    void_mpa: float = Settings().void_mpa
    at_mm: float = 0.0

    def damp(self, void_mpa: float | None = None) -> None:
        self.void_mpa = self.settings.void_mpa if void_mpa is None else void_mpa

    def save(self) -> float:
        return self.at_mm

    def restore(self, saved: float) -> None:
        self.at_mm = saved


@dataclass(frozen=True)
class Model:
    load: Load


@dataclass
class Table:
    """Stands for a run. A step at the usual damping that moves farther than `follows_mm` finds no equilibrium, nor does
    any beyond `breaks_deg`."""

    follows_mm: float = math.inf
    breaks_deg: float = math.inf
    rises: Rises = field(default_factory=lambda: Rises(None, None))
    engine: Any = field(default_factory=Damped)
    went: list[tuple[float, float]] = field(default_factory=list)

    def __post_init__(self) -> None:
        anchor = np.array([[0.0, 0.0, 0.0], [0.0, DEPTH_MM, 0.0]])
        self.model: Any = Model(Load(springs=(Spring(np.arange(2), (1.0, 1.0, 100.0), anchor),)))

    def pulled_mm(self) -> float:
        return float(self.model.load.springs[0].anchor_mm[0, 2])

    def shape(self) -> BodyHeights:
        return BodyHeights(heights_mm=(self.engine.at_mm, 0.0, 0.0), wedge_deg=0.0)

    def settle(self) -> None:
        by = (self.pulled_mm() - self.engine.at_mm) * BODY_MPA / (BODY_MPA + self.engine.void_mpa)
        if by > self.follows_mm or self.pulled_mm() > rise_mm(self.breaks_deg):
            raise SolverError("no equilibrium", "the step is too long", "take smaller steps")
        self.engine.at_mm += by
        self.went.append((self.engine.void_mpa, self.engine.settings.tolerance))


def rise_mm(deg: float) -> float:
    return DEPTH_MM * math.tan(math.radians(deg)) if deg < 90 else math.inf


def at_rest() -> BodyHeights:
    return BodyHeights(heights_mm=(0.0, 0.0, 0.0), wedge_deg=0.0)


def test_the_table_goes_in_slow_motion_and_the_body_comes_to_rest() -> None:
    table = Table()
    assert raise_front(table, 7.0, at_rest()) == ""
    slow, usual = float(SLOWED_MPA), Settings()
    assert [void for void, _ in table.went] == pytest.approx(
        [slow] * 4 + [slow * share for share in FREED.values()] + [usual.void_mpa]
    )
    tolerances = [tolerance for _, tolerance in table.went]
    assert min(tolerances[:-1]) > usual.tolerance == tolerances[-1] == table.engine.settings.tolerance
    assert table.engine.void_mpa == usual.void_mpa
    # the tangents of equal steps add up to a little less than that of the whole
    assert table.engine.at_mm == pytest.approx(4 * rise_mm(7 / 4), rel=0.01)


def test_a_step_that_is_too_fast_is_slowed_further() -> None:
    slowly = Table(follows_mm=1.0)
    assert raise_front(slowly, 8.0, at_rest()) == ""
    at_once = Table()
    raise_front(at_once, 8.0, at_rest())
    assert len(slowly.went) > len(at_once.went)
    assert slowly.engine.at_mm == pytest.approx(at_once.engine.at_mm, rel=0.02)


def test_what_breaks_is_told_with_how_far_it_went() -> None:
    for breaks_deg in (2.6, 5.4):
        table = Table(breaks_deg=breaks_deg)
        words = raise_front(table, 8.0, at_rest())
        reached = float(words.split()[3])
        assert breaks_deg - float(MIN_DEG) - 0.05 <= reached <= breaks_deg
        assert "of 8 degrees, last good state kept: no equilibrium" in words
        assert table.engine.at_mm == pytest.approx(rise_mm(reached), rel=0.02)
        assert table.pulled_mm() == pytest.approx(rise_mm(reached), rel=0.01)


def test_what_finds_no_equilibrium_at_all_is_told_and_changes_nothing() -> None:
    table = Table(breaks_deg=-1.0)
    before = table.model.load
    assert raise_front(table, 5.0, at_rest()).startswith("extension ended at 0.0 of 5 degrees, last good state kept")
    assert table.engine.at_mm == 0.0 and table.model.load is before


def test_extension_ends_before_a_height_is_passed() -> None:
    table = Table(rises=Rises((2.0, 9.0, 9.0), None))
    assert raise_front(table, 8.0, at_rest()) == ""
    assert float(CAUTION) * 2.0 - rise_mm(float(MIN_DEG)) <= table.engine.at_mm <= float(CAUTION) * 2.0


def test_slow_motion_is_over_when_it_fails() -> None:
    table = Table(breaks_deg=-1.0)
    with pytest.raises(SolverError):
        creep(table.engine, table.settle)
    assert table.engine.void_mpa == Settings().void_mpa and table.engine.settings == Settings()
