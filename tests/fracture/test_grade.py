"""Grades, shapes and the two answers, at, below and above every limit."""

from __future__ import annotations

import pytest

from endplate.fracture.grade import (
    genant_grade,
    physiological_wedge,
    read_shape,
    scheuermann_like,
    shape_of,
    short_vertebra,
    worst_of,
)
from endplate.fracture.signs import Sign
from endplate.level import Level

PLATE = Sign(where="endplate", text="depressed")
CORTEX = Sign(where="cortex", text="short front")
EPS = 1e-9


def read(level, heights, losses, signs=(), *, scheuermann=False):
    return read_shape(level, heights, losses, signs, scheuermann=scheuermann)


@pytest.mark.parametrize(
    ("loss", "grade"),
    [
        (-0.1, 0),
        (0, 0),
        (0.20 - EPS, 0),
        (0.20, 1),
        (0.20 + EPS, 1),
        (0.25 - EPS, 1),
        (0.25, 2),
        (0.25 + EPS, 2),
        (0.40 - EPS, 2),
        (0.40, 2),
        (0.40 + EPS, 3),
        (1, 3),
    ],
)
def test_genant_limits(loss, grade):
    assert genant_grade(loss) == grade


@pytest.mark.parametrize(
    ("losses", "worst"),
    [((0.3, 0.2, 0.1), "anterior"), ((0.1, 0.3, 0.2), "middle"), ((0.1, 0.2, 0.3), "posterior")],
)
def test_the_worst_height_names_the_loss(losses, worst):
    assert worst_of(losses) == worst


@pytest.mark.parametrize(("ratio", "shape"), [(0.80 - EPS, "wedge"), (0.80, "none"), (0.80 + EPS, "none")])
def test_wedge_below_four_fifths(ratio, shape):
    assert shape_of((25 * ratio, 24, 25), (0.2, 0.04, 0)) == shape


@pytest.mark.parametrize(("ratio", "shape"), [(0.80 - EPS, "biconcave"), (0.80, "none"), (0.80 + EPS, "none")])
def test_biconcave_below_four_fifths(ratio, shape):
    assert shape_of((24, 25 * ratio, 25), (0.04, 0.2, 0)) == shape


def test_biconcave_needs_the_middle_below_the_front():
    assert shape_of((18.0, 18.0, 25), (0.28, 0.28, 0)) == "wedge"
    assert shape_of((18.1, 18.0, 25), (0.28, 0.28, 0)) == "biconcave"


@pytest.mark.parametrize(("back", "shape"), [(0.20 + EPS, "crush"), (0.20, "biconcave"), (0.20 - EPS, "biconcave")])
def test_crush_needs_the_back_below_four_fifths(back, shape):
    heights = (25 * 0.85, 25 * 0.60, 25 * (1 - back))
    assert shape_of(heights, (0.15, 0.40, back)) == shape


@pytest.mark.parametrize(
    ("front", "middle", "crushed"),
    [
        (0.10 + EPS, 0.10 + EPS, True),
        (0.10 - EPS, 0.30, False),
        (0.10, 0.10, False),
        (0.30, 0.10 - EPS, False),
        (0.30, 0.30, True),
    ],
)
def test_crush_needs_front_and_middle_reduced_too(front, middle, crushed):
    heights = (25 * (1 - front), 25 * (1 - middle), 25 * 0.75)
    assert (shape_of(heights, (front, middle, 0.25)) == "crush") is crushed


def test_crush_comes_before_biconcave_and_biconcave_before_wedge():
    assert shape_of((17, 12, 19), (0.32, 0.5, 0.24)) == "crush"
    assert shape_of((18, 12, 25), (0.28, 0.5, 0.0)) == "biconcave"


@pytest.mark.parametrize(
    ("level", "least"),
    [(Level.T10, 0.76), (Level.T11, 0.76), (Level.T12, 0.78), (Level.L1, 0.77), (Level.L2, 0.76)],
)
def test_physiological_wedging_lies_between_two_sd_and_four_fifths(level, least):
    assert not physiological_wedge(level, (25 * (least - 1e-6), 24, 25))
    assert physiological_wedge(level, (25 * (least + 1e-6), 24, 25))
    assert physiological_wedge(level, (25 * (0.80 - 1e-6), 24, 25))
    assert not physiological_wedge(level, (25 * 0.80, 24, 25))


def test_two_sd_below_the_mean_is_still_physiological():
    assert physiological_wedge(Level.T10, (19, 24, 25))


@pytest.mark.parametrize("level", [Level.T9, Level.L3])
def test_other_levels_have_no_physiological_wedging(level):
    assert not physiological_wedge(level, (19.5, 24, 25))


@pytest.mark.parametrize("level", [Level.T10, Level.T11, Level.T12, Level.L1, Level.L2])
def test_physiological_wedging_is_neither_deformity_nor_fracture(level):
    reading = read(level, (25 * 0.79, 23, 25), (0.15, 0.05, 0.0), [CORTEX])
    assert (reading.deformity, reading.fracture, reading.shape) == ("no", "no", "none")


def test_the_same_wedge_is_a_deformity_where_neighbours_say_so():
    reading = read(Level.L1, (25 * 0.79, 23, 25), (0.21, 0.05, 0.0), [PLATE])
    assert (reading.deformity, reading.fracture, reading.shape) == ("yes", "yes", "wedge")


def test_a_wedge_outside_the_physiological_range_is_a_deformity_even_below_grade_1():
    reading = read(Level.L1, (25 * 0.70, 23, 25), (0.19, 0.05, 0.0))
    assert (reading.deformity, reading.fracture) == ("yes", "indeterminate")


def test_an_intact_body_is_neither():
    reading = read(Level.L3, (27, 25, 27), (0.01, 0.02, -0.01), [PLATE])
    assert (reading.deformity, reading.fracture, reading.shape) == ("no", "no", "none")


def test_loss_without_a_sign_is_indeterminate_when_mild_and_a_fracture_when_not():
    assert read(Level.T8, (16, 20, 21), (0.22, 0.02, 0)).fracture == "indeterminate"
    assert read(Level.T8, (15, 20, 21), (0.30, 0.02, 0)).fracture == "yes"


def test_a_cortex_sign_makes_a_mild_wedge_a_fracture():
    assert read(Level.T8, (16, 20, 21), (0.22, 0.02, 0), [CORTEX]).fracture == "yes"


def test_an_evenly_short_body_is_left_open_without_an_endplate_sign():
    losses = (0.22, 0.23, 0.21)
    for signs in ([], [CORTEX]):
        reading = read(Level.L2, (21, 20, 21), losses, signs)
        assert (reading.deformity, reading.fracture) == ("yes", "indeterminate")
        assert reading.reason == "short without an endplate sign: variant or crush"
    assert read(Level.L2, (21, 20, 21), losses, [PLATE]).fracture == "yes"


@pytest.mark.parametrize("ratio", [0.55, 0.65, 0.70])
def test_no_variant_excuses_a_front_beyond_three_sd(ratio):
    heights = (25 * ratio, 25 * (1 + ratio) / 2, 25)
    for losses in ((1 - ratio, 0.2, 0.0), (0.24, 0.22, 0.2)):
        assert read(Level.L1, heights, losses, [CORTEX], scheuermann=True).fracture == "yes"


def test_an_evenly_short_body_of_grade_2_is_left_open_and_beyond_grade_2_it_is_no_variant():
    assert read(Level.L2, (19, 18, 19), (0.30, 0.31, 0.29)).fracture == "indeterminate"
    assert read(Level.L2, (16, 15, 16), (0.40, 0.40, 0.39)).fracture == "indeterminate"
    assert read(Level.L2, (15, 14, 15), (0.42, 0.43, 0.41)).fracture == "yes"


@pytest.mark.parametrize(
    ("losses", "short"),
    [
        ((0.22, 0.20, 0.21), True),
        ((0.16, 0.08, 0.1), True),
        ((0.2801, 0.20, 0.21), False),
        ((0.05, 0.03, 0.0), False),
        ((0.05, 0.03, 0.001), True),
    ],
)
def test_evenly_short_means_within_eight_points(losses, short):
    assert short_vertebra(losses) is short


def test_scheuermann_like_wedging_is_no_fracture_without_an_endplate_sign():
    args = (Level.T8, (16, 20, 21), (0.22, 0.02, 0))
    assert read(*args, [CORTEX], scheuermann=True).fracture == "no"
    assert read(*args, [PLATE], scheuermann=True).fracture == "yes"
    assert read(Level.T8, (24, 16, 24), (0.0, 0.22, 0), [CORTEX], scheuermann=True).fracture == "yes"


@pytest.mark.parametrize(
    ("wedges", "flags"),
    [
        ((5, 5, 5), (True, True, True)),
        ((4.999, 5, 5), (False, False, False)),
        ((1, 6, 7, 8, 1), (False, True, True, True, False)),
        ((6, 6, None, 6, 6, 6), (False, False, False, True, True, True)),
        ((6, 6), (False, False)),
        ((), ()),
    ],
)
def test_scheuermann_needs_three_neighbours_of_five_degrees(wedges, flags):
    assert scheuermann_like(wedges) == flags


def test_a_graded_body_without_a_ratio_below_four_fifths_is_named_after_its_worst_height():
    assert read(Level.T8, (17, 17.5, 20.5), (0.22, 0.1, 0.05), [PLATE]).shape == "wedge"
    assert read(Level.T8, (19, 17, 20.5), (0.1, 0.22, 0.05), [PLATE]).shape == "biconcave"
    assert read(Level.T8, (20, 19, 18), (0.02, 0.03, 0.22), [PLATE]).shape == "crush"
