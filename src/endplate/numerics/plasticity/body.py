"""Voxels that yield: their plastic strain so far and the nodal forces that hold them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, DTypeLike, NDArray

from endplate.numerics.interface import Backend, PlasticLaw, Yielding
from endplate.numerics.plasticity.host_yielding import NEVER, HostYielding
from endplate.numerics.plasticity.return_mapping import CODE, Criterion
from endplate.numerics.voxel.mesh import VoxelMesh


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
    backend : Backend, optional
        The device that finds the forces, from `endplate.numerics.backend.choose`; the processor when absent.
    dtype : dtype_like, default float64
        Precision of the processor's strains, stresses and forces.

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
        backend: Backend | None = None,
        dtype: DTypeLike = np.float64,
    ) -> None:
        self.mesh = mesh
        modulus = np.ascontiguousarray(modulus_mpa, dtype=np.float64)
        if modulus.shape != (mesh.n_elements,):
            raise ValueError(f"modulus must be ({mesh.n_elements},)")
        shear, bulk = modulus / (1.0 + poisson), modulus / (3.0 - 6.0 * poisson)
        law = PlasticLaw(shear, bulk, CODE[criterion], element == "bbar", dtype)
        build = HostYielding if backend is None else backend.yielding
        self._yielding: Yielding = build(mesh, law)
        self.set_yield_stress(yield_mpa)

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
        self._yielding.set_strength(strength)

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
        return self._yielding.plastic()

    def equivalent_plastic_strain(self) -> NDArray[np.float32]:
        """Mean over the Gauss points of sqrt(2/3 e:e) of the plastic strain e.

        Returns
        -------
        ndarray of float32, shape (E,)
            Strain of each element, a pure number.
        """
        e = self.plastic
        square = (e[:, :3] ** 2).sum(axis=1) + 2 * (e[:, 3:] ** 2).sum(axis=1)
        return np.asarray(np.sqrt(2 / 3 * square).mean(axis=1))

    @property
    def nbytes(self) -> int:
        """Bytes of state and properties, without the mesh."""
        return self._yielding.nbytes

    def _force(self, displacement_mm: NDArray[np.float64], committing: bool) -> NDArray[np.float64]:
        return self._yielding.force(np.asarray(displacement_mm, dtype=np.float64), committing)
