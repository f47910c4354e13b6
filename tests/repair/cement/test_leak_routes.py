"""Openings found in the bone, and levels that are refused."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from verification.box_body import box_bone, box_vertebra
from verification.cylinder_body import (
    HALF_DEPTH_MM,
    HALF_HEIGHT_MM,
    HALF_WIDTH_MM,
    cylinder_body,
    tip_at,
    with_gap,
)

from endplate.anatomy.locate import locate_vertebrae
from endplate.anatomy.vertebra import Spine
from endplate.bone.calibration import calibrate
from endplate.errors import LabelError
from endplate.image.ct import read_ct
from endplate.image.labels import read_labels
from endplate.image.volume import Volume
from endplate.level import Level
from endplate.repair.cement.injection import inject
from endplate.repair.cement.leak_routes import find_leak_routes
from endplate.repair.device.cement import CEMENTS
from endplate.repair.rehearsal.eligibility import check_shell, eligible_vertebra, shell_open_share
from endplate.repair.site.bone import Bone, FractureZone, repair_bone
from endplate.repair.site.cortex import find_shell


def routes(bone: Bone) -> dict[str, list[str]]:
    vertebra, _ = cylinder_body(1.5)
    found: dict[str, list[str]] = {}
    for opening in find_leak_routes(bone, vertebra):
        found.setdefault(opening.route, []).append(opening.name)
    return found


def test_sound_body_has_the_basivertebral_foramen_and_nothing_else() -> None:
    vertebra, bone = cylinder_body(1.0)
    (foramen,) = find_leak_routes(bone, vertebra)
    assert foramen.route == "B"
    local = vertebra.to_local_mm(foramen.centre_mm)
    assert local == pytest.approx([0, -HALF_DEPTH_MM, 0], abs=1.5)
    width = np.ptp(vertebra.to_local_mm(bone.field.grid.to_mm(foramen.voxels))[:, 0])
    assert 6 <= width <= 10


@pytest.mark.parametrize(
    ("centre", "radius", "route", "wall"),
    [
        ((0.0, 0.0, HALF_HEIGHT_MM), 5.0, "D", "upper endplate"),
        ((0.0, 0.0, -HALF_HEIGHT_MM), 5.0, "D", "lower endplate"),
        ((HALF_WIDTH_MM, 0.0, 0.0), 3.5, "S", "left wall"),
        ((-HALF_WIDTH_MM, 0.0, 8.0), 4.0, "C", "right wall"),
        ((0.0, -HALF_DEPTH_MM, 0.0), 7.0, "C", "anterior wall"),
    ],
)
def test_hole_in_the_shell_is_found_with_its_class_and_wall(
    centre: tuple[float, float, float], radius: float, route: str, wall: str
) -> None:
    _, bone = cylinder_body(1.5)
    found = routes(with_gap(bone, centre, radius))
    assert set(found) == {"B", route}
    assert wall in found[route][0]


def test_the_mineral_of_a_shell_hardly_hangs_on_the_grid() -> None:
    fine, coarse = (float(np.median(find_shell(box_bone(box_vertebra(), size, 60.0)).excess)) for size in (0.75, 1.5))
    assert fine == pytest.approx((180 - 60) * 3, rel=0.05) and coarse == pytest.approx(fine, rel=0.05)


def test_gaps_and_cleft_of_the_fracture_are_openings() -> None:
    vertebra, bone = cylinder_body(1.5)
    grid = bone.field.grid
    at = grid.to_mm(np.moveaxis(np.indices(grid.shape), 0, -1))
    gap = (np.linalg.norm(at - np.array([0, 0, HALF_HEIGHT_MM]), axis=-1) < 4) & (bone.field.fill >= 0.5)
    cleft = (np.abs(at[..., 2] - 6) < 1) & (np.hypot(at[..., 0], at[..., 1]) < 6)
    zone = FractureZone(band=np.zeros_like(gap), cleft=cleft, gap=gap, signs=("made",), opening_mm=2.0)
    broken = replace(bone, zone=zone)
    found = routes(broken)
    assert found["D"] == ["gap in the upper endplate"] and found["cleft"] == ["cleft"]
    fill = inject(broken, vertebra, [tip_at(0.0, 0.0, 5.0)], CEMENTS["standard PMMA"])
    order = [reached.opening.route for reached in fill.reached]
    assert "cleft" in order and (fill.saturation[cleft] > 0.9).mean() > 0.9  # the cleft fills first


def test_track_of_a_needle_is_an_opening_where_it_enters_the_body() -> None:
    vertebra, bone = cylinder_body(1.5)
    track = [o for o in find_leak_routes(bone, vertebra, [tip_at(8.0, 5.0, 0.0)]) if o.route == "T"]
    assert len(track) == 1
    assert vertebra.to_local_mm(track[0].centre_mm)[1] < -10


def test_no_voxel_belongs_to_two_openings() -> None:
    vertebra, bone = cylinder_body(1.5)
    bone = with_gap(bone, (0.0, HALF_DEPTH_MM, 0.0), 8.0)
    voxels = np.concatenate([o.voxels for o in find_leak_routes(bone, vertebra, [tip_at(3.0, 5.0, 0.0)])])
    assert len(np.unique(voxels, axis=0)) == len(voxels)


def test_bone_without_a_shell_is_refused() -> None:
    _, bone = cylinder_body(1.5)
    check_shell(bone)
    bare = replace(bone, field=replace(bone.field, density_mg_cm3=np.full_like(bone.field.density_mg_cm3, 60.0)))
    with pytest.raises(LabelError, match="no cortex"):
        check_shell(bare)


def _spine(cut: bool = False) -> tuple[Spine, Volume]:
    vertebra, _ = cylinder_body(1.5)
    vertebra = replace(vertebra, cut_by_field=cut)
    hu = np.where(vertebra.body, 150.0, 20.0).astype(np.float32)
    return Spine(vertebrae=(vertebra,), canal=None), Volume(grid=vertebra.grid, hu=hu)


def test_absent_cut_and_cemented_levels_are_refused() -> None:
    spine, volume = _spine()
    assert eligible_vertebra(spine, Level.L2, volume).level is Level.L2
    with pytest.raises(LabelError, match="L4 is not in the labels; they hold L2"):
        eligible_vertebra(spine, Level.L4, volume)
    with pytest.raises(LabelError, match="border of the scan"):
        eligible_vertebra(_spine(cut=True)[0], Level.L2, volume)
    hu = np.array(volume.hu)
    middle = tuple(n // 2 for n in hu.shape)
    hu[tuple(slice(m - 3, m + 3) for m in middle)] = 2000.0
    with pytest.raises(LabelError, match="cement or metal"):
        eligible_vertebra(spine, Level.L2, Volume(grid=volume.grid, hu=hu))


def test_real_vertebra_is_filled_to_plan(shared_data: Path) -> None:
    """L3 of verse014: found treatable, its foramen mid-posterior, two needles bring a fifth of the body in."""
    folder = shared_data / "verse014"
    volume, labels = (
        read_ct(folder / "sub-verse014_ct.nii.gz"),
        read_labels(folder / "sub-verse014_seg-vert_msk.nii.gz"),
    )
    spine = locate_vertebrae(labels, volume)
    calibration, _, _ = calibrate(volume, spine)
    vertebra = eligible_vertebra(spine, Level.L3, volume)
    bone = repair_bone(vertebra, volume, calibration, 1.5)
    assert shell_open_share(bone) < 0.1
    foramen = next(o for o in find_leak_routes(bone, vertebra) if o.route == "B")
    local = vertebra.to_local_mm(foramen.centre_mm)
    assert abs(local[0]) < 4 and abs(local[2]) < 6 and local[1] < -8
    tips = [replace(tip_at(0, 0, 0), at_mm=vertebra.to_world_mm(np.array([x, 6.0, 0.0]))) for x in (-9.0, 9.0)]
    fill = inject(bone, vertebra, tips, CEMENTS["standard PMMA"])
    assert fill.stop == "planned volume" and 5 < fill.volume_ml < 7.01
    assert fill.fill_fraction == pytest.approx(0.2, abs=0.03)
    assert fill.balance < 1e-5 and 0.35 < fill.right_share < 0.65
