"""A curved balloon lies on an exact arc, holds its volume, mirrors, and lifts both sides of a box across its middle."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from verification.box_body import UPRIGHT, box_bone, box_vertebra

from endplate.errors import OptionError
from endplate.numerics.mpm.bent import bent_ellipsoid
from endplate.numerics.mpm.surface import ellipsoid, inside_surface
from endplate.repair.device.arc import arc_between, arc_ending, arc_to
from endplate.repair.device.balloon import BALLOONS
from endplate.repair.kyphoplasty.inflation import InflationSettings, inflate
from endplate.repair.kyphoplasty.placement import BalloonSite, immersed, site_at
from endplate.repair.site.bone import inside_body

CURVED = BALLOONS["Curved 15"]
VOXEL_MM = 3.0
FORWARD, MEDIAL = np.array([0.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0])


def test_an_arc_has_its_length_its_bend_and_the_end_of_a_circle() -> None:
    """20 mm that turn by 90 degrees are a quarter of a circle of 40 / pi mm radius."""
    radius = 40 / math.pi
    arc = arc_to(np.zeros(3), 3 * FORWARD, 2 * MEDIAL + FORWARD, 20.0, 90.0)
    assert arc.radius_mm == pytest.approx(radius)
    assert arc.at(0.0) == pytest.approx([-radius, -radius, 0.0]) and arc.at(1.0) == pytest.approx([0, 0, 0])
    assert arc.heading(0.0) == pytest.approx(FORWARD) and arc.heading(1.0) == pytest.approx(MEDIAL)
    half = radius * math.sin(math.pi / 4), radius * (1 - math.cos(math.pi / 4))
    assert arc.at(0.5) - arc.at(0.0) == pytest.approx([half[1], half[0], 0.0])
    steps = np.diff([arc.at(float(share)) for share in np.linspace(0, 1, 1001)], axis=0)
    assert np.linalg.norm(steps, axis=1).sum() == pytest.approx(20.0, abs=1e-5)
    again = arc_between(arc.start_mm, arc.direction, arc.at(1.0), 90.0)
    assert again.length_mm == pytest.approx(20.0) and again.side == pytest.approx(arc.side)


def test_the_arc_to_a_front_end_begins_on_the_line_of_its_needle() -> None:
    through = np.array([[14.0, -20.0, 3.0], [12.0, -22.0, -2.0]])
    tips = np.array([[-7.0, 9.0, 4.0], [-8.0, 8.0, 1.0]])
    arcs = arc_ending(through, tips, -MEDIAL, 15.0, 75.0)
    assert arcs.at(1.0) == pytest.approx(tips)
    way = arcs.start_mm - through
    assert np.cross(way, arcs.direction) == pytest.approx(np.zeros((2, 3)), abs=1e-9)
    assert ((way * arcs.direction).sum(axis=1) > 0).all() and (arcs.side[:, 0] < 0).all()


@pytest.mark.parametrize("bend_deg", [20.0, 75.0, 120.0])
def test_a_bent_ellipsoid_is_closed_and_keeps_its_volume(bend_deg: float) -> None:
    """By Pappus the volume of a tube is its section times the way of its middle, straight or bent."""
    semi, radius = np.array([7.5, 2.0, 2.0]), 15.0 / math.radians(bend_deg)
    centre, exact = np.array([3.0, 4.0, 5.0]), 4 / 3 * math.pi * float(np.prod(semi))
    errors = []
    for finer in (3, 4):
        bent = bent_ellipsoid(centre, semi, np.eye(3), radius, finer)
        pairs = np.sort(bent.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        assert (np.unique(pairs, axis=0, return_counts=True)[1] == 2).all()
        errors.append(1 - bent.volume() / exact)
    straight = 1 - ellipsoid(centre, semi, None, 4).volume() / exact
    assert 0 < errors[1] < 0.35 * errors[0] and errors[1] == pytest.approx(straight, abs=0.004)


def test_the_middle_of_the_channel_lies_inside_it_and_the_chord_does_not() -> None:
    grid = box_bone(box_vertebra(), VOXEL_MM, 60.0).field.grid
    sharp = replace(CURVED, length_mm=20.0, bend_deg=110.0, max_ml=3.0)
    tip = np.array([6.0, -8.0, 1.0])
    site = site_at(sharp, tip, UPRIGHT[1], np.array([1.0, 0.0, 0.0]))
    arc = arc_to(tip, UPRIGHT[1], np.array([1.0, 0.0, 0.0]), 20.0, 110.0)
    surface = immersed(site, grid).surface
    places = np.array([arc.at(share) for share in (0.02, 0.2, 0.5, 0.8, 0.98)] + [(arc.at(0.0) + arc.at(1.0)) / 2])
    model = (grid.to_index(places) + 0.5) * VOXEL_MM
    assert inside_surface(surface, model).tolist() == [True] * 5 + [False]
    assert site.centre_mm == pytest.approx(arc.at(0.5))


def test_no_bend_is_the_straight_balloon_bit_for_bit() -> None:
    grid, straight = box_bone(box_vertebra(), VOXEL_MM, 60.0).field.grid, BALLOONS["Xpander 15/3"]
    tip, along = np.array([-5.0, -7.5, 1.0]), np.array([0.2, -0.9, 0.1])
    plain, unbent = site_at(straight, tip, along), site_at(replace(straight, bend_deg=0.0), tip, along, MEDIAL)
    one, other = immersed(plain, grid), immersed(unbent, grid)
    assert unbent.inwards is None and (plain.centre_mm == unbent.centre_mm).all()
    assert (one.surface.vertices == other.surface.vertices).all() and (one.surface.faces == other.surface.faces).all()
    slight = immersed(site_at(replace(straight, bend_deg=1e-4), tip, along, MEDIAL), grid)
    near = np.linalg.norm(slight.surface.vertices[:, None] - one.surface.vertices[None], axis=2).min(axis=1)
    assert np.median(near) < 0.5 and slight.surface.volume() == pytest.approx(one.surface.volume(), rel=1e-3)


def from_side(outward: int) -> BalloonSite:
    """A curved balloon through one pedicle of the box, its front end 6 mm beyond the midline of it."""
    tip = box_vertebra().to_world_mm(np.array([-6.0 * outward, 7.5, -2.0]))
    along = -0.35 * outward * UPRIGHT[0] + UPRIGHT[1]
    return site_at(CURVED, tip, along, -outward * UPRIGHT[0])


def test_from_the_other_pedicle_it_is_the_mirror_image() -> None:
    grid = box_bone(box_vertebra(), VOXEL_MM, 60.0).field.grid
    right, left = (immersed(from_side(outward), grid).surface for outward in (1, -1))
    width = grid.shape[0] * VOXEL_MM
    mirrored = left.vertices * [-1, 1, 1] + [width, 0, 0]
    near = np.linalg.norm(right.vertices[:, None] - mirrored[None], axis=2).min(axis=1)
    assert near.max() < 1e-9 and right.volume() == pytest.approx(left.volume(), rel=1e-12) and right.volume() > 0


def test_one_curved_balloon_inflates_on_both_sides_of_the_midline() -> None:
    bone, body = box_bone(box_vertebra(), VOXEL_MM, 60.0), box_vertebra()
    bone = replace(bone, crushed=np.where(inside_body(bone.field) > 0, 0.3, 0).astype(np.float32))
    done = inflate(bone, body, [from_side(1)], InflationSettings(planned_ml=0.6, max_pushed_mm=None))
    assert done.volume_ml[-1] == pytest.approx(0.6, rel=0.2) and done.full.middle_mm > 0
    hollow = done.bone.cavity > 0.5
    right = body.to_local_mm(bone.field.grid.to_mm(np.argwhere(hollow).astype(float)))[:, 0]
    assert (right > 1).any() and (right < -1).any()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"bend_deg": -5.0}, "a bend lies between"),
        ({"bend_deg": 150.0}, "a bend lies between"),
        ({"bend_deg": 120.0, "max_ml": 6.0}, "no wider than the full balloon"),
        ({"plate_mm": (5.0, 12.0)}, "straight plates"),
    ],
)
def test_a_bend_that_no_balloon_has_is_refused(change: dict[str, object], why: str) -> None:
    with pytest.raises(OptionError, match=why):
        replace(CURVED, **change)  # type: ignore[arg-type]


def test_a_curved_balloon_needs_a_side_to_bend_to() -> None:
    with pytest.raises(OptionError, match="to which side it bends"):
        site_at(CURVED, np.zeros(3), UPRIGHT[1])
    assert {one.name for one in BALLOONS.values() if one.bend_deg} == {"Curved 15", "Curved 20"}
