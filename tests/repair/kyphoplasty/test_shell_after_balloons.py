"""Bone laid back on its voxels holds its shell as it was: strengths before and after compare the same bone."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from tests.repair.site.test_shell_mineral import LINE, bone_on, scanned

from endplate.biomechanics.model import Cortex, ModelSettings
from endplate.biomechanics.shell_mineral import shell_mineral
from endplate.repair.augmented.bone_model import bone_model
from endplate.repair.kyphoplasty.body_model import body_model
from endplate.repair.kyphoplasty.deflated_bone import deflated_bone
from endplate.repair.site.bone import Bone, halved, inside_body, repair_bone
from endplate.repair.site.crush_law import bone_foam

BOTH: tuple[Cortex, Cortex] = ("sampled", "kept")


@cache
def shelled(finer: bool) -> Bone:
    volume, vertebra = scanned()
    bone = bone_on(3.0)
    bone = replace(bone, shell=shell_mineral(vertebra, volume, LINE, bone.field))
    if not finer:
        return bone
    fine = repair_bone(vertebra, volume, LINE, 1.5, grid=halved(bone.field.grid))
    return replace(bone, finer=replace(fine, shell=shell_mineral(vertebra, volume, LINE, fine.field)))


@cache
def laid_back(finer: bool) -> Bone:
    bone = shelled(finer)
    model = body_model(bone, bone_foam(), [], 0.0, 0.0, loose=False)
    return deflated_bone(bone, model).bone


def body_mg(bone: Bone) -> float:
    share = inside_body(bone.field)
    return float((bone.field.density_mg_cm3 * share)[share > 0.3].sum()) * bone.field.grid.voxel_mm3 / 1000


@pytest.mark.parametrize("finer", [False, True])
def test_mineral_of_bone_and_of_shell_are_told_apart_again(finer: bool) -> None:
    before, after = shelled(finer), laid_back(finer)
    source = before if before.finer is None else before.finer
    assert source.shell is not None and after.shell is not None
    assert body_mg(after) == pytest.approx(body_mg(before), rel=0.02)
    wanted = float(source.shell.missing_mg.sum())
    assert wanted > 0.1 * body_mg(before)
    assert float(after.shell.missing_mg.sum()) == pytest.approx(wanted, rel=0.05)


def test_bone_that_never_moved_is_as_strong_as_it_was() -> None:
    before, after = shelled(finer=False), laid_back(finer=False)
    for cortex in BOTH:
        one, other = (bone_model(bone, ModelSettings(cortex=cortex)) for bone in (before, after))
        body = one.material == other.material
        assert body.mean() > 0.99
        total = [float(np.where(np.isfinite(m.yield_mpa) & body, m.yield_mpa, 0).sum()) for m in (one, other)]
        assert total[1] == pytest.approx(total[0], rel=0.03)


def test_a_model_asked_for_the_shell_of_bone_without_one_says_so() -> None:
    bone = replace(shelled(finer=False), shell=None)
    plain, kept = (bone_model(bone, ModelSettings(cortex=cortex)) for cortex in BOTH)
    assert "made without it" in kept.notes[-1] and plain.notes == ()
    assert (kept.yield_mpa == plain.yield_mpa).all()
