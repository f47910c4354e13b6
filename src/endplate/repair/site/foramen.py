"""The basivertebral foramen in the middle of the posterior wall."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.repair.site.cortex import Shell


def foramen(shell: Shell, local: NDArray[np.float64]) -> NDArray[np.int64]:
    """Surface voxels of the foramen's window: about the thinnest place near the middle of the posterior wall."""
    back = shell.outward[:, 1] > FACES_PLATE
    if not back.any():
        return np.empty(0, np.int64)
    middle = local[back].mean(axis=0)[[0, 2]]
    middle[0] = (local[:, 0].min() + local[:, 0].max()) / 2
    beside = local[:, [0, 2]] - middle
    near = back & (np.hypot(*beside.T) <= FORAMEN_SEARCH_MM)
    if near.any():
        # Weighted by how much thinner the shell is than the thickest there, so that noise does not decide.
        thin = shell.excess[near].max() - shell.excess[near] + 1e-6
        middle = np.average(local[near][:, [0, 2]], axis=0, weights=thin**2)
    offset = (local[:, [0, 2]] - middle) / (np.array([FORAMEN_MM, FORAMEN_HIGH_MM]) / 2)
    return np.flatnonzero(back & (np.hypot(*offset.T) <= 1))


FORAMEN_MM = cited(8.0, "mm", "own choice: the basivertebral foramen, 6-10 mm wide, is always open", "design")


FORAMEN_HIGH_MM = cited(6.0, "mm", "A foramen is wider than high; own choice, the source gives its width", "design")


FORAMEN_SEARCH_MM = cited(4.0, "mm", "The foramen lies this near the middle of the posterior wall", "design")


FACES_PLATE = cited(0.7, "1", "own choice: cosine of 45 degrees; steeper surface belongs to the walls", "design")
