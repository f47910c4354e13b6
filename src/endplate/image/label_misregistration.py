"""Labels from another scan or coordinate frame are refused: they fit the bone better some way beside their place.

Labels of the same region overlap bone by chance; what gives them away is the border (`find_misfit`). Mirror images are
not judged here: `anatomy` names those as flips.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.cited import cited
from endplate.errors import GridMismatchError
from endplate.image.border import find_misfit
from endplate.image.volume import LabelMap, Volume

STEP_MM = cited(2.0, "mm", "coarse enough for a second on a whole spine", "design")
SHELL_MM = (2.0, 6.0)  # beyond a label's uncertain rim, within the soft tissue around a body
SOFT_HU, BONE_HU = -100, 400  # clipped to these, neither air nor metal decides
REFUSED_MM = cited(
    6.0, "mm", "a quarter of a thoracic body's height; from 3 mm on the label check distrusts the levels", "design"
)
MIRROR_GAIN_HU = cited(
    60.0, "[hnsf'U]", "as in the label check: a mirror image must fit this much better to be one", "design"
)


def check_in_place(volume: Volume, labels: LabelMap) -> None:
    """Refuse labels that fit the bone clearly better when moved by 6 mm or more.

    Parameters
    ----------
    volume, labels : CT and labels on the same grid.

    Raises
    ------
    GridMismatchError : naming the direction and distance that fit better.
    """
    misfit = find_misfit(volume, labels)
    if misfit is None or abs(misfit.move_mm) < REFUSED_MM or _mirrored_fits(volume, labels):
        return
    raise GridMismatchError(
        misfit.sentence(),
        "they belong to another scan or another coordinate frame",
        "give the labels that were made from this CT",
    )


def _mirrored_fits(volume: Volume, labels: LabelMap) -> bool:
    """Whether the labels fit better as a mirror image."""
    hu, mask, step_mm = _coarse(volume, labels)
    inside, shell = _inside_and_shell(mask, step_mm)
    if not len(inside) or not len(shell):
        return False
    shape = np.array(hu.shape)
    mirrored = max(_contrast(hu, *(_mirrored(c, axis, shape) for c in (inside, shell))) for axis in range(3))
    return mirrored > _contrast(hu, inside, shell) + MIRROR_GAIN_HU


def _coarse(volume: Volume, labels: LabelMap) -> tuple[NDArray[Any], NDArray[np.bool_], NDArray[np.float64]]:
    """CT and mask at every n-th voxel, and the distances between those."""
    spacing = volume.grid.spacing_mm
    stride = np.maximum(1, np.rint(STEP_MM / spacing).astype(int))
    every = tuple(slice(None, None, int(n)) for n in stride)
    return np.clip(volume.hu[every], SOFT_HU, BONE_HU), labels.labels[every] > 0, spacing * stride


def _inside_and_shell(
    mask: NDArray[np.bool_], step_mm: NDArray[np.float64]
) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """Indices (n, 3) of labelled voxels and of those 2-6 mm outside."""
    if not mask.any():
        return np.zeros((0, 3), np.intp), np.zeros((0, 3), np.intp)
    margin = np.ceil(SHELL_MM[1] / step_mm).astype(int) + 1
    (box,) = ndimage.find_objects(mask.astype(np.uint8))
    start = [max(0, edge.start - int(m)) for edge, m in zip(box, margin, strict=True)]
    wide = tuple(slice(s, edge.stop + int(m)) for s, edge, m in zip(start, box, margin, strict=True))
    distance = ndimage.distance_transform_edt(~mask[wide], sampling=step_mm)
    shell = (distance > SHELL_MM[0]) & (distance <= SHELL_MM[1])
    return np.argwhere(mask[wide]) + start, np.argwhere(shell) + start


def _mirrored(index: NDArray[np.intp], axis: int, shape: NDArray[np.intp]) -> NDArray[np.intp]:
    mirrored = index.copy()
    mirrored[:, axis] = shape[axis] - 1 - mirrored[:, axis]
    return mirrored


def _contrast(hu: NDArray[Any], inside: NDArray[np.intp], shell: NDArray[np.intp]) -> float:
    """Mean inside above mean of the shell, HU; what falls outside the scan is left out."""
    means = []
    for index in (inside, shell):
        within = index[((index >= 0) & (index < hu.shape)).all(axis=1)]
        if not len(within):
            return float("-inf")
        means.append(float(hu[tuple(within.T)].mean()))
    return means[0] - means[1]
