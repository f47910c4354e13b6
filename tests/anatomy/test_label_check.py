"""Label errors are named on the level they touch; only what is safe is repaired, and that is recorded."""

import numpy as np
import pytest
from tests.support.spines import LUMBAR, only, relabelled, spine

from endplate.anatomy.label.check import check_labels
from endplate.anatomy.label.flip import check_flips
from endplate.anatomy.label.neighbours import beyond_any_body
from endplate.anatomy.label.order import check_order
from endplate.anatomy.locate import locate_vertebrae
from endplate.errors import LabelError
from endplate.image.volume import Volume
from endplate.level import Level


def codes(cautions, level=None):
    return {caution.code for caution in cautions if level is None or caution.level is level}


@pytest.fixture
def labels():
    return spine().labels


@pytest.fixture
def values(labels):
    return labels.labels.copy()


def centres(labels, levels):
    return [labels.grid.to_mm(np.argwhere(labels.labels == level.verse_id)).mean(axis=0) for level in levels]


def test_sound_labels_raise_no_caution(labels):
    check = check_labels(labels)
    assert [part.level for part in check.parts] == list(LUMBAR)
    assert not check.cautions and not check.gaps


def test_islands_are_left_out_and_recorded(labels, values):
    values[2:4, 2:4, 2:4] = Level.L2.verse_id
    check = check_labels(relabelled(labels, values))
    (caution,) = check.cautions
    assert (caution.code, caution.level, caution.repaired) == ("islands", Level.L2, True)
    sound = next(part for part in check_labels(labels).parts if part.level is Level.L2)
    part = next(part for part in check.parts if part.level is Level.L2)
    assert part.mask.sum() == sound.mask.sum()


def test_without_repair_islands_are_named_and_kept(labels, values):
    values[2:4, 2:4, 2:4] = Level.L2.verse_id
    check = check_labels(relabelled(labels, values), repair=False)
    assert not check.cautions[0].repaired
    part = next(part for part in check.parts if part.level is Level.L2)
    assert part.mask.sum() == (values == Level.L2.verse_id).sum()


def test_a_speck_within_the_neighbour_is_given_back_to_it(labels, values):
    middle = np.rint(labels.grid.to_index(spine().truth.levels[Level.L3].centroid_mm)).astype(int)
    i, j, k = middle
    values[i - 2 : i + 2, j - 2 : j + 2, k - 2 : k + 2] = Level.L2.verse_id
    check = check_labels(relabelled(labels, values))
    assert [(c.code, c.level, c.repaired) for c in check.cautions] == [("bleeding", Level.L2, True)]
    part = next(part for part in check.parts if part.level is Level.L3)
    assert part.mask.sum() == (labels.labels == Level.L3.verse_id).sum()


def test_small_hollows_are_filled_and_large_ones_only_named(labels, values):
    i, j, k = np.rint(labels.grid.to_index(spine().truth.levels[Level.L3].centroid_mm)).astype(int)
    values[i - 2 : i + 2, j - 2 : j + 2, k - 2 : k + 2] = 0
    assert codes(check_labels(relabelled(labels, values)).cautions, Level.L3) == {"holes"}
    values[i - 6 : i + 6, j - 5 : j + 5, k - 4 : k + 4] = 0
    large = check_labels(relabelled(labels, values))
    assert codes(large.cautions, Level.L3) == {"large_hole"}
    assert not any(caution.repaired for caution in large.cautions)


def test_one_label_on_two_vertebrae_is_a_gap(labels, values):
    values[values == Level.L4.verse_id] = Level.L2.verse_id
    check = check_labels(relabelled(labels, values))
    assert "one_level_in_two_bodies" in codes(check.cautions, Level.L2)
    assert [gap.level for gap in check.gaps if gap.code == "vertebra"] == [Level.L2]


def test_two_labels_in_one_body_are_both_gaps(labels, values):
    place = np.argwhere(values == Level.L2.verse_id)
    height = labels.grid.to_mm(place)[:, 2]
    body_mm = spine().truth.levels[Level.L2].centroid_mm[2]
    lower = place[height < body_mm]
    values[tuple(lower.T)] = Level.L3.verse_id
    found = locate_vertebrae(relabelled(labels, values))
    assert "two_levels_in_one_body" in codes(found.cautions, Level.L2)
    assert "two_levels_in_one_body" in codes(found.cautions, Level.L3)
    assert {Level.L2, Level.L3} <= found.distrusted
    assert found.at(Level.L2).superior is None and found.at(Level.L3).inferior is None
    assert found.at(Level.L4).superior is not None


def test_a_plug_across_the_disc_is_cut_and_recorded(labels, values):
    truth = spine().truth.levels
    middle = (truth[Level.L2].centroid_mm + truth[Level.L3].centroid_mm) / 2
    i, j, k = np.rint(labels.grid.to_index(middle)).astype(int)
    plug = values[i - 2 : i + 2, j - 2 : j + 2, k - 6 : k + 6]
    plug[plug == 0] = Level.L2.verse_id
    found = locate_vertebrae(relabelled(labels, values))
    cut = [caution for caution in found.cautions if caution.code == "bleeding"]
    assert [(caution.level, caution.repaired) for caution in cut] == [(Level.L2, True)]
    sound = locate_vertebrae(labels).at(Level.L2)
    surplus = found.at(Level.L2).body.sum() - sound.body.sum()
    assert abs(surplus) < 0.01 * sound.body.sum()
    assert Level.L2 not in found.distrusted


def test_three_voxels_are_refused_in_one_line():
    labels = spine().labels
    values = np.zeros_like(labels.labels)
    values[5, 5, 5:8] = Level.L3.verse_id
    with pytest.raises(LabelError, match="L3") as caught:
        check_labels(relabelled(labels, values))
    assert "\n" not in str(caught.value)


def test_three_voxels_among_vertebrae_are_a_gap(labels, values):
    values[values == Level.L1.verse_id] = 0
    values[5, 5, 5:8] = Level.L1.verse_id
    check = check_labels(relabelled(labels, values))
    assert Level.L1 not in [part.level for part in check.parts]
    assert codes(check.cautions, Level.L1) == {"tiny_vertebra"}
    assert [gap.level for gap in check.gaps] == [Level.L1]


def test_no_vertebra_at_all_is_refused(labels):
    with pytest.raises(LabelError, match="no vertebra"):
        check_labels(relabelled(labels, np.zeros_like(labels.labels)))


def test_a_level_without_label_is_missed():
    levels = [Level.L1, Level.L2, Level.L4]
    cautions, gaps = check_order(levels, centres(spine().labels, levels))
    assert codes(cautions, Level.L4) == {"skipped_level"} and not gaps


def test_wrong_numbers_are_told_from_a_missing_label():
    places = centres(spine().labels, LUMBAR)
    cautions, _ = check_order([Level.L1, Level.L2, Level.L4, Level.L5], places)
    assert codes(cautions, Level.L4) == {"misnumbered_levels"}


def test_a_hidden_vertebra_between_consecutive_numbers_is_noticed():
    places = centres(spine().labels, LUMBAR)
    names = [Level.T12, Level.L1, Level.L2, Level.L3]
    apart = [*places[:3], places[3] + (places[3] - places[2])]
    assert codes(check_order(names, apart)[0], Level.L3) == {"missing_level"}


def test_swapped_levels_contradict_the_spine():
    first, second, third, fourth = centres(spine().labels, LUMBAR)
    cautions, gaps = check_order(list(LUMBAR), [first, third, second, fourth])
    assert codes(cautions) == {"order_contradicts_spine"}
    assert {gap.level for gap in gaps} == {Level.L2, Level.L3}


@pytest.mark.parametrize(
    ("levels", "sound"),
    [
        ([Level.T12, Level.T13, Level.L1], True),
        ([Level.T12, Level.L1, Level.L2], True),
        ([Level.L4, Level.L5, Level.L6], True),
        ([Level.T11, Level.L2, Level.L3], False),
    ],
)
def test_transitional_spines_follow_their_own_numbering(levels, sound):
    places = [np.array([0.0, 0.0, -35.0 * n]) for n in range(len(levels))]
    assert (check_order(levels, places) == ([], [])) is sound


def test_a_sixth_lumbar_vertebra_is_measured_and_named(labels, values):
    values[values == Level.L4.verse_id] = Level.L6.verse_id
    check = check_labels(relabelled(labels, values))
    assert codes(check.cautions, Level.L6) == {"transitional_level"}


@pytest.mark.parametrize(("axis", "code"), [(1, "front_back_flip"), (2, "head_foot_flip")])
def test_labels_mirrored_against_the_ct_are_noticed(axis, code):
    phantom = spine()
    assert check_flips(phantom.labels, phantom.volume) == ([], [])
    flipped = relabelled(phantom.labels, np.flip(phantom.labels.labels, axis))
    cautions, gaps = check_flips(flipped, phantom.volume)
    assert codes(cautions) == {code} and gaps[0].code == "vertebra"


def test_labels_mirrored_left_to_right_off_centre_are_noticed():
    phantom = spine()
    cut = slice(0, int(phantom.labels.grid.shape[0] * 0.8))
    stop = (cut.stop, *phantom.labels.grid.shape[1:])
    grid = phantom.labels.grid.crop((0, 0, 0), stop)
    volume = Volume(grid=grid, hu=phantom.volume.hu[cut].copy())
    given = phantom.labels.labels[cut]
    labels = type(phantom.labels)(grid=grid, labels=np.flip(given, 0).copy(), scheme="verse")
    assert codes(check_flips(labels, volume)[0]) == {"left_right_flip"}


def test_front_and_back_exchanged_in_labels_alone_is_noticed():
    labels = only(spine().labels, Level.L2, Level.L3)
    flipped = relabelled(labels, np.flip(labels.labels, 1))
    found = locate_vertebrae(flipped)
    assert codes(found.cautions, Level.L2) >= {"front_back_flip"}


def test_a_collapsed_body_is_no_label_error():
    from endplate.image.phantom import Deformity, PhantomSpec, make_phantom

    spec = PhantomSpec(
        levels=LUMBAR,
        spacing_mm=(1.5, 1.5, 1.5),
        field_mm=(110.0, 150.0),
        deformities={Level.L2: Deformity(shape="crush", loss=0.6)},
    )
    found = locate_vertebrae(make_phantom(spec).labels)
    assert not found.distrusted


@pytest.mark.parametrize(
    "losses", [{"L1": 0.6}, {"L1": 0.5, "L2": 0.5}, {"T12": 0.3, "L1": 0.3, "L2": 0.3}, {"L2": 0.7}, {"L1": 0.8}]
)
def test_true_crushes_cost_no_level_its_findings(losses):
    from endplate.image.phantom import Deformity, PhantomSpec, make_phantom

    spec = PhantomSpec(
        levels=(Level.T11, Level.T12, Level.L1, Level.L2, Level.L3),
        spacing_mm=(1.5, 1.5, 1.5),
        field_mm=(110.0, 130.0),
        deformities={Level(name): Deformity(shape="crush", loss=loss) for name, loss in losses.items()},
    )
    found = locate_vertebrae(make_phantom(spec).labels)
    assert not found.distrusted


@pytest.mark.parametrize(
    ("height_mm", "section_mm2", "beyond"),
    [(28.0, 1300.0, False), (34.0, 1400.0, False), (42.0, 1300.0, True), (32.0, 500.0, True)],
)
def test_only_a_label_higher_than_any_single_body_is_too_tall(height_mm, section_mm2, beyond):
    assert beyond_any_body(height_mm, section_mm2) is beyond
