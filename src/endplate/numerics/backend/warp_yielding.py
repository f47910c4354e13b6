"""Yielding voxels on Warp's device: plastic strain stays there, displacements and forces travel."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import warp as wp
from numpy.typing import NDArray

from endplate.numerics.backend import warp_plastic_kernels as kernels
from endplate.numerics.interface import PlasticLaw
from endplate.numerics.multigrid.stored_blocks import around_nodes
from endplate.numerics.voxel.mesh import VoxelMesh

Double = NDArray[np.float64]


class WarpYielding:
    """What the interface asks of yielding voxels, on Warp's `device`."""

    def __init__(self, mesh: VoxelMesh, law: PlasticLaw, device: Any) -> None:
        self._law, self._device, self._n = law, device, mesh.n_nodes
        nodes = mesh.element_nodes
        self._nodes = wp.array(np.ascontiguousarray(nodes.T), dtype=wp.int32, device=device)
        self._elements = wp.array(around_nodes(nodes, self._n)[0], dtype=wp.int32, device=device)
        slopes = corner_slopes() / mesh.spacing_mm
        self._slopes = wp.array(slopes, dtype=wp.vec3d, device=device)
        self._mean_slope = wp.array(slopes.mean(axis=0), dtype=wp.vec3d, device=device)
        self._twice_shear = wp.array(law.twice_shear, dtype=wp.float64, device=device)
        self._bulk = wp.array(law.bulk, dtype=wp.float64, device=device)
        self._weight = mesh.spacing_mm**3 / 8
        self._plastic = wp.zeros((8, mesh.n_elements), dtype=kernels.vec6f, device=device)
        self._corner_forces = wp.zeros((8, mesh.n_elements), dtype=wp.vec3d, device=device)
        self._forces = wp.zeros(self._n, dtype=wp.vec3d, device=device)

    def set_strength(self, strength: Double) -> None:
        """Yield stress (E,), MPa."""
        self._strength = wp.array(strength, dtype=wp.float64, device=self._device)

    def force(self, u: Double, committing: bool) -> Double:
        """Nodal forces (N, 3) of displacements (N, 3); takes the plastic strain as the new state if asked."""
        there = wp.array(np.ascontiguousarray(u), dtype=wp.vec3d, device=self._device)
        law = (self._law.criterion, int(self._law.bbar), int(committing), wp.float64(self._weight))
        fixed = (self._nodes, self._slopes, self._mean_slope, self._twice_shear, self._bulk, self._strength)
        arguments = (there, *fixed, *law, self._plastic, self._corner_forces)
        wp.launch(kernels.element_forces, self._nodes.shape[1], arguments, device=self._device)
        gathered = (self._corner_forces, self._elements, self._forces)
        wp.launch(kernels.sum_at_nodes, self._n, gathered, device=self._device)
        return np.array(self._forces.numpy(), dtype=np.float64)

    def plastic(self) -> NDArray[np.float32]:
        """Plastic strain so far, (E, 6, 8)."""
        return np.ascontiguousarray(self._plastic.numpy().transpose(1, 2, 0))

    @property
    def nbytes(self) -> int:
        """Bytes on the device."""
        return sum(part.capacity for part in vars(self).values() if isinstance(part, wp.array))


def corner_slopes() -> Double:
    """(8, 8, 3) gradients of the corners' shape functions at the points of the 2 x 2 x 2 rule, for a unit edge."""
    ends = np.array(list(itertools.product((-1.0, 1.0), repeat=3)))
    points = ends / math.sqrt(3.0)
    terms = 1 + points[:, None, :] * ends[None, :, :]
    others = np.stack([terms[..., 1] * terms[..., 2], terms[..., 0] * terms[..., 2], terms[..., 0] * terms[..., 1]], -1)
    return np.asarray(others * ends[None, :, :] / 4)
