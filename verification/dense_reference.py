"""The slow way, for comparison: the stiffness assembled by quadrature and factorised or inverted directly.

Written independently of the tensor modes, so that an error in either shows.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import sparse
from scipy.sparse.linalg import spsolve

from endplate.numerics.voxel.element import CORNERS, ElementKind, lame
from endplate.numerics.voxel.mesh import VoxelMesh


def strain_matrix(point: NDArray[np.float64]) -> NDArray[np.float64]:
    """(6, 24) engineering strain from corner displacements of the unit cube at a point of [-1, 1]^3."""
    side = 2 * CORNERS - 1
    factor = (1 + side * point) / 2
    others = np.stack([factor[:, 1] * factor[:, 2], factor[:, 0] * factor[:, 2], factor[:, 0] * factor[:, 1]], axis=1)
    gradient = side * others
    B = np.zeros((6, 8, 3))
    for x in range(3):
        y = (x + 1) % 3
        B[x, :, x] = gradient[:, x]
        B[3 + x, :, x], B[3 + x, :, y] = gradient[:, y], gradient[:, x]
    return B.reshape(6, 24)


def quadrature_matrix(poisson: float, element: ElementKind = "full") -> NDArray[np.float64]:
    """(24, 24) stiffness of the unit cube with unit modulus by 2 x 2 x 2 Gauss points."""
    lam, mu = lame(poisson)
    D = np.diag([2 * mu] * 3 + [mu] * 3)
    D[:3, :3] += lam
    points = (2 * CORNERS - 1) / np.sqrt(3)
    strains = [strain_matrix(p) for p in points]
    if element == "bbar":
        mean = sum(B[:3].sum(axis=0) for B in strains) / len(strains)
        volumetric = np.repeat([[1.0]] * 3 + [[0.0]] * 3, 24, axis=1) / 3
        strains = [B + volumetric * (mean - B[:3].sum(axis=0)) for B in strains]
    return np.asarray(sum(B.T @ D @ B for B in strains) / len(strains))


def assemble(
    mesh: VoxelMesh, modulus_mpa: ArrayLike, poisson: float, element: ElementKind = "full"
) -> sparse.csr_matrix:
    """(3N, 3N) stiffness, degrees of freedom 3 * node + component."""
    dof = (3 * mesh.element_nodes[:, :, None] + np.arange(3)).reshape(-1, 24)
    unit = quadrature_matrix(poisson, element) * mesh.spacing_mm
    values = np.asarray(modulus_mpa, dtype=np.float64)[:, None, None] * unit
    rows, columns = np.repeat(dof, 24, axis=1), np.tile(dof, (1, 24))
    size = 3 * mesh.n_nodes
    return sparse.csr_matrix((values.ravel(), (rows.ravel(), columns.ravel())), shape=(size, size))


def solve_directly(
    stiffness: sparse.csr_matrix, fixed: NDArray[np.bool_], force: ArrayLike, prescribed: ArrayLike
) -> NDArray[np.float64]:
    """(N, 3) displacements by sparse factorisation, for `fixed`, `force` and `prescribed` (N, 3)."""
    held = np.asarray(fixed).ravel()
    u = np.where(held, np.asarray(prescribed, dtype=np.float64).ravel(), 0)
    load = np.asarray(force, dtype=np.float64).ravel() - stiffness @ u
    free = np.flatnonzero(~held)
    u[free] = spsolve(stiffness[free][:, free].tocsc(), load[free])
    return u.reshape(-1, 3)
