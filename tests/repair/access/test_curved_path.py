"""One needle for a curved balloon: it crosses the midline, is judged along its arc, mirrors, and says it is alone."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from endplate.anatomy.locate import locate_vertebrae
from endplate.anatomy.vertebra import Spine
from endplate.errors import OptionError
from endplate.image.phantom import PhantomSpec, make_phantom
from endplate.level import Level
from endplate.repair.access import PathSettings, plan_access, verdict
from endplate.repair.access.access_result import Access, NeedlePath, Side
from endplate.repair.access.arc_target import MIDDLE_OFF_MM
from endplate.repair.access.needle_tip import needle_tips
from endplate.repair.access.settings import GivenLine
from endplate.repair.access.target import FARTHEST_FRONT_END, FOREMOST

NAME = "Curved 15"


@cache
def spine() -> Spine:
    phantom = make_phantom(PhantomSpec(levels=(Level.L1, Level.L2, Level.L3), field_mm=(100.0, 110.0)))
    return locate_vertebrae(phantom.labels, phantom.volume)


@cache
def planned(sides: str) -> Access:
    settings = PathSettings(sides=sides, balloon=NAME)  # type: ignore[arg-type]
    return plan_access(spine(), spine().at(Level.L2), "kyphoplasty", settings)


def local(path: NeedlePath) -> np.ndarray:
    return spine().at(Level.L2).to_local_mm(path.course_mm)


@pytest.mark.parametrize(("side", "outward"), [("left", -1), ("right", 1)])
def test_one_path_goes_in_on_its_side_and_ends_across_the_midline(side: Side, outward: int) -> None:
    (path,) = planned(side).paths
    course, vertebra = local(path), spine().at(Level.L2)
    assert path.side == side and path.balloon == NAME and path.useful and verdict(path) != "refused"
    assert outward * course[0, 0] > 10 and outward * course[-1, 0] < -4
    assert abs(vertebra.to_local_mm(path.middle_mm)[0]) <= float(MIDDLE_OFF_MM)
    assert path.front_share is not None and float(FOREMOST) - 1e-3 <= path.front_share <= float(FARTHEST_FRONT_END)
    arc = path.arc
    assert arc is not None and arc.length_mm == pytest.approx(15.0) and arc.bend_deg == 75.0
    along = (path.target_mm - path.entry_mm) / np.linalg.norm(path.target_mm - path.entry_mm)
    assert arc.heading(0.0) == pytest.approx(along) and arc.at(1.0) == pytest.approx(path.end_mm)
    assert path.depth_mm == pytest.approx(float(np.linalg.norm(path.target_mm - path.entry_mm)) + 15.0)
    assert needle_tips([path])[0].at_mm == pytest.approx(path.middle_mm)


def test_left_and_right_are_mirror_images() -> None:
    (left,), (right,) = planned("left").paths, planned("right").paths
    mirrored = local(left) * [-1, 1, 1]
    assert np.abs(mirrored - local(right))[1:].max() < 2.0
    assert left.axial_deg == pytest.approx(right.axial_deg, abs=3.0)


def test_its_clearances_are_those_of_the_arc() -> None:
    """To the front cortex: from the surface about the course, not from the straight line on."""
    (path,) = planned("left").paths
    body = spine().at(Level.L2)
    places = body.to_local_mm(body.grid.to_mm(np.argwhere(body.body).astype(float)))
    front = places[(np.abs(places[:, 2] - local(path)[-1, 2]) < 1.5) & (places[:, 1] > 0)]
    edge = np.array([front[np.abs(front[:, 0] - x) < 1][:, 1].max() for x in (-6.0, 0.0, 6.0)])
    nearest = min(float(edge[k] - local(path)[5:, 1].max()) for k in range(3))
    assert path.clearance_mm["anterior"] == pytest.approx(nearest - path.needle.outer_mm / 2, abs=1.5)


def test_one_path_is_chosen_where_either_side_would_do_and_it_is_said() -> None:
    access = planned("auto")
    assert len(access.paths) == 1 and {path.side for path in access.alternatives} | {access.paths[0].side} == {
        "left",
        "right",
    }
    assert any("unilateral: one curved balloon (Curved 15)" in note and "midline" in note for note in access.notes)
    assert not any("instead of the usual" in note or "other side" in note for note in access.notes)


def test_a_curved_balloon_from_both_sides_is_refused() -> None:
    with pytest.raises(OptionError, match="goes in through one pedicle"):
        PathSettings(sides="both", balloon=NAME)
    line = GivenLine(side="left", entry_mm=(0.0, 0.0, 0.0), target_mm=(1.0, 0.0, 0.0))
    with pytest.raises(OptionError, match="goes in through one pedicle"):
        PathSettings(lines=(line, line), balloon=NAME)


def test_a_needle_placed_by_hand_bends_from_where_it_ends() -> None:
    (found,) = planned("right").paths
    entry, target = (tuple(float(x) for x in one) for one in (found.entry_mm, found.target_mm))
    line = GivenLine(side="right", entry_mm=entry, target_mm=target)  # type: ignore[arg-type]
    settings = PathSettings(lines=(line,), balloon=NAME)
    (path,) = plan_access(spine(), spine().at(Level.L2), "kyphoplasty", settings).paths
    assert path.end_mm == pytest.approx(found.end_mm, abs=0.05) and path.front_share == pytest.approx(found.front_share)
    assert path.clearance_mm == pytest.approx(found.clearance_mm, abs=0.05)
