"""Segment: discs of known law between blocks of bone, and what a repair may and may not change for the neighbours."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest
from tests.support.bone_block import bone_block, middle

from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.biomechanics.model import BODY, LOWER, NONE, UPPER, BoneModel
from endplate.bone.result import Calibration
from endplate.image.volume import Grid, Volume
from endplate.level import Level
from endplate.numerics.voxel.mesh import VoxelMesh
from endplate.repair.augmented.augmented_bone import cure
from endplate.repair.augmented.motion_segment import (
    LOADS,
    SegmentChange,
    _fitted,
    disc_modulus_mpa,
    doubled,
    find_neighbours,
    rise_mm,
    segment_change,
)
from endplate.repair.augmented.segment_model import ANNULUS_ABOVE, NUCLEUS_ABOVE, TREATED, build_segment, coarser
from endplate.repair.augmented.segment_solve import Dilatation, _System, bulk_modulus, respond
from endplate.repair.device.cement import CEMENTS

CEMENT = CEMENTS["standard PMMA"]
CALIBRATION = Calibration(
    slope_mg_cm3_per_hu=0.8, offset_mg_cm3=0.0, route="given", sd_mg_cm3=10.0, source="made for the test"
)
HALF_MM = np.array([14.0, 10.0, 8.0])
DISC_MM = 8.0
SPACING = 2.0


def body(level: Level, centre_mm: float, grid: Grid, cut: bool = False) -> Vertebra:
    """A block of 28 x 20 x 16 mm standing upright at a height."""
    local = grid.to_mm(np.moveaxis(np.indices(grid.shape), 0, -1)) - np.array([0, 0, centre_mm])
    inside = (np.abs(local) < HALF_MM).all(axis=-1)
    return Vertebra(
        level=level,
        grid=grid,
        body=inside,
        arch=np.zeros(grid.shape, bool),
        fill=inside.astype(np.float32),
        centroid_mm=np.array([0, 0, centre_mm]),
        axes=np.array([[-1.0, 0, 0], [0, -1.0, 0], [0, 0, 1.0]]),
        superior=None,
        inferior=None,
        left=None,
        right=None,
        cut_by_field=cut,
        cut_arch=False,
    )


def spine(levels: tuple[Level, ...] = (Level.T12, Level.L1, Level.L2), cut: Level | None = None) -> SimpleNamespace:
    """Blocks with discs of 8 mm between them, and a CT in which all bone is even."""
    pitch = 2 * HALF_MM[2] + DISC_MM
    grid = Grid(shape=(22, 20, 60), affine=np.diag([SPACING] * 3 + [1.0]) + np.outer([0, 0, 0, 1], [0, 0, 0, 0]))
    affine = grid.affine.copy()
    affine[:3, 3] = -SPACING * (np.array(grid.shape) - 1) / 2
    grid = Grid(shape=grid.shape, affine=affine)
    place = {Level.T12: pitch, Level.L1: 0.0, Level.L2: -pitch}
    vertebrae = tuple(body(level, place[level], grid, level is cut) for level in levels)
    hu = np.full(grid.shape, 40.0, np.float32)
    for vertebra in vertebrae:
        hu[vertebra.body] = 150.0
    return SimpleNamespace(spine=Spine(vertebrae=vertebrae, canal=None), volume=Volume(grid=grid, hu=hu), grid=grid)


def treated(grid: Grid, modulus_mpa: float = 300.0) -> BoneModel:
    """The block of L1 as a model between layers of PMMA, on the grid of the scan."""
    block = body(Level.L1, 0.0, grid).body
    material = np.where(block, BODY, NONE).astype(np.uint8)
    k = np.flatnonzero(block.any(axis=(0, 1)))
    for code, where in ((UPPER, slice(k[-1] + 1, k[-1] + 3)), (LOWER, slice(k[0] - 2, k[0]))):
        material[:, :, where] = np.where(block[:, :, k[:1]], code, NONE)
    model = bone_block(2, 2)
    modulus = np.select([material == BODY, material >= LOWER], [modulus_mpa, 2500.0], 0.0).astype(np.float32)
    return replace(model, grid=grid, material=material, modulus_mpa=modulus, yield_mpa=modulus / 100, voxel_mm=SPACING)


@pytest.fixture(scope="module")
def three() -> SimpleNamespace:
    found = spine()
    found.model = treated(found.grid)
    found.around = find_neighbours(found.spine, Level.L1, found.volume, CALIBRATION)
    found.state, found.discs = _fitted(found.model, found.around, 10.0)
    return found


def change(found: SimpleNamespace, after: BoneModel) -> SegmentChange:
    return segment_change(found.model, after, found.around)


def test_an_unchanged_vertebra_changes_nothing(three: SimpleNamespace) -> None:
    same = change(three, three.model)
    assert same.stiffness_ratio == 1.0 and len(same.neighbours) == 4 and same.missing == ()
    for neighbour in same.neighbours:
        ratios = neighbour.load_ratio, neighbour.endplate_strain_ratio, neighbour.disc_pressure_ratio
        assert ratios == pytest.approx((1, 1, 1), abs=1e-5)


def test_cement_raises_load_and_disc_pressure_a_little_under_both_load_cases(three: SimpleNamespace) -> None:
    bone = three.model.material == BODY
    k = np.flatnonzero(bone.any(axis=(0, 1)))
    saturation = bone.astype(np.float32)
    saturation[:, :, k[0]] = 0
    repaired = change(three, cure(three.model, saturation, CEMENT))
    assert {(n.level, n.load_case) for n in repaired.neighbours} == {
        (level, case) for level in (Level.T12, Level.L2) for case in LOADS
    }
    for neighbour in repaired.neighbours:
        assert 1.0 < neighbour.load_ratio < 1.1
        assert 0.98 < neighbour.endplate_strain_ratio < 1.1
        assert 0.98 < neighbour.disc_pressure_ratio < 1.1
    assert 1.0 < repaired.stiffness_ratio < 1.1
    above = next(n for n in repaired.neighbours if n.level is Level.T12 and n.load_case == "standing")
    below = next(n for n in repaired.neighbours if n.level is Level.L2 and n.load_case == "standing")
    assert above.disc_pressure_ratio > below.disc_pressure_ratio  # cement reaches the upper endplate only


def test_discs_have_the_effective_modulus_that_was_asked_for(three: SimpleNamespace) -> None:
    for side in (1, -1):
        assert disc_modulus_mpa(three.state.segment, three.state.response, side) == pytest.approx(10.0, rel=0.03)


def test_doubling_one_vertebra_hardly_changes_the_segment(three: SimpleNamespace) -> None:
    twice = respond(doubled(three.state.segment, TREATED)).axial_n_per_mm / three.state.response.axial_n_per_mm
    assert 1.0 < twice < 1.05


def test_a_segment_with_one_neighbour_is_loaded_through_the_bare_endplate() -> None:
    found = spine((Level.T12, Level.L1))
    found.model = treated(found.grid)
    found.around = find_neighbours(found.spine, Level.L1, found.volume, CALIBRATION)
    one = change(found, cure(found.model, (found.model.material == BODY).astype(np.float32), CEMENT))
    assert {n.level for n in one.neighbours} == {Level.T12} and len(one.neighbours) == 2
    assert one.stiffness_ratio is not None and one.stiffness_ratio > 1
    assert one.missing == ("no vertebra is labelled below L1",)


def test_a_cut_neighbour_is_left_out_and_with_none_nothing_is_known() -> None:
    found = spine((Level.L1, Level.L2), cut=Level.L2)
    found.model = treated(found.grid)
    found.around = find_neighbours(found.spine, Level.L1, found.volume, CALIBRATION)
    nothing = change(found, found.model)
    assert nothing.neighbours == () and nothing.stiffness_ratio is None
    assert any("border of the scan cuts the body of L2" in reason for reason in nothing.missing)


def test_a_raised_endplate_lifts_its_neighbour_and_keeps_the_disc(three: SimpleNamespace) -> None:
    material = three.model.material.copy()
    k = int(np.flatnonzero((material == BODY).any(axis=(0, 1)))[-1])
    material[:, :, k + 1 : k + 4] = material[:, :, k : k + 3]
    raised = replace(
        three.model, material=material, modulus_mpa=np.where(material == BODY, 300, 2500 * (material > 0)).astype("f4")
    )
    assert rise_mm(three.model, raised) == pytest.approx((SPACING, 0.0))
    discs = []
    for model, rise in ((three.model, (0.0, 0.0)), (raised, (SPACING, 0.0))):
        part = build_segment(model, three.around, rise_mm=rise).part
        discs.append(int(((part == ANNULUS_ABOVE) | (part == NUCLEUS_ABOVE)).sum()))
    assert discs[0] == discs[1]


def test_a_nucleus_squeezed_on_all_sides_answers_with_its_bulk_modulus() -> None:
    mesh = VoxelMesh.from_active(np.ones((3, 3, 3), bool), 1.5)
    fixed = np.ones((mesh.n_nodes, 3), bool)
    system = _System(mesh, np.full(27, 2.0), np.ones(27, bool), fixed)
    strain = -0.01
    u = strain * mesh.node_ijk * mesh.spacing_mm
    top = mesh.nodes_on_plane(2, 3)
    pressure = -system.force(u)[top, 2].sum() / (3 * 1.5) ** 2
    assert pressure == pytest.approx(-3 * strain * bulk_modulus(np.array(2.0), 0.49), rel=1e-9)
    assert Dilatation(mesh, np.ones(27, bool)).of(u.T) == pytest.approx(3 * strain)
    shear = np.zeros_like(u)
    shear[:, 0] = 0.02 * mesh.node_ijk[:, 2] * mesh.spacing_mm
    stress = system.force(shear)[top, 0].sum() / (3 * 1.5) ** 2
    assert stress == pytest.approx(0.02 * 2.0 / (2 * 1.49), rel=1e-9)


def test_averaging_keeps_place_and_mean_stiffness(three: SimpleNamespace) -> None:
    fine = bone_block(8, 8, 1.0)
    fine = cure(fine, middle(fine), CEMENT)
    coarse = coarser(fine, 2.0)
    assert coarse.voxel_mm == 2.0
    centres = [m.grid.to_mm(np.argwhere(m.material == BODY)).mean(axis=0) for m in (fine, coarse)]
    np.testing.assert_allclose(*centres, atol=1.0)
    stiff = [float(m.modulus_mpa[m.material == BODY].sum()) * m.voxel_mm**3 for m in (fine, coarse)]
    assert stiff[1] == pytest.approx(stiff[0], rel=0.15)
    assert (coarse.material == UPPER).any() and (coarse.material == LOWER).any()
    assert coarser(three.model) is three.model
