"""The shell of the digital spine: its mineral is kept on every grid, and its strength does not depend on the voxels."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest

from endplate.anatomy.locate import locate_vertebrae
from endplate.anatomy.vertebra import Vertebra
from endplate.biomechanics.shell_mineral import shell_mineral
from endplate.bone.result import Calibration
from endplate.image.phantom import PhantomSpec, make_phantom
from endplate.image.volume import Volume
from endplate.level import Level
from endplate.repair.site.bone import Bone, inside_body, repair_bone
from endplate.repair.site.crush_law import bone_foam
from endplate.repair.site.shell_factors import shell_factors

SPEC = PhantomSpec(levels=(Level.L1, Level.L2, Level.L3), field_mm=(100.0, 110.0))
LINE = Calibration(
    slope_mg_cm3_per_hu=SPEC.mg_cm3_per_hu,
    offset_mg_cm3=SPEC.offset_mg_cm3,
    route="given",
    sd_mg_cm3=0.0,
    source="the true line of the digital scanner",
)


@cache
def scanned() -> tuple[Volume, Vertebra]:
    phantom = make_phantom(SPEC)
    vertebra = locate_vertebrae(phantom.labels, phantom.volume).at(Level.L2)
    assert vertebra is not None
    return phantom.volume, vertebra


def bone_on(voxel_mm: float) -> Bone:
    volume, vertebra = scanned()
    return repair_bone(vertebra, volume, LINE, voxel_mm)


@pytest.mark.parametrize("voxel_mm", [1.5, 2.0, 3.0])
def test_four_fifths_of_the_built_mineral_are_kept(voxel_mm: float) -> None:
    volume, vertebra = scanned()
    bone = bone_on(voxel_mm)
    found = shell_mineral(vertebra, volume, LINE, bone.field)
    local = vertebra.to_local_mm(bone.field.grid.to_mm(np.moveaxis(np.indices(bone.field.grid.shape), 0, -1)))
    middle = (np.abs(local[..., 2]) < 6) & (local[..., 1] > -8)
    excess = ((bone.field.density_mg_cm3 - SPEC.core_mg_cm3) * inside_body(bone.field))[middle].sum() * voxel_mm**3
    built = (SPEC.shell_mg_cm3 - SPEC.core_mg_cm3) * SPEC.shell_mm * float(found.area_mm2[middle].sum())
    assert excess / built < 0.6
    assert 0.8 < (excess + 1000 * float(found.missing_mg[middle].sum())) / built < 1.15


def test_even_bone_lacks_nothing() -> None:
    volume, vertebra = scanned()
    flat = Volume(grid=volume.grid, hu=np.full_like(volume.hu, 140.0))
    bone = repair_bone(vertebra, flat, LINE, 2.0)
    found = shell_mineral(vertebra, flat, LINE, bone.field)
    assert found.missing_mg.max() < 0.01 and found.excess_mg_cm3_mm == pytest.approx(0, abs=1)


def test_strength_of_a_shell_does_not_depend_on_the_voxels_that_hold_it() -> None:
    volume, vertebra = scanned()
    law, strengths = bone_foam(), []
    for voxel_mm in (1.5, 3.0):
        bone = bone_on(voxel_mm)
        found = shell_mineral(vertebra, volume, LINE, bone.field)
        whole = replace(bone, shell=found)
        share = inside_body(bone.field)
        density, _, stronger = shell_factors(whole, share, law)
        none = np.zeros(1)
        rho, plain = np.maximum(density, 1e-3), np.maximum(bone.field.density_mg_cm3 / 1000, 1e-3)
        extra = law.strength(rho, rho, none) * stronger - law.strength(plain, plain, none)
        strengths.append(float((extra * share).sum()) * voxel_mm**3)
    assert strengths[0] > 0 and strengths[1] == pytest.approx(strengths[0], rel=0.15)
