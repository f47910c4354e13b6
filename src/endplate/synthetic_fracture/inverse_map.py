"""Where each voxel came from: the displacement field turned round, voxel by voxel."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit, prange
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.image.volume import Grid
from endplate.synthetic_fracture.displacement_grid import DisplacementGrid
from endplate.synthetic_fracture.rigid_group import RigidGroup
from endplate.synthetic_fracture.trilinear import cell, outside, scalar

STEPS = int(cited(30, "1", "Newton steps at most; a smooth field needs three or four", "design"))
CLOSE = 1e-3  # fine-lattice steps: a thousandth of 1.5 mm
LOST = cited(0.3, "1", "fine-lattice steps: an origin not known better counts as folded", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Field:
    """A coarse lattice over the whole scan and a fine one about the crushed vertebra, which wins where it reaches.

    `pieces` are the bones that stay whole; where two meet, the earlier one keeps the place.
    """

    coarse: DisplacementGrid
    fine: DisplacementGrid
    pieces: tuple[RigidGroup, ...] = ()

    def at(self, xyz_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Displacement (n, 3) at places (n, 3), LPS mm."""
        index = self.fine.grid.to_index(xyz_mm)
        inside = ((index >= 0) & (index <= np.array(self.fine.grid.shape) - 1)).all(axis=1)
        moved = self.coarse.at(xyz_mm)
        moved[inside] = self.fine.at(xyz_mm[inside])
        return moved


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Origins:
    """Where voxels came from: fractional scan indices (I, J, K, 3) before, volume ratio there, and what was lost.

    `ratio` is 1 outside the fine lattice. `folded` counts voxels whose origin could not be told, `shared` those that
    a rigid piece has taken from what else moved there.
    """

    index: NDArray[np.float32]
    ratio: NDArray[np.float32]
    folded: int
    shared: int


def origins(field: Field, scan: Grid, first_plane: int, planes: int) -> Origins:
    """Origins of the voxels of some planes (along k) of a scan."""
    to_scan = np.linalg.inv(scan.affine[:3, :3])
    shape = (*scan.shape[:2], planes)
    index, ratio = np.empty((*shape, 3), np.float32), np.ones(shape, np.float32)
    folded = np.zeros(shape, np.uint8)
    coarse, fine = (_in_scan(lattice, scan, to_scan) for lattice in (field.coarse, field.fine))
    at_nodes = np.ascontiguousarray(field.fine.volume_ratio())
    _invert(coarse, fine, at_nodes, first_plane, index, ratio, folded)
    free, shared = np.ones(shape, bool), 0
    for piece in field.pieces:
        taken, count = piece.claim(scan, first_plane, index, free)
        free &= ~taken
        shared += count
    ratio[~free] = 1
    return Origins(index=index, ratio=ratio, folded=int(folded[free].sum()), shared=shared)


def _in_scan(lattice: DisplacementGrid, scan: Grid, to_scan: NDArray[Any]) -> tuple[Any, ...]:
    """Displacements, first node and step of a lattice, all in scan indices."""
    step = np.diag(to_scan @ lattice.grid.affine[:3, :3]).copy()
    start = scan.to_index(lattice.grid.affine[:3, 3])
    return np.ascontiguousarray(lattice.moved_mm @ to_scan.T), start, step


@njit(cache=True)
def _look_up(moved: Any, start: Any, step: Any, x: Any, value: Any, slope: Any) -> bool:  # pragma: no cover - compiled
    """Displacement and its slopes at x (scan indices), trilinear; whether x lies within the lattice."""
    n0, n1, n2 = moved.shape[0], moved.shape[1], moved.shape[2]
    p = (x[0] - start[0]) / step[0]
    q = (x[1] - start[1]) / step[1]
    r = (x[2] - start[2]) / step[2]
    inside = not outside(moved.shape, p, q, r)
    p, q, r = min(max(p, 0.0), n0 - 1.0), min(max(q, 0.0), n1 - 1.0), min(max(r, 0.0), n2 - 1.0)
    i, j, k, a, b, c = cell(moved.shape, p, q, r)
    for axis in range(3):
        v000, v001 = moved[i, j, k, axis], moved[i, j, k + 1, axis]
        v010, v011 = moved[i, j + 1, k, axis], moved[i, j + 1, k + 1, axis]
        v100, v101 = moved[i + 1, j, k, axis], moved[i + 1, j, k + 1, axis]
        v110, v111 = moved[i + 1, j + 1, k, axis], moved[i + 1, j + 1, k + 1, axis]
        near = (v000 * (1 - c) + v001 * c) * (1 - b) + (v010 * (1 - c) + v011 * c) * b
        far = (v100 * (1 - c) + v101 * c) * (1 - b) + (v110 * (1 - c) + v111 * c) * b
        value[axis] = near * (1 - a) + far * a
        slope[axis, 0] = (far - near) / step[0]
        front = (v000 * (1 - c) + v001 * c) * (1 - a) + (v100 * (1 - c) + v101 * c) * a
        back = (v010 * (1 - c) + v011 * c) * (1 - a) + (v110 * (1 - c) + v111 * c) * a
        slope[axis, 1] = (back - front) / step[1]
        low = (v000 * (1 - b) + v010 * b) * (1 - a) + (v100 * (1 - b) + v110 * b) * a
        high = (v001 * (1 - b) + v011 * b) * (1 - a) + (v101 * (1 - b) + v111 * b) * a
        slope[axis, 2] = (high - low) / step[2]
    return inside


@njit(cache=True)
def _solve3(m: Any, r: Any, out: Any) -> bool:  # pragma: no cover - compiled
    """out = m^-1 r by Cramer's rule; False where m turns inside out."""
    c0 = m[1, 1] * m[2, 2] - m[1, 2] * m[2, 1]
    c1 = m[1, 2] * m[2, 0] - m[1, 0] * m[2, 2]
    c2 = m[1, 0] * m[2, 1] - m[1, 1] * m[2, 0]
    det = m[0, 0] * c0 + m[0, 1] * c1 + m[0, 2] * c2
    if det < 1e-3:
        return False
    out[0] = (
        r[0] * c0 + r[1] * (m[0, 2] * m[2, 1] - m[0, 1] * m[2, 2]) + r[2] * (m[0, 1] * m[1, 2] - m[0, 2] * m[1, 1])
    ) / det
    out[1] = (
        r[0] * c1 + r[1] * (m[0, 0] * m[2, 2] - m[0, 2] * m[2, 0]) + r[2] * (m[0, 2] * m[1, 0] - m[0, 0] * m[1, 2])
    ) / det
    out[2] = (
        r[0] * c2 + r[1] * (m[0, 1] * m[2, 0] - m[0, 0] * m[2, 1]) + r[2] * (m[0, 0] * m[1, 1] - m[0, 1] * m[1, 0])
    ) / det
    return True


@njit(cache=True)
def _origin(coarse: Any, fine: Any, y: Any, x: Any) -> float:  # pragma: no cover - compiled
    """Solve x + u(x) = y from x; returns what is left over, in steps of the fine lattice."""
    f_step = fine[2]
    value, slope = np.empty(3), np.empty((3, 3))
    rest, move, best = np.empty(3), np.empty(3), np.empty(3)
    least = np.inf
    damping = 1.0
    for _ in range(STEPS):
        if not _look_up(fine[0], fine[1], f_step, x, value, slope):
            _look_up(coarse[0], coarse[1], coarse[2], x, value, slope)
        size = 0.0
        for a in range(3):
            rest[a] = x[a] + value[a] - y[a]
            size += (rest[a] / f_step[a]) ** 2
        size = size**0.5
        if size < least:
            least = size
            best[:] = x
            damping = min(1.0, 2 * damping)
        else:
            damping *= 0.5
        if size < CLOSE:
            break
        for a in range(3):
            slope[a, a] += 1.0
        if not _solve3(slope, rest, move):
            move[:] = rest
        longest = 0.0
        for a in range(3):
            longest = max(longest, abs(move[a] / f_step[a]))
        scale = damping * min(1.0, 2.0 / max(longest, 1e-9))
        for a in range(3):
            x[a] -= scale * move[a]
    x[:] = best
    return least


@njit(cache=True, parallel=True)
def _invert(
    coarse: Any, fine: Any, ratio_at: Any, first_plane: int, index: Any, ratio: Any, folded: Any
) -> None:  # pragma: no cover - compiled
    for i in prange(index.shape[0]):
        y, x = np.empty(3), np.empty(3)
        for j in range(index.shape[1]):
            for k in range(index.shape[2]):
                y[0], y[1], y[2] = i, j, k + first_plane
                if k == 0:
                    x[:] = y
                else:  # the voxel below came from nearly the same place
                    x[2] += 1.0
                left = _origin(coarse, fine, y, x)
                if left > CLOSE:
                    x[:] = y
                    again = _origin(coarse, fine, y, x)
                    left = min(left, again)
                folded[i, j, k] = left > LOST
                index[i, j, k, 0], index[i, j, k, 1], index[i, j, k, 2] = x[0], x[1], x[2]
                f_start, f_step = fine[1], fine[2]
                p, q, r = (
                    (x[0] - f_start[0]) / f_step[0],
                    (x[1] - f_start[1]) / f_step[1],
                    (x[2] - f_start[2]) / f_step[2],
                )
                ratio[i, j, k] = scalar(ratio_at, p, q, r, 1.0)
