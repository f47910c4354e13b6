"""Frames, endplates, pedicles and canal of digital spines come out where they truly are."""

import numpy as np
import pytest
from tests.support.spines import LUMBAR, cropped, dice, on_scan, only, spine

from endplate.anatomy.locate import locate_vertebrae
from endplate.level import Level


def tilt_deg(first, second):
    return float(np.rad2deg(np.arccos(np.clip(first @ second, -1, 1))))


@pytest.fixture(scope="module")
def tilted():
    phantom = spine(spacing_mm=(1.0, 1.0, 2.0), tilt_deg=(18.0, 0.0, 0.0))
    return phantom, locate_vertebrae(phantom.labels)


def test_frames_follow_a_tilted_spine(tilted):
    phantom, found = tilted
    for vertebra in found.vertebrae:
        truth = phantom.truth.levels[vertebra.level]
        assert tilt_deg(vertebra.axes[2], truth.axes[2]) < 4
        assert tilt_deg(vertebra.axes[0], truth.axes[0]) < 2
        assert np.linalg.norm(vertebra.centroid_mm - truth.centroid_mm) < 1.5


def test_axes_are_orthonormal_and_point_where_they_say(tilted):
    for vertebra in tilted[1].vertebrae:
        assert np.allclose(vertebra.axes @ vertebra.axes.T, np.eye(3), atol=1e-9)
        right, anterior, superior = vertebra.axes
        assert right[0] < -0.8 and anterior[1] < -0.8 and superior[2] > 0.8


def test_body_and_arch_match_the_truth_and_make_up_the_label(tilted):
    phantom, found = tilted
    scan = phantom.labels.grid
    for vertebra in found.vertebrae:
        label = phantom.labels.labels == vertebra.level.verse_id
        body = on_scan(vertebra.body, vertebra.grid, scan)
        arch = on_scan(vertebra.arch, vertebra.grid, scan)
        assert not (body & arch).any() and ((body | arch) == label).all()
        assert dice(body, label & (phantom.subregion >= 49)) > 0.97


def test_endplates_lie_on_the_true_surfaces(tilted):
    phantom, found = tilted
    off = []
    for vertebra in found.vertebrae:
        truth = phantom.truth.levels[vertebra.level]
        for plate, which in ((vertebra.superior, 0), (vertebra.inferior, 1)):
            x, y = np.meshgrid(plate.right_mm, plate.anterior_mm, indexing="ij")
            here = np.isfinite(plate.superior_mm) & (np.hypot(x, y) < 10)
            local = np.stack([x, y, plate.superior_mm], axis=-1)[here]
            place = (vertebra.to_world_mm(local) - truth.centroid_mm) @ truth.axes.T
            off.append(np.mean(place[:, 2] - truth.endplates_mm(place[:, 0], place[:, 1])[which]))
    assert abs(np.mean(off)) < 0.2
    assert np.std(off) < 0.5


def test_endplate_normals_point_out_of_the_body(tilted):
    for vertebra in tilted[1].vertebrae:
        assert vertebra.superior.normal @ vertebra.axes[2] > 0.9
        assert vertebra.inferior.normal @ vertebra.axes[2] < -0.9
        assert vertebra.to_local_mm(vertebra.superior.centre_mm)[2] > 0
        assert vertebra.to_local_mm(vertebra.inferior.centre_mm)[2] < 0


def test_left_pedicle_is_the_patients_left(tilted):
    phantom, found = tilted
    for vertebra in found.vertebrae:
        assert vertebra.left.isthmus_mm[0] > vertebra.right.isthmus_mm[0]
        for side in ("left", "right"):
            pedicle, truth = getattr(vertebra, side), getattr(phantom.truth.levels[vertebra.level], side)
            away = pedicle.isthmus_mm - truth.isthmus_mm
            assert np.linalg.norm(away - (away @ truth.axis) * truth.axis) < 1.5
            assert pedicle.width_mm == pytest.approx(truth.width_mm, abs=1.5)
            assert pedicle.height_mm == pytest.approx(truth.height_mm, abs=1.5)
            assert tilt_deg(pedicle.axis, truth.axis) < 8


def test_fill_keeps_the_volume_of_the_mask(tilted):
    for vertebra in tilted[1].vertebrae:
        voxels = float((vertebra.body | vertebra.arch).sum())
        assert float(vertebra.fill.sum()) == pytest.approx(voxels, rel=0.02)
        assert ((vertebra.fill > 0) & (vertebra.fill < 1)).any()


def test_canal_runs_behind_the_bodies_from_head_to_foot(tilted):
    found = tilted[1]
    assert (np.diff(found.canal.centre_mm[:, 2]) < 0).all()
    for vertebra, centre in zip(found.vertebrae, found.canal.centre_mm, strict=True):
        right, anterior, _ = vertebra.to_local_mm(centre)
        assert anterior < -10 and abs(right) < 3
    assert ((found.canal.area_mm2 > 100) & (found.canal.area_mm2 < 600)).all()


def test_a_lone_vertebra_gets_its_frame_from_its_own_shape():
    phantom = spine()
    (vertebra,) = locate_vertebrae(only(phantom.labels, Level.L3)).vertebrae
    assert tilt_deg(vertebra.axes[2], phantom.truth.levels[Level.L3].axes[2]) < 4


def test_a_body_alone_has_no_arch_and_no_canal():
    phantom = spine()
    label = only(phantom.labels, Level.L2, Level.L3)
    values = np.where(phantom.subregion >= 49, label.labels, 0).astype(np.uint16)
    found = locate_vertebrae(type(label)(grid=label.grid, labels=values, scheme="verse"))
    assert found.canal is None
    for vertebra in found.vertebrae:
        assert not vertebra.arch.any() and vertebra.left is None
        assert tilt_deg(vertebra.axes[2], phantom.truth.levels[vertebra.level].axes[2]) < 6
        assert vertebra.superior is not None and vertebra.inferior is not None


def test_a_body_cut_by_the_field_is_flagged_and_nothing_is_invented():
    phantom = spine()
    middle = int(phantom.labels.grid.to_index(phantom.truth.levels[Level.L1].centroid_mm)[2])
    shape = phantom.labels.grid.shape
    found = locate_vertebrae(cropped(phantom.labels, (0, 0, 0), (*shape[:2], middle)))
    assert found.at(Level.L1).cut_by_field
    assert found.at(Level.L1).superior is None
    assert ("superior_endplate", Level.L1) in {(gap.code, gap.level) for gap in found.gaps}
    for level in (Level.L2, Level.L3, Level.L4):
        assert not found.at(level).cut_by_field and found.at(level).superior is not None


def test_cut_transverse_processes_leave_the_body_alone():
    phantom = spine()
    grid = phantom.labels.grid
    centre = grid.to_index(phantom.truth.levels[Level.L3].centroid_mm)[0]
    start, stop = int(centre - 27 / 1.5), int(centre + 28 / 1.5)
    found = locate_vertebrae(cropped(phantom.labels, (start, 0, 0), (stop, *grid.shape[1:])))
    for level in LUMBAR:
        vertebra = found.at(level)
        assert vertebra.cut_arch and not vertebra.cut_by_field
        assert tilt_deg(vertebra.axes[0], phantom.truth.levels[level].axes[0]) < 3
