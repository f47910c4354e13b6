"""Depth below the surface of a body: on its own box the same as on the whole crop, and found once."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
from scipy import ndimage

from endplate.bone import depth
from endplate.bone.depth import depth_mm


class Body(SimpleNamespace):
    """What of a vertebra is looked at."""

    __hash__ = object.__hash__


@pytest.mark.parametrize("at_the_edge", [False, True])
def test_depth_is_that_of_the_whole_crop_and_found_once(at_the_edge, monkeypatch) -> None:
    spacing = np.array([0.4, 0.7, 1.1])
    x = np.moveaxis(np.indices((30, 26, 20)), 0, -1) * spacing - (0.0 if at_the_edge else 6.0)
    body = (x**2).sum(axis=-1) < 5.0**2
    body[:2] &= at_the_edge
    vertebra = Body(body=body, grid=SimpleNamespace(spacing_mm=spacing))
    whole = ndimage.distance_transform_edt(np.pad(body, 1), sampling=spacing)[1:-1, 1:-1, 1:-1]
    found = depth_mm(vertebra)
    np.testing.assert_array_equal(found, whole)
    found[:] = -1  # the caller's own
    monkeypatch.setattr(depth.ndimage, "distance_transform_edt", lambda *_, **__: pytest.fail("sought again"))
    np.testing.assert_array_equal(depth_mm(vertebra), whole)


def test_no_body_has_no_depth() -> None:
    vertebra = Body(body=np.zeros((3, 3, 3), bool), grid=SimpleNamespace(spacing_mm=np.ones(3)))
    assert not depth_mm(vertebra).any()
