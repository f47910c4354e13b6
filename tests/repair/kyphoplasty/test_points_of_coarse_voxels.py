"""Points of coarse voxels have the fill, density and strain of their own place, those of fine ones their voxel's."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from verification.box_body import HALF_MM, box_vertebra
from verification.lift_boxes import crushed_box

from endplate.image.volume import Grid
from endplate.numerics.mpm.foam import FOAM
from endplate.numerics.mpm.particles import Particles
from endplate.repair.kyphoplasty.body_model import body_model
from endplate.repair.site.bone import Bone, halved
from endplate.repair.site.crush_law import bone_foam


def foam_of(bone: Bone) -> tuple[Particles, np.ndarray]:
    """The bone's points and their places (n, 3) from the middle of the box: left, posterior, superior."""
    cloud = body_model(bone, bone_foam(), [], 0.0, 0.0, loose=True).engine.particles
    foam = cloud.keep(cloud.kind == FOAM)
    grid = bone.field.grid
    local = box_vertebra().to_local_mm(grid.to_mm(foam.position / float(grid.spacing_mm[0]) - 0.5))
    return foam, local


def test_eight_halves_fill_a_cube() -> None:
    affine = np.diag([3.0, 3.0, 3.0, 1.0])
    affine[:3, 3] = (1.0, -2.0, 5.0)
    grid = Grid(shape=(2, 3, 4), affine=affine)
    fine = halved(grid)
    assert fine.shape == (4, 6, 8)
    centres = fine.to_mm(np.argwhere(np.ones((2, 2, 2))).astype(float))
    assert centres.mean(axis=0) == pytest.approx(grid.to_mm(np.zeros((1, 3)))[0])


def test_coarse_voxels_keep_the_shell_where_it_is() -> None:
    """With one density for a voxel a part of the shell lay up to half a voxel outside the box, and a part inside."""
    bone = crushed_box(3.0)
    own, shared = foam_of(bone), foam_of(replace(bone, finer=None))
    assert own[0].mass.sum() == pytest.approx(shared[0].mass.sum(), rel=1e-6)

    def outside(found: tuple[Particles, np.ndarray]) -> float:
        beyond = (np.abs(found[1]) > HALF_MM).any(axis=1)
        return float(found[0].mass[beyond].sum() / found[0].mass.sum())

    assert outside(own) == 0.0 and outside(shared) > 0.05


def test_points_of_coarse_voxels_carry_the_strain_of_their_own_place() -> None:
    foam, local = foam_of(crushed_box(3.0))
    inner = np.abs(local[:, 1]) < 12
    assert foam.hardening[inner] == pytest.approx(0.6 * (local[inner, 1] + 15) / 30, abs=1e-3)


def test_fine_voxels_are_left_as_they_were() -> None:
    assert crushed_box(1.0).finer is None and crushed_box(2.0).finer is not None
