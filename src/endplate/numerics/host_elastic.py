"""An elastic body on the processor: the kernels of operator and hierarchy as they are."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from endplate.numerics.krylov import HostSystem, masked_norm
from endplate.numerics.multigrid.cycle import Multigrid
from endplate.numerics.voxel.operator import ElasticOperator

Double = NDArray[np.float64]


class HostElastic(HostSystem):
    """What the interface asks of a device, where the device is this processor; vectors are arrays (3, N).

    Parameters
    ----------
    operator : the stiffness. multigrid : its preconditioner. free : (3, N) where displacement is unknown.
    """

    def __init__(self, operator: ElasticOperator, multigrid: Multigrid, free: NDArray[np.bool_]) -> None:
        super().__init__(operator.add, multigrid.cycle, free)
        self._multigrid = multigrid

    def put(self, rows: Double) -> Double:
        """The array itself."""
        return rows

    def get(self, vector: NDArray[np.floating]) -> Double:
        """The array in double precision."""
        return np.asarray(vector, dtype=np.float64)

    def copy(self, vector: Double) -> Double:
        """Another array with the same values."""
        return vector.copy()

    def correct(self, r: Double) -> NDArray[np.float32]:
        """A lighter cycle, for the corrections of a yielding body."""
        return self._multigrid.correct(r)

    def guess(self, r: Double) -> NDArray[np.float32]:
        """A start for K^-1 r from the coarse levels."""
        return self._multigrid.guess(r)

    def norm(self, r: Double) -> float:
        """Euclidean norm of `r`, which becomes zero where displacement is prescribed."""
        return masked_norm(r, self.free)

    def refresh(self) -> None:
        """Operator and hierarchy hold the moduli themselves."""

    @property
    def nbytes(self) -> int:
        """Nothing beside what operator and hierarchy hold."""
        return 0
