"""Voxels that yield: their plastic strain so far and the nodal forces that hold them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from endplate.numerics.plasticity.lane_kernels import all_planes
from endplate.numerics.plasticity.return_mapping import CODE, Criterion
from endplate.numerics.voxel.mesh import VoxelMesh
from endplate.numerics.voxel.simd_batches import WIDTH, Lanes, lane_modulus, pack_planes

NEVER = 1e30
"""Yield stress of what never yields, MPa: finite, so that its square is too."""


class PlasticBody:
    """Elastic-perfectly plastic voxels and their plastic strain so far.

    Parameters
    ----------
    mesh : VoxelMesh
        The voxels.
    modulus_mpa : array_like, shape (E,)
        Young's modulus of each element, MPa.
    yield_mpa : array_like, shape (E,)
        Yield stress of each element, MPa; infinite where an element never yields.
    poisson : float
        Poisson's ratio, the same everywhere.
    criterion : {"tresca", "von_mises"}, default "tresca"
        Yield criterion.
    element : {"bbar", "full"}, default "bbar"
        Mean dilatation, free of volumetric locking, or full integration; both have 2 x 2 x 2 points.

    Raises
    ------
    ValueError
        Moduli or yield stresses of the wrong shape.
    """

    def __init__(
        self,
        mesh: VoxelMesh,
        modulus_mpa: ArrayLike,
        yield_mpa: ArrayLike,
        poisson: float,
        criterion: Criterion = "tresca",
        element: str = "bbar",
    ) -> None:
        self.mesh = mesh
        modulus = np.ascontiguousarray(modulus_mpa, dtype=np.float64)
        if modulus.shape != (mesh.n_elements,):
            raise ValueError(f"modulus must be ({mesh.n_elements},)")
        self._lanes = pack_planes(mesh)
        self._twice_shear = _spread(self._lanes, modulus / (1.0 + poisson), 0.0)
        self._bulk = _spread(self._lanes, modulus / (3.0 - 6.0 * poisson), 0.0)
        self.set_yield_stress(yield_mpa)
        self._law = (float(mesh.spacing_mm), CODE[criterion], element == "bbar")
        self._plastic = np.zeros((self._lanes.n_batches, 8, 6, WIDTH), dtype=np.float32)

    def set_yield_stress(self, yield_mpa: ArrayLike) -> None:
        """Take new yield stresses; the plastic strain so far stays.

        Parameters
        ----------
        yield_mpa : array_like, shape (E,)
            Yield stress of each element, MPa; infinite where an element never yields.

        Raises
        ------
        ValueError
            Yield stresses of the wrong shape.
        """
        strength = np.ascontiguousarray(np.minimum(yield_mpa, NEVER), dtype=np.float64)
        if strength.shape != (self.mesh.n_elements,):
            raise ValueError(f"yield stress must be ({self.mesh.n_elements},)")
        self._strength = _spread(self._lanes, strength, NEVER)

    def internal_force(self, displacement_mm: NDArray[np.float64]) -> NDArray[np.float64]:
        """Nodal forces that hold displacements, from the last committed state.

        Parameters
        ----------
        displacement_mm : ndarray of float64, shape (N, 3)
            Displacements from the unloaded shape, mm.

        Returns
        -------
        ndarray of float64, shape (N, 3)
            Forces, N.
        """
        return self._force(displacement_mm, committing=False)

    def commit(self, displacement_mm: NDArray[np.float64]) -> None:
        """Take the plastic strain of these displacements as the new state.

        Parameters
        ----------
        displacement_mm : ndarray of float64, shape (N, 3)
            Displacements from the unloaded shape, mm.
        """
        self._force(displacement_mm, committing=True)

    @property
    def plastic(self) -> NDArray[np.float32]:
        """Plastic strain so far, (E, 6, 8): components xx, yy, zz, yz, xz, xy at eight Gauss points."""
        place = self._places()
        return np.ascontiguousarray(self._plastic[place // WIDTH, :, :, place % WIDTH].transpose(0, 2, 1))

    def equivalent_plastic_strain(self) -> NDArray[np.float32]:
        """Mean over the Gauss points of sqrt(2/3 e:e) of the plastic strain e.

        Returns
        -------
        ndarray of float32, shape (E,)
            Strain of each element, a pure number.
        """
        square = (self._plastic[:, :, :3] ** 2).sum(axis=2) + 2 * (self._plastic[:, :, 3:] ** 2).sum(axis=2)
        return np.asarray(np.sqrt(2 / 3 * square).mean(axis=1).reshape(-1)[self._places()])

    @property
    def nbytes(self) -> int:
        """Bytes of state and properties, without the mesh."""
        parts = (self._plastic, self._twice_shear, self._bulk, self._strength, self._lanes)
        return sum(part.nbytes for part in parts)

    def _places(self) -> NDArray[np.int64]:
        """Place of each element among all lanes."""
        p = self._lanes
        batch = np.repeat(np.arange(p.n_batches), np.diff(p.batch))
        first = batch * WIDTH + p.lane
        step = np.arange(p.length.sum()) - np.repeat(np.cumsum(p.length) - p.length, p.length)
        out = np.empty(self.mesh.n_elements, dtype=np.int64)
        out[np.repeat(p.element, p.length) + step] = np.repeat(first, p.length) + step
        return out

    def _force(self, displacement_mm: NDArray[np.float64], committing: bool) -> NDArray[np.float64]:
        u = np.ascontiguousarray(np.asarray(displacement_mm, dtype=np.float64).T)
        out, p = np.zeros_like(u), self._lanes
        properties = (self._twice_shear, self._bulk, self._strength)
        lanes = (p.node, p.length, p.lane, p.batch, p.chunk)
        all_planes(u, out, lanes, properties, self._law, self._plastic, committing)
        return np.ascontiguousarray(out.T)


def _spread(lanes: Lanes, per_element: NDArray[np.float64], empty: float) -> NDArray[np.float64]:
    """One value per element over (B, WIDTH) lanes; lanes without an element get `empty`."""
    out = np.empty((lanes.n_batches, WIDTH))
    lane_modulus(per_element, lanes.element, lanes.length, lanes.lane, lanes.batch, out)
    taken = np.empty_like(out)
    lane_modulus(np.ones_like(per_element), lanes.element, lanes.length, lanes.lane, lanes.batch, taken)
    out[taken == 0] = empty
    return out
