"""Bodies larger or smaller than anybody's: a lost spacing or other names, and nothing is measured on them."""

from __future__ import annotations

import numpy as np
import pytest

from endplate.anatomy.label.body_size import Person
from endplate.anatomy.locate import AnatomySettings, locate_vertebrae
from endplate.image.labels import read_labels
from endplate.image.phantom import Deformity, PhantomSpec, make_phantom
from endplate.image.volume import Grid, LabelMap
from endplate.level import Level

LEVELS = (Level.T12, Level.L1, Level.L2, Level.L3)


def labels(**spec) -> LabelMap:
    return make_phantom(
        PhantomSpec(levels=LEVELS, spacing_mm=(2.5, 2.5, 2.5), field_mm=(120.0, 150.0), noise_hu=0, **spec)
    ).labels


WOMAN = labels()


def stretched(given: LabelMap, factors) -> LabelMap:
    affine = given.grid.affine.copy()
    affine[:3, :3] = affine[:3, :3] * np.array(factors)
    return LabelMap(grid=Grid(shape=given.grid.shape, affine=affine), labels=given.labels, scheme="verse")


def located(given: LabelMap, person: Person = Person()):  # noqa: B008
    spine = locate_vertebrae(given, None, AnatomySettings(person=person))
    return spine, {caution.code for caution in spine.cautions}


@pytest.mark.parametrize("person", [Person(), Person(sex="female", stature_cm=160), Person(sex="female", age_yr=80)])
def test_a_usual_spine_raises_nothing(person):
    spine, codes = located(WOMAN, person)
    assert not codes & {"size_impossible", "size_unusual"}
    assert not spine.distrusted


@pytest.mark.parametrize(
    "factors",
    [(1 / 1.5,) * 3, (1.5,) * 3, (1, 1, 1 / 1.5), (1, 1, 1.5), (1 / 1.5, 1 / 1.5, 1), (1.4, 1.4, 1), (0.7, 0.7, 1.25),
     (0.1,) * 3],
)  # fmt: skip
def test_a_lost_spacing_leaves_nothing_to_measure(factors):
    try:
        spine, codes = located(stretched(WOMAN, factors))
    except Exception as error:
        assert "specks" in str(error)
        return
    assert "size_impossible" in codes or spine.distrusted == set(LEVELS)
    assert spine.distrusted == set(LEVELS)
    assert all(vertebra.superior is None for vertebra in spine.vertebrae)


def test_names_of_levels_far_away_are_noticed():
    renamed = np.where(WOMAN.labels > 0, WOMAN.labels - 8, 0).astype(np.uint16)  # T12-L3 called T4-T7
    _, codes = located(LabelMap(grid=WOMAN.grid, labels=renamed, scheme="verse"))
    assert "size_impossible" in codes


@pytest.mark.parametrize(
    ("spec", "person"),
    [
        ({"size": 0.9}, Person(sex="female", stature_cm=146)),
        ({"sex": "male", "size": 1.06}, Person(sex="male", stature_cm=186)),
        ({"deformities": {level: Deformity(shape="crush", loss=0.35) for level in LEVELS[:3]}}, Person()),
        ({"deformities": {level: Deformity(shape="wedge", loss=0.5) for level in LEVELS}}, Person()),
    ],
)
def test_small_and_large_people_and_fractures_are_themselves(spec, person):
    spine, codes = located(labels(**spec), person)
    assert "size_impossible" not in codes
    assert len(spine.distrusted) < len(LEVELS)


def test_stature_decides_what_is_usual():
    small = stretched(WOMAN, (0.84,) * 3)
    assert "size_unusual" in located(small)[1]
    assert "size_unusual" not in located(small, Person(sex="female", stature_cm=138))[1]
    assert "size_impossible" in located(small, Person(sex="male", stature_cm=190))[1]


def test_children_are_not_held_against_adults():
    _, codes = located(stretched(WOMAN, (0.7,) * 3), Person(sex="female", age_yr=9))
    assert not codes & {"size_impossible", "size_unusual"}


@pytest.mark.parametrize(
    "name",
    ["verse004/sub-verse004_seg-vert_msk.nii.gz", "verse014/sub-verse014_seg-vert_msk.nii.gz", "tptbox-l3"],
)
def test_real_spines_are_of_people(shared_data, name):
    _, codes = located(read_labels(shared_data / name))
    assert not codes & {"size_impossible", "size_unusual"}


@pytest.mark.parametrize("name", ["verse004/sub-verse004_seg-vert_msk.nii.gz"])
@pytest.mark.parametrize("factors", [(1 / 1.5,) * 3, (1, 1, 1 / 1.5)])
def test_real_spines_with_a_lost_spacing_are_not(shared_data, name, factors):
    given = read_labels(shared_data / name)
    _, codes = located(stretched(given, factors))
    assert "size_impossible" in codes


def test_a_thirteenth_thoracic_vertebra_is_no_reason_to_distrust_a_spine():
    """T12 and L1 then lie two bodies apart; their step says nothing of the voxel size."""
    spec = PhantomSpec(levels=(Level.T11, Level.T12, Level.L1, Level.L2), spacing_mm=(2.5, 2.5, 2.5), noise_hu=0)
    given = make_phantom(spec).labels
    values = given.labels.copy()
    for was, now in ((Level.L1, Level.T13), (Level.L2, Level.L1)):
        values[given.labels == was.verse_id] = now.verse_id
    spine, codes = located(LabelMap(grid=given.grid, labels=values, scheme="verse"))
    assert codes == {"transitional_level"} and not spine.distrusted
