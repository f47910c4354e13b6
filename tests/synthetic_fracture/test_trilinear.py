"""The trilinear kernel: exact for a trilinear field, `beyond` outside, and right at the outer nodes."""

from __future__ import annotations

import numpy as np
import pytest

from endplate.synthetic_fracture.trilinear import scalar

AT_I, AT_J, AT_K = np.meshgrid(np.arange(4.0), np.arange(3.0), np.arange(5.0), indexing="ij")
FIELD = 1 + 2 * AT_I - 3 * AT_J + 0.5 * AT_K + AT_I * AT_J * AT_K


@pytest.mark.parametrize("at", [(0.0, 0.0, 0.0), (1.25, 0.5, 3.75), (3.0, 2.0, 4.0), (2.999, 1.0, 0.001)])
def test_a_trilinear_field_is_met_exactly(at: tuple[float, float, float]) -> None:
    p, q, r = at
    assert scalar(FIELD, p, q, r, -7.0) == pytest.approx(1 + 2 * p - 3 * q + 0.5 * r + p * q * r, abs=1e-12)


@pytest.mark.parametrize("at", [(-0.01, 1.0, 1.0), (1.0, 2.01, 1.0), (1.0, 1.0, 4.5)])
def test_beyond_the_outer_nodes_the_given_value_stands(at: tuple[float, float, float]) -> None:
    assert scalar(FIELD, *at, -7.0) == -7.0
