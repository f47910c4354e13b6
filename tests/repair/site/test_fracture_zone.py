"""The fracture zone: nothing found in sound bone, gas, breach and band found where they were put, and softened."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from tests.support.block_vertebra import CALIBRATION, HALF_MM, block_vertebra

from endplate.anatomy.locate import locate_vertebrae
from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.biomechanics.model import BODY
from endplate.bone.calibration import calibrate
from endplate.bone.result import Calibration
from endplate.fracture.reading import grade_fractures
from endplate.fracture.result import Fracture, Measured
from endplate.image.ct import read_ct
from endplate.image.labels import read_labels
from endplate.image.phantom import Deformity, PhantomSpec, make_phantom
from endplate.image.resample import match_grids
from endplate.image.volume import Volume
from endplate.level import Level
from endplate.repair.augmented.bone_model import bone_model
from endplate.repair.site.bone import repair_bone
from endplate.repair.site.fracture_zone import HEALED, SOFT_MODULUS, ZoneFound, find_zone, soften

WEDGE = Deformity(shape="wedge", loss=0.32, breach=True)
SOUND_WEDGE = Deformity(shape="wedge", loss=0.32)


@cache
def scanned(deformity: Deformity | None) -> tuple[Volume, Spine, tuple[Fracture, ...], Calibration]:
    deformities = {} if deformity is None else {Level.L1: deformity}
    phantom = make_phantom(
        PhantomSpec(levels=(Level.T12, Level.L1, Level.L2), deformities=deformities, field_mm=(90.0, 100.0))
    )
    spine = locate_vertebrae(phantom.labels, phantom.volume)
    return phantom.volume, spine, grade_fractures(spine), calibrate(phantom.volume, spine)[0]


def search(level: Level, deformity: Deformity | None) -> ZoneFound:
    volume, spine, fractures, calibration = scanned(deformity)
    vertebra = spine.at(level)
    assert vertebra is not None
    reading = next(one for one in fractures if one.level is level)
    return find_zone(vertebra, volume, repair_bone(vertebra, volume, calibration, 1.5), reading)


def block_with(hu: float, low: tuple[float, float, float], high: tuple[float, float, float]) -> ZoneFound:
    """A block of even bone with a box (local mm) of other HU in it."""
    vertebra, volume = block_vertebra()
    local = vertebra.to_local_mm(vertebra.grid.to_mm(np.moveaxis(np.indices(vertebra.grid.shape), 0, -1)))
    inside = ((local >= low) & (local <= high)).all(axis=-1)
    changed = Volume(grid=volume.grid, hu=np.where(inside, np.float32(hu), volume.hu))
    return find_zone(vertebra, changed, repair_bone(vertebra, changed, CALIBRATION, 1.0), None)


@pytest.mark.parametrize("level", [Level.T12, Level.L1, Level.L2])
def test_sound_digital_spine_has_no_zone(level: Level) -> None:
    found = search(level, None)
    assert found.bone.zone is None and found.reason and (found.bone.softening == 1).all()


def test_no_false_alarm_in_a_real_intact_spine(shared_data: Path) -> None:
    """All five levels of verse014 are graded intact; its L1 has a Schmorl node."""
    folder = shared_data / "verse014"
    volume = read_ct(folder / "sub-verse014_ct.nii.gz")
    labels = match_grids(volume, read_labels(folder / "sub-verse014_seg-vert_msk.nii.gz", "verse"))
    spine = locate_vertebrae(labels, volume)
    calibration = calibrate(volume, spine)[0]
    for vertebra, reading in zip(spine.vertebrae, grade_fractures(spine), strict=True):
        found = find_zone(vertebra, volume, repair_bone(vertebra, volume, calibration, 1.5), reading)
        assert found.bone.zone is None, (vertebra.level, found.bone.zone and found.bone.zone.signs)


def test_broken_endplate_gives_a_zone_under_it() -> None:
    found = search(Level.L1, WEDGE)
    zone = found.bone.zone
    assert zone is not None and any("upper endplate" in sign for sign in zone.signs)
    k = np.nonzero(zone.gap.any(axis=(0, 1)))[0].mean()
    inside = np.nonzero((found.bone.field.fill > 0.5).any(axis=(0, 1)))[0]
    assert k > inside.mean()


def test_healed_wedge_without_any_sign_is_told_as_such() -> None:
    found = search(Level.L1, SOUND_WEDGE)
    assert found.bone.zone is None and found.reason == HEALED


def test_gas_inside_is_a_cleft_with_its_width() -> None:
    found = block_with(-800.0, (-5.0, -5.0, -1.0), (5.0, 5.0, 1.0))
    zone = found.bone.zone
    assert zone is not None and zone.opening_mm is not None
    assert float(zone.cleft.sum()) / 1000 == pytest.approx(0.2, rel=0.4)
    assert zone.opening_mm == pytest.approx(2.0, abs=1.1)


def test_gas_that_reaches_out_of_the_body_is_no_cleft() -> None:
    found = block_with(-800.0, (-5.0, -5.0, HALF_MM[2] - 3), (5.0, 5.0, HALF_MM[2] + 3))
    assert found.bone.zone is None


def test_a_speck_of_gas_is_no_cleft() -> None:
    assert block_with(-800.0, (-2.0, -2.0, -1.0), (2.0, 2.0, 1.0)).bone.zone is None


def test_dense_layer_counts_as_a_band_only_where_height_was_lost() -> None:
    volume, spine, fractures, calibration = scanned(SOUND_WEDGE)
    vertebra = spine.at(Level.L1)
    assert vertebra is not None
    band = with_band(vertebra, volume)
    bone = repair_bone(vertebra, band, calibration, 1.5)
    broken = next(one for one in fractures if one.level is Level.L1)
    zone = find_zone(vertebra, band, bone, broken).bone.zone
    assert zone is not None and zone.signs[0].startswith("compacted band") and not zone.cleft.any()
    height = vertebra.to_local_mm(bone.field.grid.to_mm(np.argwhere(zone.band)))[:, 2]
    assert -2 < height.mean() < 6
    intact = replace(broken, fracture="no", deformity="no", height_loss=replace(broken.height_loss, value=0.0))
    assert find_zone(vertebra, band, bone, intact).bone.zone is None


@pytest.mark.parametrize(
    ("share", "answer", "counts"),
    [
        (0.21, "yes", True),
        (0.21, "indeterminate", True),
        (0.20, "yes", False),
        (0.5, "no", False),
        (None, "yes", False),
    ],
)
def test_posterior_wall_alone_is_a_sign_beyond_a_fifth_of_a_body_that_may_be_broken(
    share: float | None, answer: str, counts: bool
) -> None:
    volume, spine, fractures, calibration = scanned(SOUND_WEDGE)
    vertebra = spine.at(Level.L1)
    reading = next(one for one in fractures if one.level is Level.L1)
    reading = replace(reading, fracture=answer, posterior_wall_fraction=Measured(value=share))
    bone = repair_bone(vertebra, volume, calibration, 1.5)
    zone = find_zone(vertebra, volume, bone, reading).bone.zone
    assert (zone is not None) == counts
    if zone is not None:
        assert zone.signs == (f"posterior wall involved over {share:.0%}",) and not zone.band.any()


@pytest.mark.parametrize(("depth_mm", "sign"), [(6.0, "posterior"), (0.0, "")])
def test_gap_in_the_posterior_wall_is_found_beside_the_vein(depth_mm: float, sign: str) -> None:
    """The lower half of the back, below foramen and pedicles, with the density of marrow."""
    volume, spine, fractures, calibration = scanned(None)
    vertebra = spine.at(Level.L1)
    inside = vertebra.to_local_mm(vertebra.grid.to_mm(np.argwhere(vertebra.body)))
    local = vertebra.to_local_mm(volume.grid.to_mm(np.moveaxis(np.indices(volume.grid.shape), 0, -1)))
    back = np.abs(local[..., 1] - inside[:, 1].min()) < depth_mm
    hole = back & (np.abs(local[..., 0]) < 15) & (local[..., 2] < -1) & (local[..., 2] > -10)
    changed = Volume(grid=volume.grid, hu=np.where(hole, np.float32(-20), volume.hu))
    reading = next(one for one in fractures if one.level is Level.L1)
    zone = find_zone(vertebra, changed, repair_bone(vertebra, changed, calibration, 1.0), reading).bone.zone
    assert (zone is not None) == bool(sign)
    if zone is not None:
        assert zone.signs[0].startswith(f"gap in the {sign} cortex")


def with_band(vertebra: Vertebra, volume: Volume) -> Volume:
    """The scan with a layer 4 mm thick of 2.5 times the HU in the middle of the body."""
    local = vertebra.to_local_mm(volume.grid.to_mm(np.moveaxis(np.indices(volume.grid.shape), 0, -1)))
    layer = (np.abs(local[..., 0]) < 15) & (np.abs(local[..., 1]) < 10) & (np.abs(local[..., 2] - 2) < 2)
    return Volume(grid=volume.grid, hu=np.where(layer, np.float32(2.5) * volume.hu, volume.hu).astype(np.float32))


def test_softening_weakens_the_zone_and_nothing_else() -> None:
    found = search(Level.L1, WEDGE)
    zone = found.bone.zone
    assert zone is not None
    sound = replace(found.bone, softening=np.ones_like(found.bone.softening))
    soft, stiff = bone_model(found.bone), bone_model(sound)
    touched = zone.band | zone.gap | zone.cleft
    body = stiff.material == BODY
    assert (soft.modulus_mpa[body & touched] < 0.51 * stiff.modulus_mpa[body & touched]).all()
    assert np.array_equal(soft.modulus_mpa[~touched], stiff.modulus_mpa[~touched])
    assert np.array_equal(soften(replace(sound, zone=None)).softening, sound.softening)
    strain = np.zeros_like(sound.softening)
    strain[touched] = 1.0
    crushed = soften(replace(sound, zone=None, crushed=strain)).softening
    assert crushed[touched] == pytest.approx(float(SOFT_MODULUS), abs=1e-3) and (crushed[~touched] == 1).all()
