"""Are the labels mirrored against the CT or against the patient?"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.cited import cited
from endplate.finding import Caution, Gap
from endplate.image.border import find_misfit
from endplate.image.volume import LabelMap, Volume
from endplate.level import Level

BONE_EDGE_HU = cited(
    40,
    "[hnsf'U]",
    "Own choice: bone inside the label is at least this much brighter than what lies around it",
    "design",
)
FLIP_GAIN_HU = cited(
    60, "[hnsf'U]", "Own choice: a mirror image must fit the bone this much better before it is called a flip", "design"
)
DARKEST_HU = cited(-200, "[hnsf'U]", "Own choice: air counts no more than fat", "design")
BRIGHTEST_HU = cited(600, "[hnsf'U]", "Own choice: metal counts no more than cortex", "design")
THINNING_MM = cited(2, "mm", "Own choice: sampling distance for the comparison", "design")
AROUND_MM = cited(6, "mm", "Own choice: how far around the labels the surroundings are looked at", "design")


def check_flips(labels: LabelMap, volume: Volume | None) -> tuple[list[Caution], list[Gap]]:
    """Cautions and gaps when labels fit the CT's bone better as a mirror image or moved aside, or fit no bone at all.

    Parameters
    ----------
    labels, volume : on the same grid. Without a CT nothing can be said here; the front-back test on the shape of
        the vertebrae is `check_facing`.
    """
    if volume is None or not labels.grid.matches(volume.grid):
        return [], []
    as_given = bone_contrast(labels, volume, ())
    mirrored = {axis: bone_contrast(labels, volume, (axis,)) for axis in (0, 1, 2)}
    axis, best = max(mirrored.items(), key=lambda item: item[1])
    if best > as_given + FLIP_GAIN_HU and best > BONE_EDGE_HU:
        code = ("left_right_flip", "front_back_flip", "head_foot_flip")[axis]
        text = f"the labels fit the bone of the CT better as a mirror image ({best:.0f} HU against {as_given:.0f} HU)"
        return [Caution(code=code, text=text)], [Gap(code="vertebra", reason=text)]
    if as_given < BONE_EDGE_HU:
        text = f"what is labelled is hardly brighter than its surroundings ({as_given:.0f} HU)"
        return [Caution(code="labels_off_bone", text=text)], [Gap(code="vertebra", reason=text)]
    misfit = find_misfit(volume, labels)
    if misfit is not None:
        text = misfit.sentence()
        return [Caution(code="labels_off_bone", text=text)], [Gap(code="vertebra", reason=text)]
    return [], []


def bone_contrast(labels: LabelMap, volume: Volume, flipped: tuple[int, ...]) -> float:
    """Mean HU within the labels less that just around them, the labels mirrored about axes of the grid."""
    step = np.maximum(np.rint(THINNING_MM / labels.grid.spacing_mm), 1).astype(int)
    thin = tuple(slice(None, None, int(n)) for n in step)
    mask = np.flip(labels.labels[thin] > 0, flipped)
    hu = np.clip(volume.hu[thin], DARKEST_HU, BRIGHTEST_HU)
    return float(hu[mask].mean() - hu[_around(mask)].mean()) if mask.any() else 0.0


def _around(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    steps = max(1, round(AROUND_MM / THINNING_MM))
    near = ndimage.binary_dilation(mask, iterations=1)
    return np.asarray(ndimage.binary_dilation(mask, iterations=steps) & ~near)


def check_facing(level: Level, axes: NDArray[np.float64]) -> list[Caution]:
    """Cautions when a body lies behind its canal, or its head end points to the feet, by the image's own axes.

    Parameters
    ----------
    axes : (3, 3) rows right, anterior, superior of the vertebra in LPS, found from its shape and neighbours.
    """
    cautions = []
    if axes[1, 1] > 0:
        text = (
            f"by the image's axes the body of {level} lies behind its canal: sides or front and back may be exchanged"
        )
        cautions.append(Caution(code="front_back_flip", level=level, text=text))
    if axes[2, 2] < 0:
        text = f"by the image's axes the levels run from foot to head at {level}"
        cautions.append(Caution(code="head_foot_flip", level=level, text=text))
    return cautions
