"""Do the labels sit on the bone, or some way beside it? The labels are tried a little to every side.

Labels from another scan of the same region overlap bone by chance; what gives them away is that they fit better
somewhere else. Mirror images are not judged here: `anatomy` names those as flips.
"""

from __future__ import annotations

from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.cited import cited
from endplate.errors import GridMismatchError
from endplate.image.volume import LabelMap, Volume

TRIED_MM = (6.0, 12.0)  # a quarter and half of a thoracic body's height
STEP_MM = cited(
    2.0, "mm", "coarse enough for a second on a whole spine, finer than the shifts that are tried", "design"
)
SHELL_MM = (2.0, 6.0)  # beyond a label's uncertain rim, within the soft tissue around a body
SOFT_HU, BONE_HU = -100, 400  # clipped to these, neither air nor metal decides
GAIN_HU = cited(
    50.0,
    "[hnsf'U]",
    "measured on verse014 and tptbox-l3: true, eroded, dilated and 200-HU weaker labels never gain it by a shift, "
    "labels 6 mm off gain 45-150",
    "design",
)
GAIN_RATIO = cited(1.5, "1", "measured as above: at most 1.2 for labels in place", "design")
CONVINCING_HU = cited(60.0, "[hnsf'U]", "contrast of weak bone against its surround, measured as above", "design")

_SIDES = ("left", "back", "head"), ("right", "front", "foot")


def check_in_place(volume: Volume, labels: LabelMap) -> None:
    """Refuse labels that fit the bone clearly better when moved.

    Parameters
    ----------
    volume, labels : CT and labels on the same grid.

    Raises
    ------
    GridMismatchError : naming the direction and distance that fit better.
    """
    hu, mask, step_mm = _coarse(volume, labels)
    inside, shell = _inside_and_shell(mask, step_mm)
    if not len(inside) or not len(shell):
        return
    here = _contrast(hu, inside, shell)
    moves = {
        (axis, sign * distance): _contrast(
            hu, *(_moved(c, axis, sign * distance / step_mm[axis]) for c in (inside, shell))
        )
        for axis, sign, distance in product(range(3), (1, -1), TRIED_MM)
    }
    (axis, move_mm), best = max(moves.items(), key=lambda item: item[1])
    if best < max(float(CONVINCING_HU), here + float(GAIN_HU), here * float(GAIN_RATIO)):
        return
    shape = np.array(hu.shape)
    if max(_contrast(hu, *(_mirrored(c, a, shape) for c in (inside, shell))) for a in range(3)) > best:
        return
    raise GridMismatchError(
        f"the labels fit the bone better when moved {abs(move_mm):g} mm to the {_SIDES[move_mm < 0][axis]} "
        f"(contrast {best:.0f} HU instead of {here:.0f})",
        "they belong to another scan or another coordinate frame",
        "give the labels that were made from this CT",
    )


def _coarse(volume: Volume, labels: LabelMap) -> tuple[NDArray[Any], NDArray[np.bool_], NDArray[np.float64]]:
    """CT and mask at every n-th voxel, and the distances between those."""
    spacing = volume.grid.spacing_mm
    stride = np.maximum(1, np.rint(float(STEP_MM) / spacing).astype(int))
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


def _moved(index: NDArray[np.intp], axis: int, voxels: float) -> NDArray[np.intp]:
    moved = index.copy()
    moved[:, axis] += round(voxels)
    return moved


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
