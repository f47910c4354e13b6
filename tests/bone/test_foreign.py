"""Metal and cement spoil every quantity that stands on their voxels, wherever they lie."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.shapes import vertebra

from endplate.bone.foreign import foreign_cautions
from endplate.bone.voids import EVERY, VOIDS, void_reason
from endplate.finding import Caution
from endplate.image.volume import Volume
from endplate.level import Level

BONE_HU, TISSUE_HU = 140.0, 40.0


@pytest.fixture(scope="module")
def body():
    return vertebra(Level.L2)


def scan(body, noise=20.0):
    rng = np.random.default_rng(5)
    hu = np.where(body.body, BONE_HU, TISSUE_HU) + rng.normal(0, noise, body.body.shape)
    return hu


def away_mm(body, centre):
    index = np.stack(np.meshgrid(*map(np.arange, body.grid.shape), indexing="ij"), axis=-1)
    return np.linalg.norm(body.to_local_mm(body.grid.to_mm(index)) - np.array(centre), axis=-1)


def told(body, hu):
    volume = Volume(grid=body.grid, hu=np.clip(hu, -1024, 3071).astype(np.int16))
    return {caution.code: caution for caution in foreign_cautions([body], volume)}


@pytest.mark.parametrize("noise", [0.0, 20.0, 120.0])
def test_plain_bone_gives_no_caution_whatever_the_noise(body, noise):
    assert told(body, scan(body, noise)) == {}


@pytest.mark.parametrize("centre", [(0.0, 0.0, 0.0), (0.0, -24.0, 0.0), (25.0, 0.0, 8.0)])
def test_metal_in_the_slices_of_a_body_is_told_in_the_label_or_beside_it(body, centre):
    hu = scan(body)
    hu[away_mm(body, centre) < 3] = 3071
    found = told(body, hu)
    assert set(found) >= {"metal"}
    assert all(void_reason(found.values(), Level.L2, quantity) for quantity in EVERY)


def test_metal_above_and_below_the_slices_of_a_body_is_not_its_own(body):
    hu = scan(body)
    hu[away_mm(body, (0.0, 0.0, 26.0)) < 2.8] = 3071
    assert "metal" not in told(body, hu)


@pytest.mark.parametrize(("hu_of", "code"), [(1500.0, "dense_inclusion"), (700.0, "dense_core"), (500.0, "dense_core")])
def test_cement_in_the_label_voids_strength_and_not_the_density_beside_it(body, hu_of, code):
    hu = scan(body)
    hu[away_mm(body, (0.0, 0.0, 0.0)) < 9] = hu_of
    found = told(body, hu)
    assert set(found) == {code} and " mL " in found[code].text
    assert not void_reason(found.values(), Level.L2, "density")
    for quantity in ("strength", "rehearsal", "texture"):
        assert void_reason(found.values(), Level.L2, quantity) == found[code].text


def test_a_worn_endplate_and_a_bone_island_are_no_cement(body):
    hu = scan(body)
    index = np.stack(np.meshgrid(*map(np.arange, body.grid.shape), indexing="ij"), axis=-1)
    z = body.to_local_mm(body.grid.to_mm(index))[..., 2]
    hu[body.body & (z > 10.0)] = 550
    hu[away_mm(body, (0.0, 0.0, 0.0)) < 3.0] = 700
    assert told(body, hu) == {}


def test_every_code_in_the_table_voids_something_and_only_its_own_level():
    for code, quantities in VOIDS.items():
        assert quantities and quantities <= EVERY
        caution = Caution(code=code, level=Level.L1, text=f"what {code} says")
        for quantity in EVERY:
            expected = caution.text if quantity in quantities else ""
            assert void_reason([caution], Level.L1, quantity) == expected
            assert void_reason([caution], Level.L2, quantity) == ""
            assert void_reason([replace(caution, level=None)], Level.L2, quantity) == expected
            assert void_reason([replace(caution, repaired=True)], Level.L1, quantity) == ""


def test_a_caution_that_is_not_in_the_table_voids_nothing():
    assert void_reason([Caution(code="few_levels", text="two levels")], Level.L1, "strength") == ""
