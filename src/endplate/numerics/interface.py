"""What the solvers ask of a device: one interface, met by the processor (numba) and by a graphics card (Warp).

Vectors are whatever the device keeps them in, so algorithms (conjugate gradients, the multigrid cycle, the load path)
are written once and never look inside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import DTypeLike, NDArray

from endplate.numerics.krylov import System, Vector
from endplate.numerics.multigrid.cycle import Multigrid
from endplate.numerics.voxel.mesh import VoxelMesh
from endplate.numerics.voxel.operator import ElasticOperator

Double = NDArray[np.float64]

Device = Literal["cpu", "cuda"]
"""Where linear solves and yielding voxels are computed."""


class Elastic(System, Protocol):
    """An elastic body on a device: what conjugate gradients ask of it, and the way there and back."""

    def put(self, rows: Double) -> Vector:
        """(3, N) on the host as a vector of the device; the processor takes the array itself."""

    def get(self, vector: Vector) -> Double:
        """A vector of either precision as (3, N) on the host."""

    def copy(self, vector: Vector) -> Vector:
        """Another vector with the same values, in double precision."""

    def correct(self, r: Vector) -> Vector:
        """A lighter cycle, for a yielding body, in single precision; overwritten by the next call."""

    def guess(self, r: Vector) -> Vector:
        """A start for K^-1 r from the coarse levels, in single precision; overwritten by the next call."""

    def norm(self, r: Vector) -> float:
        """Euclidean norm of `r`, which becomes zero where displacement is prescribed."""

    def refresh(self) -> None:
        """Take the moduli that operator and hierarchy on the host hold by now."""

    @property
    def nbytes(self) -> int:
        """Bytes on the device beyond what the host holds."""


class Yielding(Protocol):
    """Yielding voxels on a device: plastic strain and the nodal forces that it leaves."""

    def set_strength(self, strength: Double) -> None:
        """Yield stress (E,), MPa."""

    def force(self, u: Double, committing: bool) -> Double:
        """Nodal forces (N, 3), N, of displacements (N, 3), mm; takes the plastic strain as the new state if asked."""

    def plastic(self) -> NDArray[np.float32]:
        """Plastic strain so far, (E, 6, 8): xx, yy, zz, yz, xz, xy at eight Gauss points."""

    @property
    def nbytes(self) -> int:
        """Bytes of state and properties."""


@dataclass(frozen=True, slots=True)
class PlasticLaw:
    """What yielding voxels are made of, as arrays (E,).

    Attributes
    ----------
    twice_shear, bulk : moduli, MPa. criterion : 0 von Mises, 1 Tresca. bbar : mean dilatation.
    dtype : precision in which the processor finds forces; another device has its own.
    """

    twice_shear: Double
    bulk: Double
    criterion: int
    bbar: bool
    dtype: DTypeLike = np.float64


class Backend(Protocol):
    """A device with its kernels; chosen once, by `backend.choose`."""

    name: str
    """As it is asked for: "cpu" or "cuda"."""

    @property
    def description(self) -> str:
        """The device in words, for the provenance."""

    def elastic(self, operator: ElasticOperator, multigrid: Multigrid, free: NDArray[np.bool_]) -> Elastic:
        """An elastic body, from what was set up on the host."""

    def yielding(self, mesh: VoxelMesh, law: PlasticLaw) -> Yielding:
        """Yielding voxels without plastic strain."""
