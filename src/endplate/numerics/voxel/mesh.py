"""A mesh of equal cubes: the active voxels of a mask, with compact node numbers."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numba import njit
from numpy.typing import ArrayLike, NDArray

from endplate.numerics.voxel.voxel_runs import Runs, find_runs


@dataclass(frozen=True, eq=False, repr=False)
class VoxelMesh:
    """Active voxels and the nodes at their corners, both numbered in C order of (i, j, k).

    `from_active` makes one of a mask.

    Parameters
    ----------
    shape : tuple of int
        Voxels of the surrounding grid (I, J, K).
    spacing_mm : float
        Edge of a voxel, mm.
    node_ijk : ndarray of int32, shape (N, 3)
        Grid position of each node; its place is node_ijk * spacing_mm from the corner of voxel 0.
    element_ijk : ndarray of int32, shape (E, 3)
        Grid position of each element.
    runs : Runs
        Elements as contiguous lines along k, the order in which the kernels walk.
    """

    shape: tuple[int, int, int]
    spacing_mm: float
    node_ijk: NDArray[np.int32]
    element_ijk: NDArray[np.int32]
    runs: Runs = field(repr=False)

    @classmethod
    def from_active(cls, active: ArrayLike, spacing_mm: float) -> VoxelMesh:
        """Mesh of the true voxels of a mask.

        Parameters
        ----------
        active : array_like of bool, shape (I, J, K)
            True where there is material.
        spacing_mm : float
            Edge of the cubes, mm.

        Returns
        -------
        VoxelMesh
            Elements and nodes in C order of (i, j, k).

        Raises
        ------
        ValueError
            Mask not three-dimensional or empty, or spacing not positive.

        Examples
        --------
        >>> import numpy as np
        >>> from endplate.numerics import VoxelMesh
        >>> mesh = VoxelMesh.from_active(np.ones((2, 2, 3), bool), spacing_mm=0.5)
        >>> mesh.n_elements, mesh.n_nodes
        (12, 36)
        """
        mask = np.ascontiguousarray(active, dtype=np.bool_)
        if mask.ndim != 3 or not mask.any():
            raise ValueError(f"active must be a three-dimensional mask with at least one voxel, got {mask.shape}")
        if not (np.isfinite(spacing_mm) and spacing_mm > 0):
            raise ValueError(f"spacing_mm must be positive, got {spacing_mm}")
        number, node_ijk, element_ijk = _number(mask)
        nx, ny, nz = mask.shape
        runs = find_runs(mask, number, element_ijk.shape[0])
        return cls((nx, ny, nz), float(spacing_mm), node_ijk, element_ijk, runs)

    def __repr__(self) -> str:
        """Grid, edge and counts; arrays would fill the screen."""
        of = " x ".join(map(str, self.shape))
        return f"<VoxelMesh: {self.n_elements} voxels of {self.spacing_mm:g} mm in {of}, {self.n_nodes} nodes>"

    @property
    def n_nodes(self) -> int:
        """Number of nodes; unknowns are three times as many."""
        return int(self.node_ijk.shape[0])

    @property
    def n_elements(self) -> int:
        """Number of active voxels."""
        return int(self.element_ijk.shape[0])

    @cached_property
    def element_nodes(self) -> NDArray[np.int32]:
        """(E, 8) nodes of each element; corner 4a + 2b + d at offset (a, b, d). Built when first asked for."""
        out = np.empty((self.n_elements, 8), dtype=np.int32)
        _element_nodes(self.runs.start_nodes, self.runs.first_element, self.runs.length, out)
        return out

    @cached_property
    def _keys(self) -> NDArray[np.int64]:
        return self._key(self.node_ijk)

    def _key(self, ijk: NDArray[np.int32]) -> NDArray[np.int64]:
        _, ny, nz = self.shape
        wide = ijk.astype(np.int64)
        return (wide[..., 0] * (ny + 1) + wide[..., 1]) * (nz + 1) + wide[..., 2]

    def node_at(self, ijk: ArrayLike) -> NDArray[np.int64]:
        """Numbers of the nodes at grid positions.

        Parameters
        ----------
        ijk : array_like of int, shape (..., 3)
            Grid positions.

        Returns
        -------
        ndarray of int64, shape (...)
            Node numbers; -1 where there is none.
        """
        wanted = np.asarray(ijk, dtype=np.int32)
        inside = np.all((wanted >= 0) & (wanted <= np.array(self.shape)), axis=-1)
        key = self._key(wanted)
        place = np.minimum(np.searchsorted(self._keys, key), self.n_nodes - 1)
        return np.where(inside & (self._keys[place] == key), place, -1)

    def nodes_on_plane(self, axis: int, index: int) -> NDArray[np.int64]:
        """Numbers of the nodes on a plane of the grid.

        Parameters
        ----------
        axis : {0, 1, 2}
            Axis across the plane: i, j or k.
        index : int
            Grid position along `axis`, 0 to the number of voxels.

        Returns
        -------
        ndarray of int64, shape (M,)
            Node numbers, ascending.
        """
        return np.flatnonzero(self.node_ijk[:, axis] == index)

    @cached_property
    def neighbour_nodes(self) -> NDArray[np.int32]:
        """(N,) how many elements meet at each node, 1 to 8."""
        return np.bincount(self.element_nodes.ravel(), minlength=self.n_nodes).astype(np.int32)

    @property
    def nbytes(self) -> int:
        """Bytes held, with what has been built on demand."""
        lazy = (self.__dict__.get(name) for name in ("element_nodes", "_keys", "neighbour_nodes"))
        own = self.node_ijk.nbytes + self.element_ijk.nbytes + self.runs.nbytes
        return int(own + sum(a.nbytes for a in lazy if a is not None))


@njit(cache=True, nogil=True)
def _number(mask):  # type: ignore[no-untyped-def]
    """Number the corners of active voxels in C order; -1 elsewhere."""
    ni, nj, nk = mask.shape
    number = np.full((ni + 1, nj + 1, nk + 1), -1, dtype=np.int32)
    n_elements = n_nodes = np.int64(0)  # typed: a plain 0 would be a constant, and `_positions` compiled for both
    for i in range(ni):
        for j in range(nj):
            for k in range(nk):
                if mask[i, j, k]:
                    n_elements += 1
                    for c in range(8):
                        number[i + (c >> 2), j + ((c >> 1) & 1), k + (c & 1)] = 0
    for i in range(ni + 1):
        for j in range(nj + 1):
            for k in range(nk + 1):
                if number[i, j, k] == 0:
                    number[i, j, k] = n_nodes
                    n_nodes += 1
    return number, _positions(number >= 0, n_nodes), _positions(mask, n_elements)


@njit(cache=True, nogil=True)
def _positions(mask, count):  # type: ignore[no-untyped-def]
    """(count, 3) grid positions of the true entries in C order."""
    out = np.empty((count, 3), dtype=np.int32)
    row = 0
    for i in range(mask.shape[0]):
        for j in range(mask.shape[1]):
            for k in range(mask.shape[2]):
                if mask[i, j, k]:
                    out[row, 0] = i
                    out[row, 1] = j
                    out[row, 2] = k
                    row += 1
    return out


@njit(cache=True, nogil=True)
def _element_nodes(start_nodes, first_element, length, out):  # type: ignore[no-untyped-def]
    """Expand runs into the (E, 8) table."""
    for r in range(length.size):
        for step in range(length[r]):
            e = first_element[r] + step
            for line in range(4):
                out[e, 2 * line] = start_nodes[r, line] + step
                out[e, 2 * line + 1] = start_nodes[r, line] + step + 1
