"""A needle path keeps off the canal, forgives the most, stays on its side, and says why where there is none."""

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from endplate.anatomy.locate import locate_vertebrae
from endplate.errors import OptionError
from endplate.image.phantom import PhantomSpec, make_phantom
from endplate.image.volume import Grid, LabelMap, Volume
from endplate.level import Level
from endplate.repair.access import PathSettings, assess_path, find_access_walls, plan_access, refusal, spare_mm, verdict
from endplate.repair.access.clearance import least_mm
from endplate.repair.access.needle_choice import routes_for, usual_needles
from endplate.repair.access.skin import find_skin
from endplate.repair.device.needle import NEEDLES

LEVELS = (Level.L1, Level.L2, Level.L3)
LEFT = PathSettings(sides="left", route="transpedicular", needle="13G")


@cache
def scanned(levels=LEVELS, size=1.0):
    spec = PhantomSpec(levels=levels, spacing_mm=(1.5, 1.5, 1.5), field_mm=(110.0, 190.0), size=size, seed=4711)
    phantom = make_phantom(spec)
    return phantom, locate_vertebrae(phantom.labels, phantom.volume)


@pytest.fixture(scope="module")
def kyphoplasty():
    phantom, spine = scanned()
    return plan_access(spine, spine.at(Level.L2), "kyphoplasty", None, phantom.volume)


@cache
def best_path(side):
    _, spine = scanned()
    return plan_access(spine, spine.at(Level.L2), "vertebroplasty", replace(LEFT, sides=side)).paths[0]


@cache
def walls_of(side):
    _, spine = scanned()
    return find_access_walls(spine, spine.at(Level.L2), side)


def pushed(side, inwards_mm):
    """The best path of a side moved towards the canal."""
    vertebra = scanned()[1].at(Level.L2)
    best, walls = best_path(side), walls_of(side)
    move = -walls.outward * inwards_mm * vertebra.axes[0]
    return assess_path(walls, best.entry_mm + move, best.target_mm + move, NEEDLES["13G"])


def test_two_needles_go_in_on_their_own_sides(kyphoplasty):
    _, spine = scanned()
    vertebra = spine.at(Level.L2)
    assert [path.side for path in kyphoplasty.paths] == ["left", "right"]
    for path, sign in zip(kyphoplasty.paths, (1, -1), strict=True):
        assert sign * (path.entry_mm - vertebra.centroid_mm)[0] > 10
        assert sign * (path.target_mm - vertebra.centroid_mm)[0] > 5
        assert path.axial_deg > 5 and verdict(path) == "safe"
        assert all(clearance >= least_mm(path)[wall] for wall, clearance in path.clearance_mm.items())


def test_a_balloons_front_end_lies_half_its_length_beyond_its_centre(kyphoplasty):
    for path in kyphoplasty.paths:
        assert np.linalg.norm(path.tip_mm - path.target_mm) == pytest.approx(15 / 2)
        assert path.depth_mm == pytest.approx(np.linalg.norm(path.target_mm - path.entry_mm) + 15 / 2)
        start = path.entry_mm if path.skin_mm is None else path.skin_mm
        assert path.length_mm == pytest.approx(np.linalg.norm(path.tip_mm - start))
        assert path.clearance_mm["anterior"] >= 3 and path.balloon == "Xpander 15/3"
        assert path.useful and path.front_share is not None and 0.149 < path.front_share < 0.251


def test_the_midline_target_of_one_needle_lies_in_the_anterior_third():
    _, spine = scanned()
    vertebra = spine.at(Level.L2)
    path = best_path("left")
    local = vertebra.to_local_mm(path.target_mm)
    front = vertebra.to_local_mm(vertebra.grid.to_mm(np.argwhere(vertebra.body)))[:, 1].max()
    assert abs(local[0]) < 3
    assert local[1] > front / 3


def test_skin_lies_on_the_line_behind_the_bone(kyphoplasty):
    phantom, _ = scanned()
    for path in kyphoplasty.paths:
        if path.skin_mm is None:
            assert any(path.side in note and "skin" in note for note in kyphoplasty.notes)
            continue
        away = path.skin_mm - path.entry_mm
        forward = (path.target_mm - path.entry_mm) / np.linalg.norm(path.target_mm - path.entry_mm)
        assert np.linalg.norm(away + np.linalg.norm(away) * forward) < 1e-6
        index = np.rint(phantom.volume.grid.to_index(path.skin_mm - 4 * forward)).astype(int)
        assert phantom.volume.hu[tuple(index)] < -500


def test_without_a_scan_the_skin_is_unknown_with_its_reason():
    assert find_skin(None, np.zeros(3), np.array([0.0, 1.0, 0.0])).reason


def test_a_line_through_lung_is_told_from_skin():
    hu = np.full((5, 120, 5), 40, np.int16)
    hu[:, 30:60] = -850
    hu[:, 100:] = -1000
    hu += np.random.default_rng(4711).integers(-20, 20, hu.shape, dtype=np.int16)
    volume = Volume(grid=Grid(shape=hu.shape, affine=np.eye(4)), hu=hu)
    found = find_skin(volume, np.array([2.0, 5.0, 2.0]), np.array([0.0, 1.0, 0.0]))
    assert found.point_mm is None and found.air_mm[1] == pytest.approx(30, abs=1)
    clear = find_skin(volume, np.array([2.0, 65.0, 2.0]), np.array([0.0, 1.0, 0.0]))
    assert clear.air_mm is None and clear.point_mm[1] == pytest.approx(99.5, abs=1)


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_path_through_the_canal_wall_is_refused_with_its_depth(side):
    shallow, deep = pushed(side, 5.0), pushed(side, 9.0)
    for path in (shallow, deep):
        assert verdict(path) == "refused" and "canal side" in refusal(path)
    assert deep.clearance_mm["medial"] < shallow.clearance_mm["medial"] < 0
    breach = next(breach for breach in deep.breaches if breach.wall == "medial")
    assert breach.depth_mm == pytest.approx(-deep.clearance_mm["medial"])


def test_a_thicker_needle_on_the_same_line_leaves_less():
    walls, best = walls_of("left"), best_path("left")
    thick = assess_path(walls, best.entry_mm, best.target_mm, NEEDLES["8G"])
    thinner = (NEEDLES["8G"].outer_mm - NEEDLES["13G"].outer_mm) / 2
    assert best.clearance_mm["medial"] - thick.clearance_mm["medial"] == pytest.approx(thinner, abs=0.05)


def test_a_needle_too_thick_is_refused_and_one_that_fits_is_named():
    _, spine = scanned((Level.T10, Level.T11), 0.85)
    settings = PathSettings(sides="both", needle="8G", route="transpedicular")
    access = plan_access(spine, spine.at(Level.T10), "vertebroplasty", settings)
    assert not access.paths and access.alternatives
    assert "or thinner would fit" in access.reason


def test_the_level_decides_route_and_needle():
    assert routes_for(Level.L1, PathSettings())[0] == "transpedicular"
    assert routes_for(Level.T6, PathSettings())[0] == "extrapedicular"
    assert usual_needles(Level.L1, "vertebroplasty")[0].name == "11G"
    assert usual_needles(Level.T12, "vertebroplasty")[0].name == "13G"
    assert usual_needles(Level.L1, "kyphoplasty")[0].name == "8G"


def test_an_extrapedicular_path_stays_beside_the_pedicle_and_out_of_the_canal():
    _, spine = scanned()
    vertebra = spine.at(Level.L2)
    path = plan_access(spine, vertebra, "vertebroplasty", replace(LEFT, route="extrapedicular")).paths[0]
    assert path.clearance_mm["medial"] > 1 and "lateral" not in path.clearance_mm
    assert path.axial_deg > 25


def test_alternatives_are_ranked_and_none_better_than_the_choice_is_left_out(kyphoplasty):
    order = [verdict(path) == "refused" for path in kyphoplasty.alternatives]
    assert order == sorted(order)
    assert {path.needle.name for path in kyphoplasty.alternatives} == {"8G", "10G"}
    assert {path.approach for path in kyphoplasty.alternatives} == {"transpedicular", "extrapedicular"}


def test_a_mirrored_patient_gets_the_mirrored_path():
    phantom, _ = scanned()
    grid = phantom.volume.grid
    affine = grid.affine.copy()
    affine[0, 3] = -(affine[0, 3] + (grid.shape[0] - 1) * affine[0, 0])
    labels = LabelMap(
        grid=Grid(shape=grid.shape, affine=affine), labels=phantom.labels.labels[::-1].copy(), scheme="verse"
    )
    other = locate_vertebrae(labels)
    left = best_path("left")
    right = plan_access(other, other.at(Level.L2), "vertebroplasty", replace(LEFT, sides="right")).paths[0]
    assert np.allclose(left.target_mm, right.target_mm * [-1, 1, 1], atol=1.0)
    assert left.axial_deg == pytest.approx(right.axial_deg, abs=2)
    assert spare_mm(left) == pytest.approx(spare_mm(right), abs=0.2)


def test_no_pedicle_and_a_cut_body_are_answered_with_a_reason():
    _, spine = scanned()
    vertebra = spine.at(Level.L2)
    bare = plan_access(spine, replace(vertebra, left=None, right=None), "vertebroplasty")
    assert not bare.paths and "pedicle" in bare.reason
    cut = plan_access(spine, replace(vertebra, cut_by_field=True), "vertebroplasty")
    assert not cut.paths and "border of the scan" in cut.reason


@pytest.mark.parametrize("wrong", [{"needle": "9G"}, {"balloon": "huge"}, {"sides": "top"}, {"route": "oral"}])
def test_unknown_choices_are_told(wrong):
    with pytest.raises(OptionError):
        PathSettings(**wrong)
