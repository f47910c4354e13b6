"""The steps by which the neighbours are extended on the table."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from endplate.errors import SolverError
from endplate.numerics.mpm.load import Load, Spring
from endplate.repair.kyphoplasty.posture import raise_front
from endplate.repair.kyphoplasty.stop_rules import Rises

DEPTH_MM = 30.0


@dataclass
class Table:
    """Stands for a run: its front follows the anchors; a step longer than `longest_deg` finds no equilibrium."""

    longest_deg: float
    spacing_mm: float = 2.0
    rises: Rises = field(default_factory=lambda: Rises(None, None))
    at_mm: float = 0.0
    went: list[float] = field(default_factory=list)
    loosely: list[bool] = field(default_factory=list)

    def __post_init__(self) -> None:
        anchor = np.array([[0.0, 0.0, 0.0], [0.0, DEPTH_MM, 0.0]])
        spring = Spring(np.arange(2), (1.0, 1.0, 100.0), anchor)
        self.model: Any = Model(Load(springs=(spring,)))
        self.engine: Any = SimpleNamespace(spacing_mm=self.spacing_mm)

    def front_mm(self) -> float:
        anchor = self.model.load.springs[0].anchor_mm
        return float(anchor[0, 2])

    def shape(self) -> Any:
        return SimpleNamespace(heights_mm=(self.at_mm, 0.0, 0.0))

    def settle(self, *, loosely: bool = False) -> None:
        by = math.degrees(math.atan((self.front_mm() - self.at_mm) / DEPTH_MM))
        if by > self.longest_deg:
            raise SolverError("no equilibrium", "the step is too long", "take smaller steps")
        self.at_mm = self.front_mm()
        self.went.append(by)
        self.loosely.append(loosely)


@dataclass(frozen=True)
class Model:
    load: Load


def gone(table: Table) -> list[float]:
    return [round(by, 2) for by in table.went]


def start() -> Any:
    return SimpleNamespace(heights_mm=(0.0, 0.0, 0.0))


def test_a_front_goes_up_by_half_a_voxel_a_step_and_rests_tightly_at_the_end() -> None:
    for spacing_mm, first in ((2.0, 1.91), (1.0, 0.95), (3.0, 2.0)):
        table = Table(9.0, spacing_mm)
        assert raise_front(table, 5.0, start()) == ""
        assert gone(table)[0] == first and table.went[-1] == 0.0
        assert sum(table.went) == pytest.approx(5.0, abs=1e-6)
        assert table.loosely == [True] * (len(table.went) - 1) + [False]


def test_a_step_that_failed_is_not_tried_again_at_its_length() -> None:
    table = Table(1.0)
    assert raise_front(table, 5.0, start()) == ""
    assert max(table.went) <= 1.0 and sum(table.went) == pytest.approx(5.0, abs=1e-6)
    # 1.91 fails and is halved, 0.6 of it fails and is halved, and 0.6 of that is kept
    assert gone(table)[:4] == [0.95, 0.57, 0.69, 0.69]


def test_what_finds_no_equilibrium_at_all_is_told() -> None:
    table = Table(-1.0)
    words = raise_front(table, 5.0, start())
    assert words.startswith("extension ended at 0.0 of 5 degrees, last good state kept: no equilibrium")


def test_extension_ends_before_a_height_is_passed() -> None:
    table = Table(9.0, rises=Rises((2.0, 9.0, 9.0), None))
    assert raise_front(table, 8.0, start()) == ""
    assert 0.5 < table.at_mm < 2.0
