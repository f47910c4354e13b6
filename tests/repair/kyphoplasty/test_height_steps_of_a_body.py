"""What standing takes before anything is done, and what creep takes until the cement has cured."""

from __future__ import annotations

from dataclasses import fields, replace
from types import SimpleNamespace

import numpy as np
import pytest
from verification.box_body import UPRIGHT, box_vertebra
from verification.lift_boxes import crushed_box

from endplate.errors import SolverError
from endplate.numerics.mpm.load import Load, Spring
from endplate.repair.device.balloon import BALLOONS
from endplate.repair.kyphoplasty import standing_up
from endplate.repair.kyphoplasty.height_gain import BodyHeights
from endplate.repair.kyphoplasty.inflation import InflationSettings, inflate
from endplate.repair.kyphoplasty.inflation_result import Gain
from endplate.repair.kyphoplasty.placement import site_at
from endplate.repair.kyphoplasty.stop_rules import Rises
from endplate.repair.kyphoplasty.until_cured import creep_band_mm, creep_mm, cured


def test_creep_until_cured_follows_load_and_height_and_is_worst_where_bone_creeps_most() -> None:
    front, middle, back = creep_mm((20.0, 20.0, 20.0), 100.0)
    assert front == pytest.approx(20 * 9 * 2867e-6 * 100 / 1500)
    assert front > middle > back > 0
    assert creep_mm((20.0, 20.0, 20.0), 250.0)[0] == pytest.approx(2.5 * front)
    assert creep_mm((20.0, 20.0, 20.0), 0.0) == (0.0, 0.0, 0.0)
    mean, most = creep_band_mm(20.0, 100.0)
    assert mean == pytest.approx(front) and most == pytest.approx(front * (2867 + 2 * 2527) / 2867)


def test_cured_cement_keeps_the_emptied_gain_less_creep() -> None:
    emptied = Gain(anterior_mm=1.0, middle_mm=0.8, posterior_mm=0.1, wedge_deg=-2.0)
    left = cured(emptied, (20.0, 18.0, 25.0), 100.0)
    assert 0.9 < left.anterior_mm < 1.0 and left.kyphosis_deg == -2.0
    assert cured(emptied, (20.0, 18.0, 25.0), 0.0).anterior_mm == 1.0


class Weak:
    """A body that carries 200 N and no more."""

    def __init__(self) -> None:
        self.engine = self
        self.model = SimpleNamespace(load=Load(springs=(Spring(np.arange(3), (1.0, 1.0, 9.0)),)))
        self.rises = Rises(None, None)
        self.restored = False

    def save(self) -> str:
        return "saved"

    def restore(self, state: str) -> None:
        self.restored = state == "saved"

    def shape(self) -> BodyHeights:
        return BodyHeights(heights_mm=(20.0, 20.0, 20.0), wedge_deg=0.0)

    def settle(self) -> None:
        if -self.model.load.traction[0].force_n[2] > 200:
            raise SolverError("no equilibrium", "", "")


def test_a_body_that_does_not_carry_standing_says_how_far_it_came_and_is_put_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    weak = Weak()
    monkeypatch.setattr(standing_up, "replace", lambda one, **changes: SimpleNamespace(**(vars_of(one) | changes)))
    found, words = standing_up.stood_up(weak, 100.0, 500.0)
    assert found is None and words == "the broken body carries 200 of the 500 N of standing in the model"
    assert weak.restored and weak.model.load.springs[0].stiffness_n_per_mm[2] == 9.0
    assert standing_up.stood_up(weak, 100.0, 80.0)[0] == weak.shape()


def vars_of(one: object) -> dict[str, object]:
    return vars(one) if isinstance(one, SimpleNamespace) else {f.name: getattr(one, f.name) for f in fields(one)}


def test_standing_takes_height_and_the_run_goes_on_as_if_nobody_had_stood() -> None:
    body, bone = box_vertebra(), crushed_box(3.0)
    site = site_at(BALLOONS["VBS medium"], body.to_world_mm(np.array([0.0, 7.5, 0.0])), UPRIGHT[1])
    settings = InflationSettings(planned_ml=0.05, spring_n_per_mm=150.0)
    lying, stood = (inflate(bone, body, [site], one) for one in (settings, replace(settings, standing_n=150.0)))
    assert lying.upright is None and stood.upright is not None
    assert stood.upright.anterior_mm < 0
    assert stood.full == lying.full
    assert any("too coarse for a balloon" in words for words in lying.notes)
