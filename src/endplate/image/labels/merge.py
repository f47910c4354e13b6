"""One label map from one mask a level: a rim that two masks share is kept once, the same bone twice is refused."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.errors import LabelError
from endplate.image.volume import Grid
from endplate.level import Level

MAX_OVERLAP = cited(
    0.05, "1", "touching masks share a rim of voxels after resampling; more means the same bone twice", "design"
)


class Merged:
    """A label map that grows mask by mask; the first level keeps a voxel that two claim.

    Attributes
    ----------
    labels : (I, J, K) uint16, VerSe numbers. notes : what has to be said about the masks.
    """

    def __init__(self, grid: Grid, notes: tuple[str, ...] = ()) -> None:
        self.grid, self.labels, self.notes = grid, np.zeros(grid.shape, np.uint16), list(notes)

    def add(self, level: Level, mask: NDArray[np.bool_], name: str) -> None:
        """Add the mask (I, J, K) of a level.

        Raises
        ------
        LabelError : it covers more of another vertebra than a shared rim.
        """
        shared = int(np.count_nonzero(self.labels[mask]))
        size = int(np.count_nonzero(mask))
        if shared > float(MAX_OVERLAP) * size:
            raise LabelError(
                f"{name} covers {shared} voxels of another vertebra, {100 * shared / size:.0f} % of its own",
                "the same bone has two names",
                "correct the masks",
            )
        if shared:
            self.notes.append(f"{shared} voxels of {level} were also claimed by another level, which keeps them")
        self.labels[mask & (self.labels == 0)] = level.verse_id
