"""The digital spine's truth against brute force on its own formulas."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest

from endplate.errors import OptionError
from endplate.image.phantom import Deformity, PhantomSpec, Rods, demo_spec
from endplate.image.phantom.fill import fill_vertebra
from endplate.image.phantom.size import level_size
from endplate.image.phantom.stack import Placed, rotation, stack_spine
from endplate.image.phantom.truth import grade_of, kyphosis, level_truth, volume_and_centroid
from endplate.image.volume import Grid
from endplate.level import Level

DEFORMITIES = {
    "none": None,
    "wedge": Deformity(shape="wedge", loss=0.33),
    "biconcave": Deformity(shape="biconcave", loss=0.3, breach=True),
    "crush": Deformity(shape="crush", loss=0.45),
}


def placed_l1(deformity: Deformity | None) -> tuple[PhantomSpec, Placed]:
    spec = PhantomSpec(levels=(Level.L1,), deformities={Level.L1: deformity} if deformity else {})
    return spec, stack_spine(spec)[0]


def marched_height(placed: Placed, right: float, anterior: float) -> float:
    """Length of bone on a vertical line through the body, by marching."""
    z = np.arange(-30, 30, 0.005)
    inside = placed.body.contains(np.full(z.shape, right), np.full(z.shape, anterior), z)
    return float(inside.sum() * 0.005)


@pytest.mark.parametrize("name", DEFORMITIES)
def test_heights_of_truth_match_lines_marched_through_the_body(name: str) -> None:
    spec, placed = placed_l1(DEFORMITIES[name])
    truth = level_truth(placed, spec)
    y = np.arange(-30, 30, 0.005)
    inside = placed.body.contains(np.zeros(y.shape), y, np.full(y.shape, placed.to_local(truth.centroid_mm)[2]))
    front, back = y[inside].max(), y[inside].min()
    assert front - back == pytest.approx(truth.depth_mm, abs=0.1)
    for share, height in ((0.125, truth.anterior_mm), (0.5, truth.middle_mm), (0.875, truth.posterior_mm)):
        lines = [marched_height(placed, x, front - share * (front - back)) for x in (-5, -2.5, 0, 2.5, 5)]
        assert np.median(lines) == pytest.approx(height, abs=0.12)


@pytest.mark.parametrize("name", ["wedge", "biconcave", "crush"])
def test_stated_loss_is_the_loss_of_truth_and_grades_by_it(name: str) -> None:
    deformity = DEFORMITIES[name]
    assert deformity is not None
    spec, placed = placed_l1(deformity)
    truth = level_truth(placed, spec)
    assert truth.loss == pytest.approx(deformity.loss, abs=0.01)
    assert truth.grade == grade_of(deformity.loss) and truth.shape == name
    if name != "crush":
        losses = 1 - np.array([truth.anterior_mm, truth.middle_mm, truth.posterior_mm]) / truth.expected_mm
        assert losses[2] < 0.02


@pytest.mark.parametrize(("loss", "grade"), [(0.19, 0), (0.2, 1), (0.249, 1), (0.25, 2), (0.4, 2), (0.41, 3)])
def test_grade_changes_at_the_published_cutoffs(loss: float, grade: int) -> None:
    assert grade_of(loss) == grade


def test_wedge_angle_of_truth_is_the_angle_between_normals_and_adds_to_kyphosis() -> None:
    intact = stack_spine(PhantomSpec(levels=(Level.T12, Level.L1, Level.L2)))
    wedge = Deformity(shape="wedge", loss=0.33)
    broken = stack_spine(PhantomSpec(levels=(Level.T12, Level.L1, Level.L2), deformities={Level.L1: wedge}))
    spec = PhantomSpec(levels=(Level.L1,))
    more = level_truth(broken[1], spec).wedge_deg - level_truth(intact[1], spec).wedge_deg
    assert 10 < more < 25
    tipped = kyphosis(broken)[0][Level.L1] - kyphosis(intact)[0][Level.L1]
    assert tipped == pytest.approx(more, abs=2.5)


def test_superior_axis_bisects_the_endplates() -> None:
    _, placed = placed_l1(Deformity(shape="wedge", loss=0.33))
    upper, lower, lean_up, lean_down = placed.body.rim_line()
    assert upper > lower and lean_up == pytest.approx(lean_down, abs=1e-3) and lean_up > 0.1


@pytest.mark.parametrize("spacing", [(0.7, 0.7, 0.7), (1.0, 1.0, 3.0), (2.0, 2.0, 2.0)])
def test_voxels_fill_to_the_volume_of_the_formulas(spacing: tuple[float, float, float]) -> None:
    _, upright = placed_l1(Deformity(shape="wedge", loss=0.33, breach=True))
    placed = upright.moved(rotation((7, 11, 13)))
    affine = np.diag([*spacing, 1.0])
    affine[:3, 3] = (-50, -40, -40)
    i, j, k = (np.array([100, 115, 85]) / spacing).astype(int)
    grid = Grid(shape=(i, j, k), affine=affine)
    filled = fill_vertebra(placed, grid, shell_mm=0.5, arch_shell_mm=1.2, vein=False)
    assert filled is not None
    box = placed.arch.reach_mm()
    points = np.random.default_rng(4711).uniform(box[0], box[1], (400_000, 3)).T
    distance = np.minimum(placed.body.distance(*points), placed.arch.distance(*points))
    volume = np.prod(box[1] - box[0]) * (distance < 0).mean()
    assert filled.bone.sum() * grid.voxel_mm3 == pytest.approx(volume, rel=0.01)
    assert filled.core.sum() < filled.bone.sum()


def test_centroid_and_volume_match_random_points() -> None:
    _, placed = placed_l1(Deformity(shape="wedge", loss=0.33))
    box = placed.arch.reach_mm()
    points = np.random.default_rng(4711).uniform(box[0], box[1], (600_000, 3))
    inside = placed.body.contains(*points.T)
    volume, centroid = volume_and_centroid(placed.body)
    assert volume == pytest.approx(np.prod(box[1] - box[0]) * inside.mean(), rel=0.012)
    assert centroid == pytest.approx(points[inside].mean(axis=0), abs=0.15)


def test_neighbours_do_not_run_into_each_other() -> None:
    spine = stack_spine(demo_spec())
    for upper, lower in pairwise(spine):
        box = upper.arch.reach_mm()
        points = np.random.default_rng(4711).uniform(box[0], box[1], (200_000, 3))
        there = lower.to_local(upper.to_world(points)).T
        first = np.minimum(upper.body.distance(*points.T), upper.arch.distance(*points.T))
        second = np.minimum(lower.body.distance(*there), lower.arch.distance(*there))
        assert not ((first < 0) & (second < 0)).any(), f"{upper.level} meets {lower.level}"


def test_pedicle_isthmus_is_as_wide_as_stated() -> None:
    spec, placed = placed_l1(None)
    pedicle = level_truth(placed, spec).left
    local, axis = placed.to_local(pedicle.isthmus_mm), placed.axes @ pedicle.axis
    across = np.array([axis[1], -axis[0], 0])
    steps = np.arange(-12, 12, 0.01)
    line = (local + steps[:, None] * across).T
    assert local[0] < 0 and axis[1] > 0.9
    assert (placed.arch._pedicle(np.abs(line[0]), line[1], line[2]) < 0).sum() * 0.01 == pytest.approx(
        pedicle.width_mm, abs=0.05
    )


def test_men_are_larger() -> None:
    assert level_size(Level.L1, "male", 1).width_mm > level_size(Level.L1, "female", 1).width_mm


@pytest.mark.parametrize(
    "wrong",
    [
        {"levels": (Level.T9,)},
        {"levels": (Level.L1, Level.L3)},
        {"levels": ()},
        {"spacing_mm": (1, 0, 1)},
        {"levels": (Level.L1,), "deformities": {Level.L2: Deformity(shape="wedge", loss=0.3)}},
    ],
)
def test_impossible_specifications_are_refused(wrong: dict) -> None:
    with pytest.raises(OptionError):
        PhantomSpec(**wrong)


def test_loss_beyond_the_flattest_body_is_refused() -> None:
    with pytest.raises(OptionError):
        Deformity(shape="crush", loss=0.9)
    assert Rods().mineral == "K2HPO4"
