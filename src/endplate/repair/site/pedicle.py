"""Where the pedicles meet the body: no cortex to keep clear of, and no way out for a balloon."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.repair.site.bone import Bone, inside_body

SLIPS = "balloon slips back into the pedicle"


def outer_wall(bone: Bone, touching: NDArray[np.bool_] | None = None) -> NDArray[np.bool_]:
    """(I, J, K) outermost voxels of the body, without those that the arch covers: the needles came in there.

    Parameters
    ----------
    touching : (3, 3, 3) which neighbours count; those across faces where absent.
    """
    body = np.asarray(inside_body(bone.field) >= 0.5)
    return np.asarray(body & ~ndimage.binary_erosion(body | arch_of(bone), touching))


def cortex_mm(bone: Bone) -> NDArray[np.float64]:
    """Points (n, 3) of the outer surface of the body, model mm: front, sides and back, not endplates, not pedicles.

    Four to a face of a voxel, so that a distance to them does not depend on where in a voxel it is taken.
    """
    edge_mm = float(bone.field.grid.spacing_mm[0])
    body = np.asarray(inside_body(bone.field) >= 0.5)
    beyond = ~(body | arch_of(bone))
    found = []
    for axis, side in ((0, 1), (0, -1), (1, 1), (1, -1)):
        outside = np.roll(beyond, -side, axis=axis)
        centre = (np.argwhere(body & outside) + 0.5) * edge_mm
        centre[:, axis] += side * edge_mm / 2
        for first, second in ((1, 1), (1, -1), (-1, 1), (-1, -1)):
            shift = np.zeros(3)
            shift[1 - axis], shift[2] = first * edge_mm / 4, second * edge_mm / 4
            found.append(centre + shift)
    return np.concatenate(found)


def arch_of(bone: Bone) -> NDArray[np.bool_]:
    """(I, J, K) voxels of arch and processes."""
    return np.asarray((inside_body(bone.field) < 0.5) & (np.clip(bone.field.fill, 0, 1) >= 0.5))


def in_arch(arch: NDArray[np.bool_], places_mm: NDArray[np.float64], edge_mm: float) -> NDArray[np.bool_]:
    """Which places (n, 3), model mm, lie in the arch (I, J, K); none beyond the grid does."""
    at = np.floor(places_mm / edge_mm).astype(int)
    held = ((at >= 0) & (at < arch.shape)).all(axis=1)
    found = np.zeros(len(at), bool)
    found[held] = arch[tuple(at[held].T)]
    return found
