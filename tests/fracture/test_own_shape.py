"""What a body tells without a neighbour: its own shape, and its height against its depth."""

from __future__ import annotations

import pytest

from endplate.fracture.normals import has_normal, normal_depth, normal_heights
from endplate.fracture.own_shape import beyond_variants, hidden_loss_sd, misshapen, short_levels
from endplate.level import Level

LEVELS = (Level.T11, Level.T12, Level.L1, Level.L2, Level.L3)
L1_MM = 26.5


def body(level: Level, share: float = 1.0):
    scale = share * L1_MM / normal_heights(Level.L1)[2]
    return tuple(scale * height for height in normal_heights(level))


def spine(share: float, size: float = 1.0):
    heights = {level: body(level, share * size) for level in LEVELS}
    return heights, {level: size * normal_depth(level) for level in LEVELS}


@pytest.mark.parametrize("level", [level for level in Level if has_normal(level)])
def test_a_normal_body_is_not_misshapen(level):
    heights = normal_heights(level)
    assert not misshapen(level, heights) and not beyond_variants(level, heights)


@pytest.mark.parametrize(
    ("ratio", "doubtful", "beyond"), [(0.771, False, False), (0.769, True, False), (0.70, True, True)]
)
def test_the_front_of_l1_is_doubtful_beyond_two_sd_and_beyond_variants_at_three(ratio, doubtful, beyond):
    heights = (25 * ratio, 22.0, 25.0)
    assert (misshapen(Level.L1, heights), beyond_variants(Level.L1, heights)) == (doubtful, beyond)


@pytest.mark.parametrize(("middle", "found"), [(25 * 0.801, False), (25 * 0.799, True)])
def test_a_hollow_body_is_doubtful_below_four_fifths(middle, found):
    assert misshapen(Level.L3, (25.0, middle, 25.0)) is found


@pytest.mark.parametrize("size", [0.85, 1.0, 1.15])
def test_height_over_depth_tells_crushed_from_small(size):
    assert short_levels(*spine(1.0, size)) == frozenset()
    assert short_levels(*spine(0.7, size)) == frozenset(LEVELS)


def test_one_crushed_level_is_the_only_short_one():
    heights, depths = spine(1.0)
    heights[Level.L1] = body(Level.L1, 0.7)
    assert short_levels(heights, depths) == {Level.L1}


def test_without_any_depth_only_a_very_low_body_is_short():
    assert short_levels({Level.L1: body(Level.L1, 0.82)}, {}) == frozenset()
    assert short_levels({Level.L1: body(Level.L1, 0.78)}, {}) == {Level.L1}


def test_what_the_posterior_height_may_have_lost_widens_the_band():
    assert hidden_loss_sd(0.2, short=True) > hidden_loss_sd(0.2, short=False) > 0
