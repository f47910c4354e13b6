"""What a scanner writes outside its field of view: found by its value and place, and set to what all call air.

A pad that stays in the image is taken for air by whatever looks for air, and moves every density with it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited

PADDING_HU = -1024  # what most scanners write outside the field of view
AIR_HU = cited(
    -1024.5,
    "[hnsf'U]",
    "own limit: the 12-bit scale begins here, nothing measured is lower",
    "design",
    cite="kalender_2011",
)
DENSE_HU = cited(
    3071.0, "[hnsf'U]", "own limit: the 12-bit scale ends here, metal alone goes on", "design", cite="kalender_2011"
)
LOW_SHARE = cited(0.0005, "1", "of the image: ringing beside metal is rarer and never of one value", "design")
ONE_VALUE_SHARE = cited(0.5, "1", "of what lies below the scale: noise has no single value, a pad has", "design")
HIGH_SHARE = cited(0.01, "1", "of the image: metal that saturates is less and lies inside", "design")
SAMPLES = 4_000_000
_CORNERS_AT_MIN = 2


def fill_padding(values: NDArray[Any]) -> tuple[str, ...]:
    """Set padding to -1024 in place, and say so.

    Parameters
    ----------
    values : (I, J, K) claimed Hounsfield units, int or float; changed where padding is found.

    Returns
    -------
    What was done, a line for each value; none where no padding lies outside the scale.
    """
    notes = []
    stride = max(1, int(np.ceil((values.size / SAMPLES) ** (1 / 3))))
    sample = values[::stride, ::stride, ::stride].ravel()
    below = sample[sample < float(AIR_HU)]
    if below.size >= max(float(LOW_SHARE) * sample.size, 1):
        found, counts = np.unique(below, return_counts=True)
        if counts.max() >= float(ONE_VALUE_SHARE) * below.size:
            notes.append(_replace(values, found[counts.argmax()], low=True))
    high = values[0, 0, 0], values[-1, -1, -1]
    for value in {float(v) for v in high if v > float(DENSE_HU)}:
        corners = values[:: values.shape[0] - 1, :: values.shape[1] - 1, :: values.shape[2] - 1]
        enough = np.mean(sample == value) >= float(HIGH_SHARE)
        if enough and np.count_nonzero(corners == value) >= _CORNERS_AT_MIN:
            notes.append(_replace(values, value, low=False))
    return tuple(notes)


def _replace(values: NDArray[Any], pad: Any, *, low: bool) -> str:
    """Replace one pad, and with a low one its interpolated rim; slab by slab, so that no mask of the whole is made."""
    count = 0
    for slab in values:
        where = slab < float(AIR_HU) if low else slab == pad
        count += int(np.count_nonzero(where))
        slab[where] = PADDING_HU
    share = 100 * count / values.size
    return f"padding of {float(pad):g} HU ({share:.1f} % of the image) is no tissue and no air: set to {PADDING_HU} HU"
