"""Do labels stand upright, and face forward? The vertebrae themselves say, not the header, which may have lost a sign.

Behind its body every vertebra slopes down: the pedicles leave the upper half of the body, and laminae and spinous
process lie lower the farther back. The slope of a label's rear half against the spine's own line has the same sign
at nearly every level (-0.2 to -0.7 on 29 whole vertebrae of five public masks), whatever the position of the patient.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.cited import cited
from endplate.errors import LabelError
from endplate.image.labels.whole import label_centroids, whole_of
from endplate.image.volume import Grid, LabelMap
from endplate.level import FROM_VERSE_ID

Stand = Literal["upright", "upside down", "unknown"]

MIN_MM3 = cited(6000.0, "mm3", "half a small thoracic vertebra: a fragment at the scan's border has no shape", "design")
MIN_SKEW = cited(
    0.12, "1", "a body with its processes reaches farther back than forth; 0.17-1.0 on five masks", "design"
)
MIN_SLOPE = cited(0.1, "1", "of the rear half; 0.14-1.07 on digital and real vertebrae that stand upright", "design")
MAX_OF_THEM = cited(
    0.7, "1", "of the labels with a clear slope: one fracture or fragment may point the other way", "design"
)
FEWEST = cited(2.0, "1", "labels with a clear slope: one alone may be a fragment or a fracture", "design")
WITH_PROCESS = ("thoracic", "lumbar")  # the atlas has no spinous process, cervical ones are often level
POINTS = 20_000  # of one label: its shape needs no more


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """How labels lie by the header's axes.

    Attributes
    ----------
    stand : whether they stand upright; `agree` of `seen` labels say so.
    backwards, facing : how many reach farther to the front than to the back, of those that show front and back.
    """

    stand: Stand
    agree: int = 0
    seen: int = 0
    backwards: int = 0
    facing: int = 0


def standing(numbers: NDArray[np.uint16], centroids: Mapping[int, NDArray[np.float64]], grid: Grid) -> Standing:
    """How labels stand.

    Parameters
    ----------
    numbers : (I, J, K) labels of any scheme. centroids : label of a vertebra to its centroid, fractional index (3,).
    grid : of the labels.
    """
    ordered = sorted(centroids, key=lambda label: -float(grid.to_mm(centroids[label])[2]))
    middles = np.array([grid.to_mm(centroids[label]) for label in ordered]).reshape(-1, 3)
    boxes = ndimage.find_objects(numbers)
    shapes = []
    for place, label in enumerate(ordered):
        points = _points_mm(numbers, label, boxes[label - 1], grid)
        shapes.append(_shape(points, middles[place], _up(middles, place)))
    skews = [skew for skew, _ in shapes if skew is not None]
    found = Standing(stand="unknown", backwards=sum(skew < 0 for skew in skews), facing=len(skews))
    return _judged([slope for _, slope in shapes if slope is not None], found)


def _judged(slopes: list[float], found: Standing) -> Standing:
    """The standing that most of the slopes agree on."""
    down, seen = sum(slope < 0 for slope in slopes), len(slopes)
    if seen >= int(FEWEST) and down >= float(MAX_OF_THEM) * seen:
        return replace(found, stand="upright", agree=down, seen=seen)
    if seen >= int(FEWEST) and seen - down >= float(MAX_OF_THEM) * seen:
        return replace(found, stand="upside down", agree=seen - down, seen=seen)
    return replace(found, seen=seen)


def check_upright(labels: LabelMap, name: str) -> LabelMap:
    """The labels as they are, refused where their own shape contradicts the header.

    Parameters
    ----------
    labels : in VerSe numbers. name : what to call them in the message.

    Raises
    ------
    LabelError : they stand on their heads, or face backwards; left and right would be exchanged too.
    """
    middles = label_centroids(whole_of(labels.labels))
    centroids = {n: middle for n, middle in middles.items() if FROM_VERSE_ID[n].region in WITH_PROCESS}
    found = standing(labels.labels, centroids, labels.grid)
    if found.stand == "upside down":
        raise LabelError(
            f"{name}: by their shape the labelled vertebrae stand on their heads: in {found.agree} of {found.seen} "
            "the spinous process points up by the header's axes",
            "with a lost sign of the z axis, left and right of the patient are exchanged too",
            "correct the z axis in the header of CT and labels and give them again",
        )
    if found.backwards >= max(float(MAX_OF_THEM) * found.facing, float(FEWEST)):
        raise LabelError(
            f"{name}: by their shape the labelled vertebrae face backwards: in {found.backwards} of {found.facing} "
            "the processes lie in front of the body by the header's axes",
            "with a lost sign of the y axis, left and right of the patient are exchanged too",
            "correct the x and y axes in the header of CT and labels and give them again",
        )
    return labels


def _points_mm(numbers: NDArray[np.uint16], label: int, box: tuple[slice, ...], grid: Grid) -> NDArray[np.float64]:
    """World points (n, 3) of a label, thinned; none where it is too small to have a shape."""
    own = numbers[box] == label
    place = np.flatnonzero(own)
    if len(place) * grid.voxel_mm3 < float(MIN_MM3):
        return np.zeros((0, 3))
    thinned = np.unravel_index(place[:: max(1, len(place) // POINTS)], own.shape)
    return grid.to_mm(np.stack(thinned, axis=-1) + [side.start for side in box])


def _up(middles: NDArray[np.float64], place: int) -> NDArray[np.float64]:
    """Unit vector along the spine at a label, towards the head by the header."""
    upper, lower = middles[max(place - 1, 0)], middles[min(place + 1, len(middles) - 1)]
    along = upper - lower
    length = float(np.linalg.norm(along))
    return along / length if length > 1 else np.array([0.0, 0.0, 1.0])


def _shape(
    points: NDArray[np.float64], middle: NDArray[np.float64], up: NDArray[np.float64]
) -> tuple[float | None, float | None]:
    """Skew of a label from front to back, positive where its longer end is its back, and the slope of that end.

    The slope is the rise of the rear half for each mm backwards. None where they are not clear.
    """
    across = np.array([0.0, 1.0, 0.0]) - up[1] * up
    if len(points) == 0 or np.linalg.norm(across) < 0.3:
        return None, None
    away = points - middle
    back, rise = away @ (across / np.linalg.norm(across)), away @ up
    spread = float((back**2).mean())
    skew = float((back**3).mean()) / max(spread, 1e-9) ** 1.5
    if abs(skew) < float(MIN_SKEW):
        return None, None
    back = back * np.sign(skew)
    low, high = np.percentile(back, [2, 98])
    rear = back > (low + high) / 2
    if np.count_nonzero(rear) < 20:
        return skew, None
    slope = float(np.polyfit(back[rear], rise[rear], 1)[0])
    return skew, slope if abs(slope) >= float(MIN_SLOPE) else None
