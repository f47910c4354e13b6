"""Labels that end within a body while the CT shows the bone going on: no endplate where the label ends, one beyond.

At an endplate the CT falls from bright bone to disc within some millimetres. Where a label ends in mid-body there is no
such fall; it comes further on, before the next label begins.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.vertebra import Endplate, Vertebra
from endplate.cited import cited
from endplate.finding import Caution, Gap
from endplate.image.volume import LabelMap, Volume

NEAR_MM = cited(3, "mm", "Own choice: labels in place end within two voxels of a usual scan of the endplate", "design")
BEYOND_MM = cited(20, "mm", "Own choice: what is missing of a body and the disc behind it lie within this", "design")
WIDTH_MM = cited(2, "mm", "Own choice: HU are averaged over this on either side of a fall", "design")
THICK_NEAR = cited(1, "1", "Own choice: a fall is smeared over the slice it lies in", "design")
AT_MOST = cited(
    0.25, "1", "Own choice: of the usual fall at this patient's other endplates; sound ones show over half", "design"
)
AT_LEAST = cited(
    0.15,
    "1",
    "Own choice: of the usual fall; where a label's end waves or leans, the fall beyond is smeared",
    "design",
)
CLEAR_HU = cited(25.0, "[hnsf'U]", "Own choice: noise of medians over an endplate is below 20 HU", "design")
THICKEST_MM = cited(
    3.5, "mm", "own study: sound endplates of digital spines fall by half at 3 mm slices, by a tenth at 5 mm", "design"
)
SEEN_SHARE = cited(0.5, "1", "Own choice: of the columns must lie in the scan and in no other label", "design")
STEP_MM = 0.5
INSIDE_MM = cited(6.0, "mm", "Own choice: deep enough inside to be clear of the endplate", "design")

Side = Literal["above", "below"]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Fall:
    """How far HU fall at a label's end, and how far at most beyond it and where; None where nothing is seen there."""

    here_hu: float
    beyond_hu: float | None
    beyond_mm: float


def check_unlabelled_bone(
    vertebrae: Sequence[Vertebra], labels: LabelMap, volume: Volume | None
) -> tuple[list[Caution], list[Gap]]:
    """Cautions and gaps for labels that end within a body which the CT shows to go on.

    Parameters
    ----------
    vertebrae : located, with the endplates of their labels. labels : all labels. volume : the CT; None says nothing.
    """
    if volume is None or not labels.grid.matches(volume.grid):
        return [], []
    falls: dict[tuple[int, Side], _Fall] = {}
    for place, vertebra in enumerate(vertebrae):
        sides: tuple[tuple[Side, Endplate | None], ...] = (("above", vertebra.superior), ("below", vertebra.inferior))
        for side, plate in sides:
            fall = None if plate is None else _fall(vertebra, plate, side, labels, volume)
            if fall is not None:
                falls[place, side] = fall
    if not falls:
        return [], []
    usual = float(np.median([fall.here_hu for fall in falls.values()]))
    cautions, gaps = [], []
    for (place, side), fall in falls.items():
        if not goes_on(fall.here_hu, fall.beyond_hu, usual):
            continue
        level = vertebrae[place].level
        text = (
            f"the label of {level} ends {side} where the CT shows no endplate (HU fall by {max(fall.here_hu, 0):.0f}, "
            f"usually by {usual:.0f}); the bone goes on for about {fall.beyond_mm:.0f} mm"
        )
        cautions.append(Caution(code="label_cut", level=level, text=text))
        gaps.append(Gap(code="vertebra", level=level, reason=text))
    return cautions, gaps


def goes_on(here_hu: float, beyond_hu: float | None, usual_hu: float) -> bool:
    """Whether bone goes on beyond a label: no fall of HU at its end, and a clear one further on.

    Parameters
    ----------
    here_hu : greatest fall at the label's end. beyond_hu : the one beyond, None where it is not seen.
    usual_hu : median fall at this patient's endplates.
    """
    if beyond_hu is None:
        return False
    clear = max(float(AT_LEAST) * usual_hu, float(CLEAR_HU), 2 * here_hu)
    return here_hu <= float(AT_MOST) * usual_hu and beyond_hu >= clear


def _fall(vertebra: Vertebra, plate: Endplate, side: Side, labels: LabelMap, volume: Volume) -> _Fall | None:
    """Greatest fall of HU over 2 mm near a label's end, and beyond it."""
    out = 1 if side == "above" else -1
    edge = float(vertebra.grid.spacing_mm[vertebra.axis_along])
    if edge > float(THICKEST_MM):
        return None
    half = float(WIDTH_MM) + edge / 2
    near = float(NEAR_MM) + float(THICK_NEAR) * max(edge - 1.0, 0.0)
    depth = np.arange(-INSIDE_MM - 2 * edge, float(BEYOND_MM) + 2 * half, STEP_MM)
    profile = _profile(vertebra, plate, out * depth, labels, volume)
    count = round(half / STEP_MM)
    here = _falls(profile, count)[np.abs(depth) <= near]
    if not np.isfinite(here).any():
        return None
    falls = _falls(profile, 2 * count)  # wider: beyond a label that ends anyhow, columns reach the endplate unevenly
    beyond = np.flatnonzero((depth >= near + 1) & np.isfinite(falls))
    if not len(beyond):
        return _Fall(here_hu=float(np.nanmax(here)), beyond_hu=None, beyond_mm=0.0)
    most = int(beyond[falls[beyond].argmax()])
    return _Fall(here_hu=float(np.nanmax(here)), beyond_hu=float(falls[most]), beyond_mm=float(depth[most]))


def _falls(profile_hu: NDArray[np.float64], count: int) -> NDArray[np.float64]:
    """Mean of so many samples before each place less the mean of as many behind it; NaN where either is not whole."""
    falls = np.full(len(profile_hu), np.nan)
    for place in range(count, len(profile_hu) - count):
        falls[place] = profile_hu[place - count : place].mean() - profile_hu[place : place + count].mean()
    return falls


def _profile(
    vertebra: Vertebra, plate: Endplate, along_mm: NDArray[np.float64], labels: LabelMap, volume: Volume
) -> NDArray[np.float64]:
    """Median HU over an endplate's columns at distances along the superior axis; NaN where too little is free."""
    every = max(round(1.0 / float(plate.right_mm[1] - plate.right_mm[0])), 1)
    surface = plate.superior_mm[::every, ::every]
    x, y = np.meshgrid(plate.right_mm[::every], plate.anterior_mm[::every], indexing="ij")
    seen = np.isfinite(surface)
    base = np.stack([x[seen], y[seen], surface[seen]], axis=-1)
    local = base[:, None, :] + np.array([0.0, 0.0, 1.0]) * along_mm[None, :, None]
    index = volume.grid.to_index(vertebra.to_world_mm(local))
    inside = ((index >= 0) & (index <= np.array(volume.hu.shape) - 1)).all(axis=-1)
    whole = np.clip(np.rint(index).astype(np.intp), 0, np.array(volume.hu.shape) - 1)
    found = labels.labels[tuple(np.moveaxis(whole, -1, 0))]
    free = inside & ((found == 0) | (found == vertebra.level.verse_id))
    hu = ndimage.map_coordinates(volume.hu, np.moveaxis(index, -1, 0), order=1, output=np.float64, mode="nearest")
    median = np.full(len(along_mm), np.nan)
    enough = free.mean(axis=0) >= float(SEEN_SHARE)
    for place in np.flatnonzero(enough):
        median[place] = np.median(hu[free[:, place], place])
    return median
