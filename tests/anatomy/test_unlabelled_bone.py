"""A label that ends anyhow within a body is cut where the CT shows the bone going on; sound labels are not."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.spines import relabelled, spine

from endplate.anatomy.label.unlabelled_bone import check_unlabelled_bone, goes_on
from endplate.anatomy.locate import locate_vertebrae
from endplate.fracture import FractureSettings, HeightSettings, grade_fractures
from endplate.image.phantom import Deformity, PhantomSpec, make_phantom
from endplate.image.volume import Volume
from endplate.level import Level

ONCE = FractureSettings(heights=HeightSettings(repeat=False))


def ends_anyhow(labels, truth, level, at_mm, sign=1):
    """The label of a level without what lies beyond a leaning, wavy surface."""
    values = labels.labels.copy()
    index = np.argwhere(values == level.verse_id)
    local = (labels.grid.to_mm(index) - truth.levels[level].centroid_mm) @ truth.levels[level].axes.T
    surface = at_mm + 0.3 * local[:, 1] + 1.5 * np.sin(local[:, 0] / 3)
    values[tuple(index[sign * local[:, 2] > surface].T)] = 0
    return relabelled(labels, values)


@pytest.mark.parametrize(("sign", "side"), [(1, "above"), (-1, "below")])
def test_a_label_that_ends_anyhow_within_its_body_is_cut(sign, side) -> None:
    phantom = spine()
    labels = ends_anyhow(phantom.labels, phantom.truth, Level.L3, 4.0, sign)
    found = locate_vertebrae(labels, phantom.volume)
    texts = [caution.text for caution in found.cautions if caution.code == "label_cut"]
    assert len(texts) == 1 and texts[0].startswith(f"the label of L3 ends {side} where the CT shows no endplate")
    assert found.distrusted == {Level.L3}
    reading = next(f for f in grade_fractures(found, settings=ONCE) if f.level is Level.L3)
    assert reading.genant_grade is None and reading.fracture == "indeterminate" and "no endplate" in reading.reason


def test_without_a_ct_nothing_is_said() -> None:
    phantom = spine()
    vertebrae = locate_vertebrae(ends_anyhow(phantom.labels, phantom.truth, Level.L3, 4.0)).vertebrae
    assert check_unlabelled_bone(vertebrae, phantom.labels, None) == ([], [])


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"noise_hu": 80.0},
        {"spacing_mm": (1.5, 1.5, 3.0), "noise_hu": 40.0},
        {"spacing_mm": (1.5, 1.5, 5.0)},
        {"deformities": {Level.L2: Deformity(shape="crush", loss=0.4), Level.L3: Deformity(shape="wedge", loss=0.4)}},
    ],
)
def test_sound_and_broken_bodies_end_at_their_endplates(spec) -> None:
    usual = {"levels": (Level.L1, Level.L2, Level.L3), "spacing_mm": (1.5, 1.5, 1.5), "field_mm": (110.0, 140.0)}
    phantom = make_phantom(PhantomSpec(**(usual | spec)))
    vertebrae = locate_vertebrae(phantom.labels).vertebrae
    assert check_unlabelled_bone(vertebrae, phantom.labels, phantom.volume) == ([], [])


def test_weak_bone_no_brighter_than_its_discs_still_shows_its_endplates() -> None:
    phantom = spine()
    hu = phantom.volume.hu.astype(float)
    bodies = np.isin(phantom.labels.labels, [20, 21, 22, 23, 24])
    hu[bodies] -= np.minimum(np.maximum(hu[bodies] - 60, 0), 90)
    volume = Volume(grid=phantom.volume.grid, hu=hu.astype(np.int16))
    vertebrae = locate_vertebrae(phantom.labels).vertebrae
    assert check_unlabelled_bone(vertebrae, phantom.labels, volume) == ([], [])


@pytest.mark.parametrize(
    ("here", "beyond", "usual", "cut"),
    [
        (0.0, 60.0, 170.0, True),
        (42.0, 90.0, 170.0, True),
        (43.0, 90.0, 170.0, False),
        (0.0, 25.4, 170.0, False),
        (0.0, 25.6, 170.0, True),
        (10.0, 24.9, 100.0, False),
        (10.0, 25.0, 100.0, True),
        (20.0, 39.9, 100.0, False),
        (0.0, None, 170.0, False),
    ],
)
def test_where_the_limits_lie(here, beyond, usual, cut) -> None:
    assert goes_on(here, beyond, usual) is cut
