"""Where a needle's line meets the skin, and whether it would cross air on its way (lung, bowel)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.border import PADDING_HU
from endplate.cited import cited
from endplate.image.volume import Volume

AIR_HU = cited(-500.0, "[hnsf'U]", "own limit: half way between air and soft tissue", "design")
STEP_MM = cited(0.5, "mm", "Own choice: half a usual pixel", "design")
AIR_RUN_MM = cited(3.0, "mm", "Own choice: shorter dark runs are noise or a fold of skin", "design")
TISSUE_RUN_MM = cited(
    8.0, "mm", "Own choice: a chest wall behind air is thicker than this, the shell of a couch thinner", "design"
)
FARTHEST_MM = cited(300.0, "mm", "Own choice: farther from a vertebra than any skin behind it", "design")


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Skin:
    """What the CT shows on the way from the bone outwards.

    `point_mm` (3,) LPS is None with a `reason` where the scan holds no skin there. `air_mm` (3,) is where the line
    crosses air inside the body, else None.
    """

    point_mm: NDArray[np.float64] | None
    reason: str = ""
    air_mm: NDArray[np.float64] | None = None


def find_skin(volume: Volume | None, entry_mm: NDArray[np.float64], outwards: NDArray[np.float64]) -> Skin:
    """The skin on the line from the bone's entry outwards.

    Parameters
    ----------
    entry_mm : (3,) LPS. outwards : (3,) unit vector from the target to the hub.
    """
    if volume is None:
        return Skin(point_mm=None, reason="no CT was given")
    step = STEP_MM
    line = entry_mm + np.arange(step, FARTHEST_MM, step)[:, None] * outwards
    index = volume.grid.to_index(line)
    held = ((index >= 0) & (index <= np.array(volume.grid.shape) - 1)).all(axis=1)
    length = len(line) if held.all() else int(held.argmin())
    hu = _values(volume, index[:length])
    # Padding is one value without noise: not air that the scanner saw.
    padded = hu <= float(np.min(volume.hu)) if float(np.min(volume.hu)) <= PADDING_HU else np.zeros(length, bool)
    air = _runs(hu < AIR_HU, round(AIR_RUN_MM / step))
    tissue = _runs(~air, round(TISSUE_RUN_MM / step))
    if not air.any():
        return Skin(point_mm=None, reason="the scan ends before the skin on this line")
    first = int(air.argmax())
    beyond = tissue.copy()
    beyond[:first] = False
    if beyond.any():
        return Skin(point_mm=None, reason="the line crosses air inside the body", air_mm=line[first])
    if padded[first:].mean() > 0.5:
        return Skin(point_mm=None, reason="the scan's field ends before the skin on this line")
    return Skin(point_mm=line[max(first - 1, 0)])


def _values(volume: Volume, index: NDArray[np.float64]) -> NDArray[np.float64]:
    """Trilinear HU (n,) at fractional indices (n, 3), reading only the voxels about the line."""
    if not len(index):
        return np.zeros(0)
    low = np.floor(index.min(axis=0)).astype(int)
    high = np.ceil(index.max(axis=0)).astype(int) + 1
    block = volume.hu[tuple(slice(a, b) for a, b in zip(low, high, strict=True))]
    return np.asarray(ndimage.map_coordinates(block, (index - low).T, order=1, mode="nearest", output=np.float64))


def _runs(flag: NDArray[np.bool_], least: int) -> NDArray[np.bool_]:
    """The flag where it holds for at least so many samples on end."""
    parts, count = ndimage.label(flag)
    if not count:
        return np.zeros_like(flag)
    sizes = np.bincount(parts)
    sizes[0] = 0
    return np.asarray(sizes[parts] >= least)
