"""Labels cut in mid-scan, bled into a neighbour, or drawn coarser than the grid they are stored on."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.spines import LUMBAR, relabelled, spine
from verification.random_spines import in_blocks, random_spine, spoil

from endplate.anatomy.label.resolution import label_edges_mm
from endplate.anatomy.locate import locate_vertebrae
from endplate.fracture import FractureSettings, HeightSettings, grade_fractures
from endplate.image.phantom import PhantomSpec, make_labels
from endplate.level import Level

ONCE = FractureSettings(heights=HeightSettings(repeat=False))


@pytest.fixture(scope="module")
def phantom():
    return spine()


def middle(phantom, level):
    return round(phantom.labels.grid.to_index(phantom.truth.levels[level].centroid_mm)[2])


def without(phantom, level, gone):
    values = phantom.labels.labels.copy()
    part = values[:, :, gone]
    part[part == level.verse_id] = 0
    return relabelled(phantom.labels, values)


def test_sound_labels_are_not_cut(phantom):
    assert not locate_vertebrae(phantom.labels).distrusted


@pytest.mark.parametrize(
    ("level", "above_mm", "below_mm", "sides"),
    [
        (Level.L2, 6.0, None, ("above",)),
        (Level.L3, None, 4.0, ("below",)),
        (Level.L2, 3.5, 3.5, ("above", "below")),
        (Level.L4, None, 3.0, ("below",)),
    ],
)
def test_a_label_that_ends_in_mid_scan_is_cut_and_not_graded(phantom, level, above_mm, below_mm, sides):
    k, edge = middle(phantom, level), float(phantom.labels.grid.spacing_mm[2])
    labels = phantom.labels
    if above_mm is not None:
        labels = without(phantom, level, slice(k + round(above_mm / edge), None))
    if below_mm is not None:
        kept = labels.labels.copy()
        part = kept[:, :, : k - round(below_mm / edge)]
        part[part == level.verse_id] = 0
        labels = relabelled(labels, kept)
    found = locate_vertebrae(labels)
    text = next(c.text for c in found.cautions if c.code == "label_cut")
    assert f"the label of {level} is cut: it ends flat {' and '.join(sides)}" in text
    fracture = next(f for f in grade_fractures(found, settings=ONCE) if f.level is level)
    assert fracture.genant_grade is None and fracture.fracture == "indeterminate" and "is cut" in fracture.reason
    others = [f for f in grade_fractures(found, settings=ONCE) if f.level is not level]
    assert all(f.genant_grade == 0 and f.fracture == "no" for f in others)


def test_a_body_that_leans_against_thick_slices_and_ends_flat_is_cut():
    trial = random_spine(31)
    labels, truth = make_labels(trial.spec)
    assert (trial.thickness_mm, trial.spoilt.cut[:2]) == (5.0, (Level.L5, "below"))
    found = locate_vertebrae(spoil(labels, truth, trial.spoilt, trial.seed))
    assert found.distrusted == {Level.L5}


def test_an_upright_body_on_slices_of_2_mm_is_not_cut_though_its_endplate_lies_in_one():
    levels = (Level.L1, Level.L2, Level.L3)
    labels, _ = make_labels(PhantomSpec(levels=levels, spacing_mm=(2.0, 2.0, 2.0), field_mm=(150.0, 150.0)))
    assert not locate_vertebrae(labels).distrusted


def test_a_bleed_distrusts_both_levels_that_share_it(phantom):
    values = phantom.labels.labels.copy()
    truth = phantom.truth.levels[Level.L3]
    index = np.argwhere(values == Level.L3.verse_id)
    local = (phantom.labels.grid.to_mm(index) - truth.centroid_mm) @ truth.axes.T
    values[tuple(index[local[:, 2] > 2].T)] = Level.L2.verse_id
    found = locate_vertebrae(relabelled(phantom.labels, values))
    assert found.distrusted == {Level.L2, Level.L3}
    texts = [c.text for c in found.cautions if c.level is Level.L3]
    assert any("L3 may lack a part" in text for text in texts)
    for fracture in grade_fractures(found, settings=ONCE):
        if fracture.level in (Level.L2, Level.L3):
            assert fracture.genant_grade is None


def test_the_same_is_not_said_twice(phantom):
    values = phantom.labels.labels.copy()
    k = middle(phantom, Level.L2)
    values[:, :, k:] = np.where(values[:, :, k:] == Level.L2.verse_id, Level.L1.verse_id, values[:, :, k:])
    found = locate_vertebrae(relabelled(phantom.labels, values))
    assert len(set(found.cautions)) == len(found.cautions) and len(set(found.gaps)) == len(found.gaps)
    texts = [caution.text for caution in found.cautions]
    assert len(set(texts)) == len(texts)
    assert not any(f"{share}%" in text for text in texts for share in range(101, 2000))


def masks(values):
    return [values == level.verse_id for level in LUMBAR]


@pytest.mark.parametrize("spacing", [(1.0, 1.0, 1.0), (0.7, 0.9, 1.0), (1.5, 1.5, 1.5)])
@pytest.mark.parametrize("begin", [0.0, 1.3])
def test_blocks_show_their_size_on_any_grid(phantom, spacing, begin):
    step = np.array(spacing)
    grid = phantom.labels.grid
    index = [
        np.clip(np.rint(np.arange(int(n * 1.5 / s)) * s / 1.5).astype(int), 0, n - 1)
        for n, s in zip(grid.shape, step, strict=True)
    ]
    fine = phantom.labels.labels[np.ix_(*index)]
    affine = np.diag([*step, 1.0])
    there = type(grid)(shape=fine.shape, affine=affine)
    blocks = in_blocks(fine, step, 4.5, begin)
    found = np.array(label_edges_mm(masks(blocks), there))
    assert found == pytest.approx(np.hypot(4.5, step), rel=0.08)


def test_labels_as_fine_as_their_grid_have_its_spacing(phantom):
    assert label_edges_mm(masks(phantom.labels.labels), phantom.labels.grid) == (1.5, 1.5, 1.5)
    assert not [c for c in locate_vertebrae(phantom.labels).cautions if c.code in ("coarse_labels", "thick_slices")]


def test_coarse_labels_and_thick_slices_are_told_once_for_the_scan(phantom):
    blocks = in_blocks(phantom.labels.labels, phantom.labels.grid.spacing_mm, 4.5, 0.7)
    found = locate_vertebrae(relabelled(phantom.labels, blocks))
    (told,) = [c for c in found.cautions if c.code == "coarse_labels"]
    assert told.level is None and "4.7" in told.text and "1.5 x 1.5 x 1.5" in told.text
    affine = phantom.labels.grid.affine.copy()
    affine[:3, 2] *= 2
    values = phantom.labels.labels[:, :, ::2]
    thick = type(phantom.labels)(
        grid=type(phantom.labels.grid)(shape=values.shape, affine=affine), labels=values, scheme="verse"
    )
    (told,) = [c for c in locate_vertebrae(thick).cautions if c.code == "thick_slices"]
    assert "slices of 3 mm" in told.text
