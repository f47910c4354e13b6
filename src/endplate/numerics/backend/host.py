"""The processor: numba's kernels."""

from __future__ import annotations

import platform

import numpy as np
from numpy.typing import NDArray

from endplate.numerics.host_elastic import HostElastic
from endplate.numerics.interface import Elastic, PlasticLaw, Yielding
from endplate.numerics.multigrid.cycle import Multigrid
from endplate.numerics.plasticity.host_yielding import HostYielding
from endplate.numerics.voxel.mesh import VoxelMesh
from endplate.numerics.voxel.operator import ElasticOperator


class HostBackend:
    """The processor's kernels behind the interface."""

    name = "cpu"

    @property
    def description(self) -> str:
        """The architecture."""
        return platform.machine()

    def elastic(self, operator: ElasticOperator, multigrid: Multigrid, free: NDArray[np.bool_]) -> Elastic:
        """An elastic body, from what was set up."""
        return HostElastic(operator, multigrid, free)

    def yielding(self, mesh: VoxelMesh, law: PlasticLaw) -> Yielding:
        """Yielding voxels without plastic strain."""
        return HostYielding(mesh, law)
