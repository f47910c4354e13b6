"""What springs add to the elastic answer: a correction of low rank, since a spring resists its points as one piece.

Without it a stiff spring on soft bone would throw the iteration to and fro. Only the motions of a plate along each axis
of the spring (shift and two tilts) are corrected; how the points move against each other is left to the iteration.

A spring softer than the body needs no correction: the iteration itself takes a few motions that are off by less than
twofold. As the answers cost more than all else in a step, they are found anew only every few steps.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from endplate.numerics.mpm.domain import Domain
from endplate.numerics.mpm.load import Spring

Double = NDArray[np.float64]

WEAK = 1.0
"""Of the body's own stiffness: springs below it are left to the iteration."""

LASTING = 4
"""Steps for which the answers of the body serve; it changes little in them, and they only guide the iteration."""


class SpringModes:
    """The plate motions that springs resist, on the nodes of a domain.

    Parameters
    ----------
    springs : may be none. position : (n, 3) mm of all points. free : (N, 3) components that may move.
    """

    def __init__(self, domain: Domain, springs: tuple[Spring, ...], position: Double, free: NDArray[np.bool_]) -> None:
        patterns: list[Double] = []
        blocks: list[Double] = []
        for spring in springs:
            at = position[spring.points]
            for axis, stiffness in enumerate(spring.stiffness_n_per_mm):
                if stiffness > 0:
                    shapes = _plate(at, axis)
                    for shape in shapes.T:
                        values = np.zeros_like(at)
                        values[:, axis] = shape
                        patterns.append(np.where(free, domain.grid.sum(at, values)[domain.nodes], 0.0))
                    blocks.append(shapes.T @ shapes * (at.shape[0] / stiffness))
        self.springs, self.steps, self.asked = springs, 0, False
        self._mesh, self._free = domain.mesh, free
        self._patterns = np.array(patterns)
        self._flexibility = np.zeros((len(patterns), len(patterns)))
        for i, block in enumerate(blocks):
            self._flexibility[3 * i : 3 * i + 3, 3 * i : 3 * i + 3] = block
        self._answers = self._patterns

    def serve(self, domain: Domain, springs: tuple[Spring, ...], free: NDArray[np.bool_]) -> bool:
        """Whether these answers still do for a step."""
        same = domain.mesh is self._mesh and springs == self.springs
        return same and self.steps < LASTING and np.array_equal(free, self._free)

    def ask(self, solve: Callable[[Double], Double]) -> None:
        """Take the answers of the body as it is now, unless they were taken."""
        if self.asked:
            return
        self.asked = True
        if self._patterns.size:
            self._answers = np.array([solve(p) for p in self._patterns])
            gain = np.einsum("bij,cij->bc", self._patterns, self._answers)
            gain = 0.5 * (gain + gain.T)
            self._inner = np.linalg.inv(self._flexibility + gain)
            if np.linalg.eigvals(np.linalg.solve(self._flexibility, gain)).real.max() < WEAK:
                self._patterns = np.zeros(0)

    def correct(self, answer: Double) -> Double:
        """The answer (N, 3) of body and springs together, from that of the body alone (Woodbury)."""
        if not self._patterns.size:
            return answer
        felt = np.einsum("bij,ij->b", self._patterns, answer)
        return np.asarray(answer - np.tensordot(self._inner @ felt, self._answers, axes=1))


def _plate(at: Double, axis: int) -> Double:
    """(m, 3) shift and two tilts of a plate across `axis`, at points (m, 3) mm."""
    across = np.delete(at - at.mean(axis=0), axis, axis=1)
    size = max(float(np.abs(across).max()), 1e-9)
    return np.column_stack([np.ones(at.shape[0]), across / size])
