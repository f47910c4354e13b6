"""Where a balloon's front end may lie: by the rule, under the depressed endplate, and what is said where it cannot."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from endplate.anatomy.locate import locate_vertebrae
from endplate.anatomy.vertebra import Spine
from endplate.image.phantom import PhantomSpec, make_phantom
from endplate.level import Level
from endplate.repair.access import PathSettings, plan_access
from endplate.repair.access.bone_surface import bone_surface
from endplate.repair.access.target import FARTHEST_FRONT_END, FOREMOST, find_target

HALF_MM = 7.5


@cache
def spine() -> Spine:
    phantom = make_phantom(PhantomSpec(levels=(Level.L1, Level.L2, Level.L3), field_mm=(100.0, 110.0)))
    return locate_vertebrae(phantom.labels, phantom.volume)


@pytest.mark.parametrize("outward", [-1, 1])
def test_front_end_lies_between_15_and_25_percent_of_the_depth_and_inside_its_half(outward: int) -> None:
    surface = bone_surface(spine().at(Level.L2))
    target = find_target(surface, "hemibody", outward, HALF_MM)
    ends = target.points(np.array([[0.0, 0.0, 0.5], [1.0, 1.0, 0.5]]))
    shares = sorted(target.front_share(float(y)) for y in ends[:, 1])
    assert shares == pytest.approx([float(FOREMOST), float(FARTHEST_FRONT_END)])
    side = np.abs(surface.points[surface.of_body, 0]).max()
    assert (np.abs(ends[:, 0]) <= 0.55 * side).all() and (np.sign(ends[:, 0]) == outward).all()


def test_balloons_lie_under_the_endplate_that_came_down() -> None:
    surface = bone_surface(spine().at(Level.L2))
    upper, lower, either = (find_target(surface, "hemibody", 1, HALF_MM, which) for which in ("upper", "lower", None))
    assert (upper.low[2], lower.high[2]) == (0.0, 0.0) and upper.high[2] == either.high[2] > 0 > lower.low[2]


def test_what_lies_behind_the_useful_place_begins_where_that_ends() -> None:
    surface = bone_surface(spine().at(Level.L2))
    useful, behind = (find_target(surface, "hemibody", 1, HALF_MM, useful=which) for which in (True, False))
    assert behind.high[1] == pytest.approx(useful.low[1]) and behind.low[1] < behind.high[1]


def test_a_place_from_which_nothing_is_lifted_is_said_to_be_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """No path is open to the front: what can be reached is planned, shorter balloons tried, and its cost is said."""
    whole = find_target

    def closed(*given: object, useful: bool = True, **named: object) -> object:
        target = whole(*given, useful=useful, **named)  # type: ignore[arg-type]
        ahead = (target.low[0], target.front_mm - 1.0, target.low[2])
        return replace(target, low=ahead, high=(target.high[0], target.front_mm, target.high[2])) if useful else target

    monkeypatch.setattr("endplate.repair.access.plan.find_target", closed)
    access = plan_access(spine(), spine().at(Level.L2), "kyphoplasty", PathSettings(sides="both"))
    assert access.paths and not any(path.useful for path in access.paths)
    assert all(path.front_share is not None and path.front_share > 0.249 for path in access.paths)
    assert any("no path reaches a useful place with this needle" in note for note in access.notes)
    assert {path.balloon for path in access.paths} <= {"Xpander 10/3", "Express 10/2"}


def test_centre_of_a_balloon_lies_no_farther_out_than_the_middle_of_its_half() -> None:
    """A needle comes from outside, so a front end that keeps to the middle is not enough."""
    vertebra = spine().at(Level.L2)
    access = plan_access(spine(), vertebra, "kyphoplasty", PathSettings(sides="both"))
    limit = find_target(bone_surface(vertebra), "hemibody", 1, HALF_MM).outermost_mm
    assert len(access.paths) == 2 and all(path.useful for path in access.paths)
    assert all(abs(vertebra.to_local_mm(path.target_mm)[0]) <= limit + 0.5 for path in access.paths)


def test_a_centre_too_far_out_is_planned_only_where_nothing_else_is_open_and_is_said(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    whole = find_target

    def narrow(*given: object, useful: bool = True, **named: object) -> object:
        target = whole(*given, useful=useful, **named)  # type: ignore[arg-type]
        return replace(target, outermost_mm=1.0) if useful else target

    monkeypatch.setattr("endplate.repair.access.plan.find_target", narrow)
    access = plan_access(spine(), spine().at(Level.L2), "kyphoplasty", PathSettings(sides="both"))
    assert access.paths and not any(path.useful for path in access.paths)
    assert all(path.front_share is not None and path.front_share < 0.251 for path in access.paths)
    assert any("farther out than the middle of its half" in note for note in access.notes)
