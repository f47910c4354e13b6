"""The stiffness of a voxel mesh as an operator: applied without ever being assembled."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from endplate.numerics.threads import run_chunks
from endplate.numerics.voxel import kernels
from endplate.numerics.voxel.element import ElementKind, element_matrix, modal_stiffness
from endplate.numerics.voxel.mesh import VoxelMesh
from endplate.numerics.voxel.simd_batches import WIDTH, Lanes, element_values, lane_modulus, pack


class ElasticOperator:
    """K of isotropic cubes: force = K displacement.

    Parameters
    ----------
    mesh : VoxelMesh
        The voxels.
    modulus_mpa : array_like, shape (E,)
        Young's modulus of each element, finite and positive, MPa; a single number stands for all.
    poisson : float, default 0.3
        Poisson's ratio, the same everywhere.
    element : {"full", "bbar"}, default "full"
        Full integration or mean dilatation.
    dtype : dtype_like, default float64
        Precision of the arithmetic.
    lanes : Lanes, optional
        The packing of the mesh, when it has been made already.

    Raises
    ------
    ValueError
        Moduli of wrong length, not finite or not positive; impossible Poisson's ratio.
    """

    def __init__(
        self,
        mesh: VoxelMesh,
        modulus_mpa: ArrayLike,
        poisson: float = 0.3,
        element: ElementKind = "full",
        dtype: DTypeLike = np.float64,
        lanes: Lanes | None = None,
    ) -> None:
        self.mesh, self.poisson, self.element = mesh, float(poisson), element
        self.dtype = np.dtype(dtype)
        self.lanes = lanes if lanes is not None else pack(mesh)
        self._entries = (np.array(modal_stiffness(poisson, element)) * mesh.spacing_mm).astype(self.dtype)
        self._corner_diagonal = float(element_matrix(poisson, element)[0, 0]) * mesh.spacing_mm
        self._lane_modulus = np.zeros((self.lanes.n_batches, WIDTH), dtype=self.dtype)
        self.set_modulus(modulus_mpa)

    def set_modulus(self, modulus_mpa: ArrayLike) -> None:
        """Replace the moduli.

        Parameters
        ----------
        modulus_mpa : array_like, shape (E,)
            Young's modulus of each element, finite and positive, MPa; a single number stands for all.

        Raises
        ------
        ValueError
            Wrong length, not finite or not positive.
        """
        p = self.lanes
        modulus = checked_modulus(self.mesh, modulus_mpa)
        lane_modulus(modulus, p.element, p.length, p.lane, p.batch, self._lane_modulus)

    def element_modulus(self) -> NDArray[np.float64]:
        """Young's modulus of each element, as it was given.

        Returns
        -------
        ndarray of float64, shape (E,)
            Moduli, MPa, in the operator's precision.
        """
        p = self.lanes
        out = np.empty(self.mesh.n_elements)
        element_values(self._lane_modulus, p.element, p.length, p.lane, p.batch, out)
        return out

    def add(self, u: NDArray[np.floating], out: NDArray[np.floating], sign: float = 1.0) -> None:
        """Add sign * K u to `out` in place: the form that solvers use.

        Parameters
        ----------
        u : ndarray, shape (3, N)
            Displacements, mm, contiguous and in the operator's precision.
        out : ndarray, shape (3, N)
            Forces, N, in the same precision; changed in place.
        sign : float, default 1.0
            Factor on K u.
        """
        p, scale = self.lanes, np.asarray(sign, dtype=self.dtype)[()]
        fixed = (u, out, scale, self._lane_modulus, self._entries, p.node, p.length, p.lane, p.batch)
        run_chunks(lambda first, last: kernels.apply(*fixed, first, last), p.chunk)

    def apply(self, u: ArrayLike) -> NDArray[np.float64]:
        """Nodal forces of nodal displacements.

        Parameters
        ----------
        u : array_like, shape (N, 3)
            Displacements, mm.

        Returns
        -------
        ndarray of float64, shape (N, 3)
            Forces K u, N.

        Raises
        ------
        ValueError
            Displacements of another shape.
        """
        rows = np.ascontiguousarray(np.asarray(u).T, dtype=self.dtype)
        if rows.shape != (3, self.mesh.n_nodes):
            raise ValueError(f"displacements must be ({self.mesh.n_nodes}, 3), got {np.shape(u)}")
        out = np.zeros_like(rows)
        self.add(rows, out)
        return np.ascontiguousarray(out.T, dtype=np.float64)

    def node_modulus(self) -> NDArray[np.float64]:
        """Sum of the moduli of the elements that meet at each node.

        Returns
        -------
        ndarray of float64, shape (N,)
            Sums, MPa.
        """
        p = self.lanes
        out = np.zeros(self.mesh.n_nodes)
        kernels.sum_modulus(self._lane_modulus, p.node, p.length, p.lane, p.batch, out)
        return out

    def node_diagonal(self) -> NDArray[np.float64]:
        """Diagonal of K by node: the same for the three components, by the symmetry of the cube.

        Returns
        -------
        ndarray of float64, shape (N,)
            Stiffness, N/mm.
        """
        return self._corner_diagonal * self.node_modulus()

    def diagonal(self) -> NDArray[np.float64]:
        """Diagonal of K.

        Returns
        -------
        ndarray of float64, shape (N, 3)
            Stiffness, N/mm.
        """
        return np.repeat(self.node_diagonal()[:, None], 3, axis=1)

    def reaction(self, u: ArrayLike, nodes: ArrayLike) -> NDArray[np.float64]:
        """Total force that chosen nodes take.

        Parameters
        ----------
        u : array_like, shape (N, 3)
            Displacements, mm.
        nodes : array_like of int, shape (M,)
            Node numbers.

        Returns
        -------
        ndarray of float64, shape (3,)
            Sum of K u over these nodes, N.
        """
        return np.asarray(self.apply(u)[np.asarray(nodes)].sum(axis=0))

    @property
    def nbytes(self) -> int:
        """Bytes held, packing included."""
        return self._lane_modulus.nbytes + self.lanes.nbytes


def checked_modulus(mesh: VoxelMesh, modulus_mpa: ArrayLike) -> NDArray[np.float64]:
    """Moduli as (E,) float64; a single number stands for all elements.

    Raises
    ------
    ValueError : wrong length, not finite or not positive.
    """
    modulus = np.asarray(modulus_mpa, dtype=np.float64)
    if modulus.ndim == 0:
        modulus = np.full(mesh.n_elements, float(modulus))
    modulus = np.ascontiguousarray(modulus)
    if modulus.shape != (mesh.n_elements,):
        raise ValueError(f"modulus must have one value per element, ({mesh.n_elements},), got {modulus.shape}")
    if not (np.isfinite(modulus).all() and modulus.min() > 0):
        raise ValueError("modulus must be finite and positive in every element")
    return modulus
