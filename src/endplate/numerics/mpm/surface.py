"""Closed triangle surfaces immersed in the grid: volume, its gradient, what lies inside, and even meshes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

FEWEST, MAX = 3, 6
"""Subdivisions of an octahedron: 258 and 16386 vertices."""


@dataclass(slots=True, eq=False)
class Surface:
    """A closed surface: vertices (V, 3) mm, faces (F, 3) counted counter-clockwise from outside."""

    vertices: NDArray[np.float64]
    faces: NDArray[np.int32]

    def volume(self) -> float:
        """Enclosed volume, mm3."""
        a, b, c = (self._centred()[self.faces[:, i]] for i in range(3))
        return float(np.einsum("ij,ij->", a, np.cross(b, c))) / 6

    def volume_gradient(self) -> NDArray[np.float64]:
        """(V, 3) mm2 derivative of the volume with each vertex: a third of the area vectors of its faces."""
        a, b, c = (self._centred()[self.faces[:, i]] for i in range(3))
        out = np.zeros_like(self.vertices)
        for corner, pair in ((0, (b, c)), (1, (c, a)), (2, (a, b))):
            np.add.at(out, self.faces[:, corner], np.cross(*pair) / 6)
        return out

    def area(self) -> float:
        """Area, mm2."""
        a, b, c = (self.vertices[self.faces[:, i]] for i in range(3))
        return float(0.5 * np.linalg.norm(np.cross(b - a, c - a), axis=1).sum())

    def edges(self) -> NDArray[np.int32]:
        """(E, 2) each edge once."""
        pairs = np.sort(self.faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
        return np.unique(pairs, axis=0)

    def copy(self) -> Surface:
        """The same surface with vertices of its own."""
        return Surface(self.vertices.copy(), self.faces)

    def mean_edge(self) -> float:
        """Mean length of the edges, mm."""
        ends = self.vertices[self.edges()]
        return float(np.linalg.norm(ends[:, 1] - ends[:, 0], axis=1).mean())

    def _centred(self) -> NDArray[np.float64]:
        """Vertices about their mean: keeps the sums of signed volumes accurate far from the origin."""
        return np.asarray(self.vertices - self.vertices.mean(axis=0))


def ellipsoid(
    centre_mm: NDArray[np.float64],
    semi_axes_mm: NDArray[np.float64],
    axes: NDArray[np.float64] | None = None,
    subdivisions: int = 3,
) -> Surface:
    """An ellipsoid from a subdivided octahedron, which has the mirror symmetries of the grid.

    Parameters
    ----------
    centre_mm : (3,). semi_axes_mm : (3,) along the rows of `axes` (3, 3), the grid's own axes where absent.
    subdivisions : each makes four faces of one; 3 gives 258 vertices, 4 gives 1026.
    """
    vertices, faces = _octahedron()
    for _ in range(subdivisions):
        vertices, faces = _subdivided(vertices, faces)
    rows = np.eye(3) if axes is None else np.asarray(axes, dtype=np.float64)
    if np.linalg.det(rows) < 0:
        faces = faces[:, ::-1]
    placed = (vertices * np.asarray(semi_axes_mm)) @ rows + np.asarray(centre_mm)
    return Surface(np.ascontiguousarray(placed), np.ascontiguousarray(faces))


def subdivisions_for(semi_axes_mm: NDArray[np.float64], max_edge_mm: float) -> int:
    """Subdivisions with which the mean edge of an ellipsoid is no longer than asked, within FEWEST and MOST."""
    origin = np.zeros(3)
    return next(
        (n for n in range(FEWEST, MAX) if ellipsoid(origin, semi_axes_mm, None, n).mean_edge() <= max_edge_mm), MAX
    )


def _octahedron() -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    vertices = np.array([[1, 0, 0], [-1, 0, 0], [0, 1, 0], [0, -1, 0], [0, 0, 1], [0, 0, -1]], dtype=np.float64)
    faces = [[0, 2, 4], [2, 1, 4], [1, 3, 4], [3, 0, 4], [2, 0, 5], [1, 2, 5], [3, 1, 5], [0, 3, 5]]
    return vertices, np.array(faces, dtype=np.int32)


def _subdivided(
    vertices: NDArray[np.float64], faces: NDArray[np.int32]
) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
    """Four faces of each, new vertices pushed out to the unit sphere."""
    pairs = np.sort(faces[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    unique, which = np.unique(pairs, axis=0, return_inverse=True)
    middle = vertices[unique].mean(axis=1)
    middle /= np.linalg.norm(middle, axis=1, keepdims=True)
    ab, bc, ca = (which.reshape(-1, 3) + len(vertices)).T.astype(np.int32)
    a, b, c = faces.T
    split = [np.stack(f, axis=1) for f in ((a, ab, ca), (ab, b, bc), (ca, bc, c), (ab, bc, ca))]
    return np.vstack([vertices, middle]), np.ascontiguousarray(np.vstack(split), dtype=np.int32)


def smoothed(surface: Surface, strength: float = 0.5) -> NDArray[np.float64]:
    """Vertices (V, 3) moved along the surface towards the mean of their neighbours, with the volume restored.

    Parameters
    ----------
    strength : share of the way to the mean.
    """
    edges = surface.edges()
    total, count = np.zeros_like(surface.vertices), np.zeros(len(surface.vertices))
    for here, there in (edges.T, edges.T[::-1]):
        np.add.at(total, here, surface.vertices[there])
        np.add.at(count, here, 1.0)
    gradient = surface.volume_gradient()
    normal = gradient / np.maximum(np.linalg.norm(gradient, axis=1, keepdims=True), 1e-12)
    move = total / count[:, None] - surface.vertices
    move -= normal * np.einsum("ij,ij->i", move, normal)[:, None]
    out = Surface(surface.vertices + strength * move, surface.faces)
    before = surface.volume()
    for _ in range(3):
        gradient = out.volume_gradient()
        out.vertices += gradient * ((before - out.volume()) / float(np.vdot(gradient, gradient)))
    return out.vertices


def inside_surface(surface: Surface, points_mm: NDArray[np.float64]) -> NDArray[np.bool_]:
    """(m,) whether points (m, 3) lie inside: how often the surface lies above a point, faces up less faces down.

    Faces are looked up by the column that they stand in. The sides of an edge are told apart by one and the same
    expression for both of its faces, so a ray that meets an edge is counted once.
    """
    points = np.ascontiguousarray(points_mm, dtype=np.float64)
    low, high = surface.vertices.min(axis=0), surface.vertices.max(axis=0)
    out = np.all((points > low) & (points < high), axis=1)
    near = np.flatnonzero(out)
    if near.size:
        count = max(int(np.sqrt(len(surface.faces) / 2)), 1)
        cell = (high[:2] - low[:2]) / count
        first, listed = _columns(surface.vertices, surface.faces, low, cell, count)
        out[near] = _turns(points[near], surface.vertices, surface.faces, low, cell, count, first, listed) > 0
    return np.asarray(out)


@njit(cache=True)
def _columns(vertices, faces, low, cell, count):  # type: ignore[no-untyped-def]
    """Faces by the columns (count, count) that their boxes touch: where each column's list begins, and the lists."""
    span = np.empty((faces.shape[0], 4), np.int64)
    first = np.zeros(count * count + 1, np.int64)
    for f in range(faces.shape[0]):
        for axis in range(2):
            a, b, c = vertices[faces[f, 0], axis], vertices[faces[f, 1], axis], vertices[faces[f, 2], axis]
            span[f, 2 * axis] = max(int((min(a, b, c) - low[axis]) / cell[axis]) - 1, 0)
            span[f, 2 * axis + 1] = min(int((max(a, b, c) - low[axis]) / cell[axis]) + 1, count - 1)
        for i in range(span[f, 0], span[f, 1] + 1):
            for j in range(span[f, 2], span[f, 3] + 1):
                first[i * count + j + 1] += 1
    first = np.cumsum(first)
    listed, place = np.empty(first[-1], np.int64), first[:-1].copy()
    for f in range(faces.shape[0]):
        for i in range(span[f, 0], span[f, 1] + 1):
            for j in range(span[f, 2], span[f, 3] + 1):
                listed[place[i * count + j]] = f
                place[i * count + j] += 1
    return first, listed


@njit(cache=True)
def _turns(points, vertices, faces, low, cell, count, first, listed):  # type: ignore[no-untyped-def]
    """How many faces above each point look up, less those that look down: 1 inside a closed surface, 0 outside."""
    out = np.zeros(points.shape[0], np.int64)
    for p in range(points.shape[0]):
        x, y, z = points[p]
        i = min(max(int((x - low[0]) / cell[0]), 0), count - 1)
        j = min(max(int((y - low[1]) / cell[1]), 0), count - 1)
        for place in range(first[i * count + j], first[i * count + j + 1]):
            a, b, c = faces[listed[place]]
            ab = _side(vertices, a, b, x, y)
            bc = _side(vertices, b, c, x, y)
            if (ab > 0) != (bc > 0) or (ab > 0) != (_side(vertices, c, a, x, y) > 0):
                continue
            if _height(vertices, a, b, c, x, y) > z:
                out[p] += 1 if ab > 0 else -1
    return out


@njit(cache=True, inline="always")
def _side(vertices, a, b, x, y):  # type: ignore[no-untyped-def]
    """1 or -1: the side of the edge from a to b, seen from above, on which a point lies.

    A point on the edge is taken as shifted by next to nothing along x, and by less along y, so it lies on no edge.
    """
    lower, upper = min(a, b), max(a, b)
    ux, uy = vertices[upper, 0] - vertices[lower, 0], vertices[upper, 1] - vertices[lower, 1]
    cross = ux * (y - vertices[lower, 1]) - uy * (x - vertices[lower, 0])
    left = cross > 0 or (cross == 0 and (uy < 0 or (uy == 0 and ux > 0)))
    return 1 if left == (a < b) else -1


@njit(cache=True, inline="always")
def _height(vertices, a, b, c, x, y):  # type: ignore[no-untyped-def]
    """Height of the plane of a face over a place."""
    ux, uy, uz = vertices[b] - vertices[a]
    vx, vy, vz = vertices[c] - vertices[a]
    dx, dy = x - vertices[a, 0], y - vertices[a, 1]
    area = ux * vy - uy * vx
    if area == 0:
        return max(vertices[a, 2], vertices[b, 2], vertices[c, 2])
    s, t = (dx * vy - dy * vx) / area, (ux * dy - uy * dx) / area
    return vertices[a, 2] + s * uz + t * vz
