"""Yielding voxels on the processor: properties and plastic strain in the lanes of the compiled kernels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from endplate.numerics.interface import PlasticLaw
from endplate.numerics.plasticity.lane_kernels import planes
from endplate.numerics.threads import run_planes
from endplate.numerics.voxel.mesh import VoxelMesh
from endplate.numerics.voxel.simd_batches import PARALLEL_FROM, WIDTH, Lanes, lane_modulus, pack_planes

NEVER = 1e30
"""Yield stress of what never yields, MPa: finite, so that its square is too."""

Double = NDArray[np.float64]


class HostYielding:
    """What the interface asks of yielding voxels, where the device is this processor."""

    def __init__(self, mesh: VoxelMesh, law: PlasticLaw) -> None:
        self._n_elements, self._parallel, self._dtype = (
            mesh.n_elements,
            mesh.n_nodes >= PARALLEL_FROM,
            np.dtype(law.dtype),
        )
        self._lanes = pack_planes(mesh)
        self._twice_shear = _spread(self._lanes, law.twice_shear, 0.0).astype(law.dtype)
        self._bulk = _spread(self._lanes, law.bulk, 0.0).astype(law.dtype)
        self._law = (float(mesh.spacing_mm), law.criterion, law.bbar)
        self._plastic = np.zeros((self._lanes.n_batches, 8, 6, WIDTH), dtype=np.float32)

    def set_strength(self, strength: Double) -> None:
        """Yield stress (E,), MPa."""
        self._strength = _spread(self._lanes, strength, NEVER).astype(self._dtype)

    def force(self, u: Double, committing: bool) -> Double:
        """Nodal forces (N, 3) of displacements (N, 3); takes the plastic strain as the new state if asked."""
        rows = np.ascontiguousarray(u.T, dtype=self._dtype)
        out, p = np.zeros_like(rows), self._lanes
        properties = (self._twice_shear, self._bulk, self._strength)
        lanes = (p.node, p.length, p.lane, p.batch, p.chunk)
        fixed = (rows, out, lanes, properties, self._law, self._plastic, committing)
        run_planes(lambda first, last: planes(first, last, 2, *fixed), p.chunk, self._parallel)
        return out.astype(np.float64, copy=False).T

    def plastic(self) -> NDArray[np.float32]:
        """Plastic strain so far, (E, 6, 8)."""
        place = self._places()
        return np.ascontiguousarray(self._plastic[place // WIDTH, :, :, place % WIDTH].transpose(0, 2, 1))

    @property
    def nbytes(self) -> int:
        """Bytes of state and properties."""
        parts = (self._plastic, self._twice_shear, self._bulk, self._strength, self._lanes)
        return sum(part.nbytes for part in parts)

    def _places(self) -> NDArray[np.int64]:
        """Place of each element among all lanes."""
        p = self._lanes
        batch = np.repeat(np.arange(p.n_batches), np.diff(p.batch))
        first = batch * WIDTH + p.lane
        step = np.arange(p.length.sum()) - np.repeat(np.cumsum(p.length) - p.length, p.length)
        out = np.empty(self._n_elements, dtype=np.int64)
        out[np.repeat(p.element, p.length) + step] = np.repeat(first, p.length) + step
        return out


def _spread(lanes: Lanes, per_element: Double, empty: float) -> Double:
    """One value per element over (B, WIDTH) lanes; lanes without an element get `empty`."""
    out = np.empty((lanes.n_batches, WIDTH))
    lane_modulus(per_element, lanes.element, lanes.length, lanes.lane, lanes.batch, out)
    taken = np.empty_like(out)
    lane_modulus(np.ones_like(per_element), lanes.element, lanes.length, lanes.lane, lanes.batch, taken)
    out[taken == 0] = empty
    return out
