"""A balloon: a closed surface that carries pressure, and resists tension only beyond its nominal shape."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from endplate.numerics.mpm.surface import Surface, smoothed


class Balloon:
    """An immersed balloon.

    Parameters
    ----------
    surface : its shape now. nominal : the shape it has when full, with the same faces; without it no membrane acts.
    membrane_n_per_mm : tension of an edge per unit of strain beyond its nominal length, per mm of edge width.
    max_mm3, max_mpa : limits of volume and pressure that a drive stops at.

    Attributes
    ----------
    pressure_mpa : at the last step. start_mm3 : volume at first.
    """

    def __init__(
        self,
        surface: Surface,
        nominal: Surface | None = None,
        membrane_n_per_mm: float = 0.0,
        max_mm3: float = math.inf,
        max_mpa: float = math.inf,
    ) -> None:
        self.surface = surface.copy()
        self.pressure_mpa = 0.0
        self.start_mm3 = surface.volume()
        self.max_mm3, self.max_mpa = max_mm3, max_mpa
        self._edges = surface.edges()
        self._rest, self._stiffness = np.zeros(0), np.zeros(0)
        if nominal is not None and membrane_n_per_mm > 0:
            if nominal.vertices.shape != surface.vertices.shape or not np.array_equal(nominal.faces, surface.faces):
                raise ValueError("the nominal shape must have the same faces as the surface")
            self._rest = _lengths(nominal.vertices, self._edges)
            # width that an edge stands for: the surface shared out over its edges
            width = 2 * nominal.area() / (3 * float(self._rest.sum()))
            self._stiffness = membrane_n_per_mm * width / self._rest
        if self.start_mm3 <= 0:
            raise ValueError("the faces of a balloon must run counter-clockwise seen from outside")

    def volume(self) -> float:
        """Volume now, mm3."""
        return self.surface.volume()

    def membrane_forces(self, vertices: NDArray[np.float64]) -> NDArray[np.float64]:
        """(V, 3) N on the vertices at positions (V, 3)."""
        out = np.zeros_like(vertices)
        if self._rest.size:
            along = vertices[self._edges[:, 1]] - vertices[self._edges[:, 0]]
            length = np.linalg.norm(along, axis=1)
            pull = self._stiffness * np.maximum(length - self._rest, 0) / np.maximum(length, 1e-12)
            np.add.at(out, self._edges[:, 0], pull[:, None] * along)
            np.add.at(out, self._edges[:, 1], -pull[:, None] * along)
        return out

    def stored(self) -> float:
        """Energy of the stretched membrane, N mm."""
        if not self._rest.size:
            return 0.0
        stretch = np.maximum(_lengths(self.surface.vertices, self._edges) - self._rest, 0)
        return float(0.5 * np.sum(self._stiffness * stretch**2))

    def move(self, by_mm: NDArray[np.float64], smoothing: float) -> None:
        """Move the vertices by (V, 3) mm, then even them out along the surface."""
        self.surface.vertices += by_mm
        if smoothing > 0:
            self.surface.vertices[:] = smoothed(self.surface, smoothing)


def _lengths(vertices: NDArray[np.float64], edges: NDArray[np.int32]) -> NDArray[np.float64]:
    return np.asarray(np.linalg.norm(vertices[edges[:, 1]] - vertices[edges[:, 0]], axis=1))
