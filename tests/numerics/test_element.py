"""The cube in tensor modes is the cube of the textbook."""

import numpy as np
import pytest
from verification.dense_reference import quadrature_matrix

from endplate.numerics.voxel.element import child_interpolation, element_matrix, modal_matrix


@pytest.mark.parametrize("element", ["full", "bbar"])
@pytest.mark.parametrize("poisson", [-0.3, 0.0, 0.3, 0.49])
def test_modes_give_the_matrix_of_quadrature(element, poisson):
    np.testing.assert_allclose(element_matrix(poisson, element), quadrature_matrix(poisson, element), atol=1e-13)


def test_modes_leave_45_entries():
    assert np.count_nonzero(modal_matrix(0.3, "full")) == 45


@pytest.mark.parametrize("element", ["full", "bbar"])
def test_only_the_six_rigid_motions_cost_nothing(element):
    values = np.linalg.eigvalsh(element_matrix(0.3, element))
    assert np.abs(values[:6]).max() < 1e-12
    assert values[6] > 0.01


def test_children_together_make_their_parent():
    """Eight equal children of half the edge have the parent's energy for every displacement the parent can have."""
    K = element_matrix(0.3)
    P = child_interpolation()
    for u in np.random.default_rng(4711).standard_normal((3, 24)):
        linear = np.zeros(24)
        linear[0::3] = [0.1 * (c >> 2) + 0.2 * (c & 1) for c in range(8)]
        children = sum((p @ linear) @ K @ (p @ linear) for p in P) * 0.5
        assert children == pytest.approx(linear @ K @ linear, rel=1e-12)
        assert sum((p @ u) @ K @ (p @ u) for p in P) * 0.5 <= u @ K @ u * (1 + 1e-12)


def test_impossible_material_is_refused():
    with pytest.raises(ValueError, match="Poisson"):
        element_matrix(0.5)
    with pytest.raises(ValueError, match="unknown element"):
        element_matrix(0.3, "reduced")
