"""Angles across levels: kyphosis positive, lordosis negative, unknown beside a missing level."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.shapes import plane, spine, vertebra

from endplate.anatomy.frame import axes_from
from endplate.fracture import measure_alignment, measure_heights
from endplate.fracture.alignment import kyphosis_deg
from endplate.fracture.result import Measured
from endplate.level import Level

ANTERIOR, SUPERIOR, RIGHT = np.array([0.0, -1, 0]), np.array([0.0, 0, 1]), np.array([-1.0, 0, 0])


def leaning(level: str, forward_deg: float, z_mm: float, upper=None):
    """A body that leans forward by an angle."""
    angle = np.deg2rad(forward_deg)
    axis = np.cos(angle) * SUPERIOR + np.sin(angle) * ANTERIOR
    return vertebra(Level(level), upper or plane(27, 27), axes=axes_from(axis, ANTERIOR), at_mm=(0, 0, z_mm))


def bent(degrees: tuple[float, float, float], middle=None):
    one, two, three = degrees
    return spine(leaning("T12", one, 40), leaning("L1", two, 0, middle), leaning("L2", three, -40))


@pytest.mark.parametrize(("degrees", "angle"), [((10, 0, -10), 20), ((-10, 0, 10), -20), ((0, 0, 0), 0)])
def test_kyphosis_is_positive_and_lordosis_negative(degrees, angle):
    found = measure_alignment(bent(degrees))
    assert found.regional_deg[Level.L1].value == pytest.approx(angle, abs=0.1)


def test_local_kyphosis_holds_the_wedge_of_the_level_itself():
    found = measure_alignment(bent((0, 0, 0), plane(20, 28)))
    assert found.local_deg[Level.L1].value == pytest.approx(np.rad2deg(np.arctan(4 / 24)), abs=0.2)
    assert found.regional_deg[Level.L1].value == pytest.approx(0, abs=0.1)


def test_angles_do_not_depend_on_how_the_patient_lies():
    straight = measure_alignment(bent((10, 2, -5)))
    turn = axes_from(np.array([0.3, 0.4, 1.0]), np.array([0.2, -1.0, 0.3])).T @ np.diag([-1.0, -1, 1])
    case = bent((10, 2, -5))
    turned = spine(*[replace(v, axes=v.axes @ turn.T) for v in case.vertebrae])
    one = straight.regional_deg[Level.L1].value
    other = kyphosis_deg(
        np.array([0, 1.0, 0]) @ turned.vertebrae[0].axes,
        np.array([0, 1.0, 0]) @ turned.vertebrae[2].axes,
        turned.vertebrae[1].axes[0],
    )
    assert other == pytest.approx(one, abs=0.1)


def test_ends_and_skipped_levels_are_unknown_with_a_reason():
    found = measure_alignment(spine(leaning("T12", 5, 40), leaning("L2", 0, 0)))
    assert found.local_deg[Level.L2].value is None and "above" in found.local_deg[Level.L2].reason
    assert found.regional_deg[Level.T12].value is None


def test_a_missing_endplate_is_named():
    case = bent((10, 0, -10))
    broken = spine(replace(case.vertebrae[0], superior=None), *case.vertebrae[1:])
    measured = measure_alignment(broken).regional_deg[Level.L1]
    assert measured.value is None and "T12" in measured.reason


def test_the_sd_comes_from_the_repeats_of_both_levels():
    case = bent((10, 0, -10))
    heights = [measure_heights(v) for v in case.vertebrae]
    found = measure_alignment(case, heights)
    assert found.regional_deg[Level.L1].sd == pytest.approx(
        np.sqrt((heights[0].wedge_deg.sd ** 2 + heights[2].wedge_deg.sd ** 2) / 2)
    )
    assert measure_alignment(case).regional_deg[Level.L1].sd is None


def test_no_kyphosis_is_told_where_a_level_cannot_carry_its_own_angle():
    case = bent((10, 0, -10))
    heights = [measure_heights(v) for v in case.vertebrae]
    blind = replace(heights[2], wedge_deg=Measured(value=None, reason="slices of 5 mm cannot carry an angle"))
    found = measure_alignment(case, [*heights[:2], blind])
    assert found.regional_deg[Level.L1].value is None
    assert found.regional_deg[Level.L1].reason == "L2: slices of 5 mm cannot carry an angle"
    assert found.local_deg[Level.L1].value is not None
