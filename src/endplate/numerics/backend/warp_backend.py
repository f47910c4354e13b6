"""Warp's devices: a graphics card by CUDA, or this processor, on which the tests run the same kernels."""

from __future__ import annotations

from typing import Any

import numpy as np
import warp as wp
from numpy.typing import NDArray

from endplate.numerics.backend.warp_elastic import WarpElastic
from endplate.numerics.backend.warp_yielding import WarpYielding
from endplate.numerics.interface import Elastic, PlasticLaw, Yielding
from endplate.numerics.multigrid.cycle import Multigrid
from endplate.numerics.voxel.mesh import VoxelMesh
from endplate.numerics.voxel.operator import ElasticOperator

wp.config.log_level = wp.LOG_ERROR  # only the command line writes to the terminal


class WarpBackend:
    """Warp's kernels behind the interface.

    Parameters
    ----------
    device : "cuda" for the first card, "cpu" for this processor.
    """

    def __init__(self, device: str) -> None:
        self.name = device
        self._device: Any = wp.get_device(device)

    @property
    def description(self) -> str:
        """The card's own name and the version of Warp."""
        return f"{self._device.name}, Warp {wp.__version__}"

    def elastic(self, operator: ElasticOperator, multigrid: Multigrid, free: NDArray[np.bool_]) -> Elastic:
        """An elastic body, from what was set up on the processor."""
        return WarpElastic(operator, multigrid, free, self._device)

    def yielding(self, mesh: VoxelMesh, law: PlasticLaw) -> Yielding:
        """Yielding voxels without plastic strain."""
        return WarpYielding(mesh, law, self._device)


def cards() -> list[str]:
    """Names of the graphics cards that CUDA finds."""
    return [device.name for device in wp.get_cuda_devices()]
