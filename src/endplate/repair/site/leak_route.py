"""A leakage route of a vertebral body: its class, its voxels and its place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from endplate.short_repr import short_repr

LeakRouteClass = Literal["B", "S", "C", "D", "T", "cleft"]
"""Basivertebral, segmental vein, cortical gap, disc (endplate gap), needle track, and the cleft inside the body."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LeakRoute:
    """A way out of the body: class, voxels (n, 3) on the bone's grid, centre (3,) LPS mm."""

    route: LeakRouteClass
    name: str
    voxels: NDArray[np.int64]
    centre_mm: NDArray[np.float64]

    __repr__ = short_repr
