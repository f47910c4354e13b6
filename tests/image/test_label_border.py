"""Labels beside the bone are seen from 3 mm on, and told with direction and distance."""

import numpy as np
import pytest
from scipy import ndimage
from tests.support.small_spine import spine

from endplate.anatomy.label.flip import check_flips
from endplate.errors import GridMismatchError
from endplate.image.border import find_misfit
from endplate.image.ct import read_ct
from endplate.image.label_misregistration import check_in_place
from endplate.image.labels import read_labels
from endplate.image.phantom import PhantomSpec, make_phantom
from endplate.image.volume import LabelMap, Volume
from endplate.level import Level


def moved(labels, axis, distance_mm):
    steps = round(distance_mm / labels.grid.spacing_mm[axis])
    values = np.roll(labels.labels, steps, axis=axis)
    edge = [slice(None)] * 3
    edge[axis] = slice(None, steps) if steps > 0 else slice(steps, None)
    values[tuple(edge)] = 0
    return LabelMap(grid=labels.grid, labels=values, scheme=labels.scheme)


@pytest.fixture(scope="module")
def phantom():
    levels = (Level.L1, Level.L2, Level.L3)
    return make_phantom(PhantomSpec(levels=levels, spacing_mm=(1.5, 1.5, 1.5), field_mm=(110.0, 130.0), seed=4711))


@pytest.fixture(scope="module")
def verse(shared_data):
    folder = shared_data / "verse014"
    return read_ct(folder / "sub-verse014_ct.nii.gz"), read_labels(folder / "sub-verse014_seg-vert_msk.nii.gz")


@pytest.mark.parametrize(("axis", "distance"), [(2, 9.0), (2, -9.0), (2, 18.0), (0, 9.0), (1, -9.0)])
def test_labels_beside_the_bone_of_a_phantom_are_refused_with_the_distance(phantom, axis, distance):
    shifted = moved(phantom.labels, axis, distance)
    misfit = find_misfit(phantom.volume, shifted)
    assert misfit.axis == axis and misfit.move_mm == pytest.approx(-distance, abs=1.6)
    with pytest.raises(GridMismatchError, match="fit the bone better when moved"):
        check_in_place(phantom.volume, shifted)


@pytest.mark.parametrize(("axis", "distance"), [(2, 4.0), (2, -4.0), (0, 4.0), (1, 4.0), (1, -4.0)])
def test_four_millimetres_on_a_real_scan_are_told_and_distrusted(verse, axis, distance):
    volume, labels = verse
    cautions, gaps = check_flips(moved(labels, axis, distance), volume)
    assert [caution.code for caution in cautions] == ["labels_off_bone"]
    assert [(gap.code, gap.level) for gap in gaps] == [("vertebra", None)]


def test_labels_in_place_too_small_too_large_and_on_weak_bone_are_left_alone(verse, phantom):
    for volume, labels in (verse, (phantom.volume, phantom.labels), spine()):
        weak = Volume(grid=volume.grid, hu=volume.hu - np.where(labels.labels > 0, 100, 0).astype(np.int16))
        mask = labels.labels > 0
        for rough in (mask, ndimage.binary_erosion(mask), ndimage.binary_dilation(mask)):
            given = LabelMap(grid=labels.grid, labels=rough.astype(np.uint16) * 22, scheme="verse")
            assert find_misfit(volume, given) is None
            assert find_misfit(weak, given) is None
