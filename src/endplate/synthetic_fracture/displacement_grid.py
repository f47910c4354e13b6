"""A displacement field on a lattice along the scan's axes: smooth between what is known; its volume ratio."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, sparse
from scipy.sparse.linalg import cg

from endplate.cited import cited
from endplate.image.volume import Grid

CORNERS = tuple((i, j, k) for i in (0, 1) for j in (0, 1) for k in (0, 1))
FILL_TOLERANCE = 1e-3  # relative residual of the smooth filling: some hundredths of a millimetre in ten
FILL_ITERATIONS = int(cited(400, "1", "a fine lattice of a vertebra needs about a hundred", "design"))


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class DisplacementGrid:
    """Displacements (I, J, K, 3) in LPS mm at the nodes of a grid, as a function of the place before."""

    grid: Grid
    moved_mm: NDArray[np.float64]

    def at(self, xyz_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Displacement (n, 3) at places (n, 3), linear between nodes; beyond the lattice its border holds."""
        index = self.grid.to_index(xyz_mm).T
        parts = [ndimage.map_coordinates(self.moved_mm[..., axis], index, order=1, mode="nearest") for axis in range(3)]
        return np.stack(parts, axis=-1)

    def volume_ratio(self) -> NDArray[np.float64]:
        """Volume after over volume before (I, J, K) at the nodes: the mean over the cells that meet there."""
        return _node_mean(_cell_ratio(self.grid.to_mm(_indices(self.grid)) + self.moved_mm) / self.grid.voxel_mm3)


def _indices(grid: Grid) -> NDArray[np.int64]:
    return np.moveaxis(np.indices(grid.shape), 0, -1)


def _cell_ratio(places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Signed volume of each cell from the mean edges along its three directions."""
    edges = []
    for axis in range(3):
        edge = np.diff(places, axis=axis)
        for other in range(3):
            if other != axis:
                edge = 0.5 * (
                    edge.take(range(edge.shape[other] - 1), other) + edge.take(range(1, edge.shape[other]), other)
                )
        edges.append(edge)
    return np.asarray(np.einsum("...i,...i->...", np.cross(edges[0], edges[1]), edges[2]))


def _node_mean(cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Mean of the cells that meet at each node."""
    padded = np.pad(cells, 1, mode="edge")
    inner = [slice(0, n + 1) for n in cells.shape]
    total = np.zeros([n + 1 for n in cells.shape])
    for corner in CORNERS:
        total += padded[tuple(slice(s.start + c, s.stop + c) for s, c in zip(inner, corner, strict=True))]
    return total / len(CORNERS)


def fill_smoothly(values: NDArray[np.float64], known: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Values (I, J, K, 3) with the unknown nodes set so that each is the mean of its neighbours (harmonic).

    Nothing is prescribed at the border of the lattice: there the field runs on as its inside does.
    """
    if known.all() or not known.any():
        return values
    nearest = ndimage.distance_transform_edt(~known, return_distances=False, return_indices=True)
    start = values[tuple(nearest)]
    free = ~known
    matrix, coupling = _laplacian(free)
    diagonal = sparse.diags(1 / matrix.diagonal())
    filled = values.copy()
    for axis in range(values.shape[-1]):
        right = coupling @ np.where(known, values[..., axis], 0.0).ravel()
        solution, _ = cg(
            matrix, right, x0=start[..., axis][free], rtol=FILL_TOLERANCE, maxiter=FILL_ITERATIONS, M=diagonal
        )
        filled[..., axis][free] = solution
    return filled


def _laplacian(free: NDArray[np.bool_]) -> tuple[sparse.csr_matrix, sparse.csr_matrix]:
    """Graph Laplacian among free nodes, and the coupling (free x all) to the known ones."""
    number = np.full(free.shape, -1)
    number[free] = np.arange(int(free.sum()))
    everyone = np.arange(free.size).reshape(free.shape)
    rows, columns, known_rows, known_columns = [], [], [], []
    for axis in range(3):
        low = tuple(slice(None, -1) if a == axis else slice(None) for a in range(3))
        high = tuple(slice(1, None) if a == axis else slice(None) for a in range(3))
        for one, other in ((low, high), (high, low)):
            both = free[one] & free[other]
            rows.append(number[one][both])
            columns.append(number[other][both])
            edge = free[one] & ~free[other]
            known_rows.append(number[one][edge])
            known_columns.append(everyone[other][edge])
    row, column = np.concatenate(rows), np.concatenate(columns)
    known_row, known_column = np.concatenate(known_rows), np.concatenate(known_columns)
    n = int(free.sum())
    degree = np.bincount(row, minlength=n) + np.bincount(known_row, minlength=n)
    between = sparse.csr_matrix((np.ones(len(row)), (row, column)), shape=(n, n))
    coupling = sparse.csr_matrix((np.ones(len(known_row)), (known_row, known_column)), shape=(n, free.size))
    return sparse.diags(degree.astype(float)).tocsr() - between, coupling
