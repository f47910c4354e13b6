"""An ellipsoid whose axis is an arc: a curved balloon as it goes in, and when it is full."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from endplate.numerics.mpm.surface import Surface, ellipsoid


def bent_ellipsoid(
    centre_mm: NDArray[np.float64],
    semi_axes_mm: NDArray[np.float64],
    axes: NDArray[np.float64],
    radius_mm: float,
    subdivisions: int = 3,
) -> Surface:
    """An ellipsoid laid along an arc of a circle; what lies as far inside the arc as outside keeps its volume.

    Parameters
    ----------
    centre_mm : (3,) middle of the arc. semi_axes_mm : (3,) half lengths along the arc, in its plane, and across it.
    axes : (3, 3) rows: direction of the arc in its middle, towards the centre of its circle, and their cross product.
    radius_mm : of the arc, larger than the second half length, so that the surface does not cut itself.
    subdivisions : as of `ellipsoid`.
    """
    straight = ellipsoid(np.zeros(3), semi_axes_mm, None, subdivisions)
    along, inwards, across = straight.vertices.T
    turn, left = along / radius_mm, radius_mm - inwards
    place = np.stack([left * np.sin(turn), radius_mm - left * np.cos(turn), across], axis=1)
    return Surface(np.ascontiguousarray(place @ axes + centre_mm), straight.faces)
