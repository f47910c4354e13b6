"""Constant matrices of the exact coarse stiffness, and coarse element matrices from them."""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

from endplate.numerics.multigrid.coarsen import Coarsening
from endplate.numerics.voxel.element import ElementKind, ModalStiffness, child_interpolation, element_matrix

Float = NDArray[np.float32]


def child_matrices(poisson: float, element: ElementKind, edge_mm: float) -> NDArray[np.float64]:
    """(8, 24, 24) what each child of unit modulus and edge `edge_mm` adds to its parent's stiffness."""
    P = child_interpolation()
    return np.asarray(np.einsum("cji,jk,ckl->cil", P, element_matrix(poisson, element) * edge_mm, P, optimize=True))


def constrained_matrices(
    poisson: float, element: ElementKind, edge_mm: float, child: NDArray[np.int32], bits: NDArray[np.int32]
) -> NDArray[np.float64]:
    """(U, 24, 24) as `child_matrices`, for children whose degrees of freedom with a set bit do not move."""
    P, K = child_interpolation(), element_matrix(poisson, element) * edge_mm
    moves = ((bits[:, None] >> np.arange(24)) & 1) == 0
    Q = P[child] * moves[:, :, None]
    return np.asarray(np.einsum("uji,jk,ukl->uil", Q, K, Q, optimize=True))


def held_bits(element_nodes: NDArray[np.int32], fixed: NDArray[np.bool_]) -> NDArray[np.int32]:
    """(E,) bit 3 * corner + component set where that degree of freedom of the element is fixed."""
    x, y, z = (fixed[:, axis].astype(np.int32) for axis in range(3))
    code = x | y << 1 | z << 2
    out = np.zeros(element_nodes.shape[0], dtype=np.int32)
    for corner in range(8):
        out |= code[element_nodes[:, corner]] << (3 * corner)
    return out


def grandchild_matrices(children: NDArray[np.float64]) -> NDArray[np.float64]:
    """(64, 24, 24) the same for grandchildren, numbered 8 * child + grandchild."""
    P = child_interpolation()
    return np.asarray(np.einsum("cji,gjk,ckl->cgil", P, children, P, optimize=True)).reshape(64, 24, 24)


def child_entries(entries: NDArray[np.float64]) -> NDArray[np.float64]:
    """Modal entries with the powers of 1/2 of the child's amplitudes: one, two or three axes, on both sides."""
    axes = {"axial": 1, "lateral": 1, "shear": 1, "hourglass": 3}
    return np.array([x * 0.25 ** axes.get(f, 2) for f, x in zip(ModalStiffness._fields, entries, strict=True)])


def add_parent_matrices(out: Float, matrices: Float, parent: NDArray[np.int32], child: NDArray[np.int32]) -> None:
    """Add P^T K P of each child to the matrix (24, 24) of its parent."""
    for c, P in enumerate(child_interpolation().astype(np.float32)):
        mine = np.flatnonzero(child == c)
        half = matrices[mine].reshape(-1, 24) @ P
        turned = np.ascontiguousarray(half.reshape(-1, 24, 24).transpose(0, 2, 1)).reshape(-1, 24) @ P
        _add_at(out, parent[mine], turned)


def parent_matrices(matrices: Float, step: Coarsening) -> Float:
    """(C, 24, 24) coarse element matrices from (E, 24, 24) fine ones."""
    out = np.zeros((step.coarse.element_nodes.shape[0], 24, 24), dtype=np.float32)
    add_parent_matrices(out, matrices, step.parent, step.child)
    return out


def diagonal_blocks(matrices: NDArray[np.floating]) -> NDArray[np.floating]:
    """(M, 8, 9) corner blocks of (M, 24, 24) matrices."""
    split = matrices.reshape(-1, 8, 3, 8, 3)
    corner = np.arange(8)
    return np.ascontiguousarray(split[:, corner, :, corner, :].transpose(1, 0, 2, 3)).reshape(-1, 8, 9)


@njit(cache=True, nogil=True)
def _add_at(out, parent, matrices):  # type: ignore[no-untyped-def]
    """Add each child's (24, 24) rows to its parent; two split children may share place and parent."""
    for e in range(parent.size):
        K = out[parent[e]]
        for i in range(24):
            for j in range(24):
                K[i, j] += matrices[24 * e + i, j]


@njit(cache=True, nogil=True)
def add_weighted(out, slot, weight, table, which):  # type: ignore[no-untyped-def]
    """out[slot] += weight * table[which], matrix by matrix."""
    for e in range(slot.size):
        target, source, w = out[slot[e]], table[which[e]], weight[e]
        for i in range(24):
            for j in range(24):
                target[i, j] += w * source[i, j]
