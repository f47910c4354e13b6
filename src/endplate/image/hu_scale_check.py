"""Do air, fat and muscle lie where the Hounsfield scale puts them? A lost intercept or slope moves all of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.errors import ImageError

SAMPLES = 2_000_000  # voxels that are looked at: shares of a thousandth are still counted well
AIR_HU = cited(
    -500.0,
    "[hnsf'U]",
    "own limit: half-way from air at -1000 to soft tissue near 0; most lung lies below",
    "design",
    cite="kalender_2011",
)
SOFT_HU = (
    cited(
        -200.0,
        "[hnsf'U]",
        "own limit: fat lies at -120 to -80 HU; noise of 40 HU twice below",
        "design",
        cite="kalender_2011",
    ),
    cited(
        150.0,
        "[hnsf'U]",
        "own limit: muscle, organs and enhanced blood lie below in all but the arterial phase",
        "design",
        cite="kalender_2011",
    ),
)
MIN_SOFT_SHARE = cited(
    0.1, "1", "a box around one vertebra holds a quarter or more of soft tissue and marrow (0.7 on both CTs)", "design"
)
MIDDLE_HU = (
    cited(
        -150.0,
        "[hnsf'U]",
        "own limit: median of all but air: fat alone is near -100 HU",
        "design",
        cite="kalender_2011",
    ),
    cited(
        250.0,
        "[hnsf'U]",
        "own limit: median of all but air: young trabecular bone alone is at 150-250 HU",
        "design",
        cite="kalender_2011",
    ),
)
DENSE_HU = cited(700.0, "[hnsf'U]", "own limit: cortex and metal only", "design", cite="kalender_2011")
MAX_DENSE_SHARE = cited(0.25, "1", "of all but air; 0.03-0.06 on two CTs, implants add a few parts", "design")
FULL_AIR_HU = cited(
    -800.0,
    "[hnsf'U]",
    "own limit: air in any scan reaches below, also that in airways and lung",
    "design",
    cite="kalender_2011",
)
HALF_AIR_HU = (
    cited(
        -700.0,
        "[hnsf'U]",
        "own limit: lower end of where only borders of air and dense lung lie",
        "design",
        cite="kalender_2011",
    ),
    cited(
        -350.0,
        "[hnsf'U]",
        "own limit: upper end of where only borders of air and dense lung lie",
        "design",
        cite="kalender_2011",
    ),
)
HALF_AIR_SHARE = cited(0.05, "1", "of the image there, with no air below: the scale is wrong", "design")
NO_AIR_SHARE = cited(0.001, "1", "less is noise", "design")
BELOW_AIR_HU = cited(
    -1300.0,
    "[hnsf'U]",
    "own limit: nothing is below -1000 HU but noise, ringing and padding",
    "design",
    cite="kalender_2011",
)
BELOW_AIR_SHARE = cited(0.02, "1", "of the image below air and not one padding value: the scale is wrong", "design")
CLIPPED_SHARE = cited(0.01, "1", "real scans hold their extreme values in single voxels", "design")
WINDOW_TOP_HU = cited(
    600.0,
    "[hnsf'U]",
    "own limit: cortex goes beyond: a scan that ends below was cut to a window",
    "design",
    cite="kalender_2011",
)
WATER_SHARE = cited(0.001, "1", "fat makes 1 % or more of any spine crop", "design")
FAT_HU = cited(-20.0, "[hnsf'U]", "fat and noise of muscle lie below; other images start at zero", "design")
FIX = "give a CT in Hounsfield units, best the original DICOM series"


def check_scale(values: NDArray[Any], name: str) -> None:
    """Refuse values on a wrong scale.

    Parameters
    ----------
    values : (I, J, K) claimed Hounsfield units, finite.
    name : what to call the scan in the message.

    Raises
    ------
    ImageError : naming the shift or the wrong scale.
    """
    sample = _sample(values)
    sample = sample[sample != sample.min()] if sample.min() < AIR_HU else sample
    body = sample[sample > AIR_HU]
    if not body.size:
        raise ImageError(f"{name} holds air and padding only", "", "give the scan of the patient")
    _check_window(sample, name)
    if np.mean(body < FAT_HU) < WATER_SHARE:
        raise ImageError(
            f"{name} is not in Hounsfield units: beside padding nothing is darker than water",
            "an MRI or a CT that lost its rescale intercept looks like this",
            FIX,
        )
    _check_shift(body, name)
    _check_air(sample, name)


def _sample(values: NDArray[Any]) -> NDArray[Any]:
    """At most about `SAMPLES` voxels, evenly spread."""
    stride = max(1, int(np.ceil((values.size / SAMPLES) ** (1 / 3))))
    return values[::stride, ::stride, ::stride].ravel()


def _check_window(sample: NDArray[Any], name: str) -> None:
    top = float(sample.max())
    if top < WINDOW_TOP_HU and np.mean(sample == top) > CLIPPED_SHARE:
        raise ImageError(
            f"{name} was cut to a window: {100 * np.mean(sample == top):.0f} % of it have the highest value {top:g}",
            "bone above it is lost, and every density with it",
            FIX,
        )


def _check_shift(body: NDArray[Any], name: str) -> None:
    """All but air must be soft tissue for a good part."""
    middle = float(np.median(body))
    soft = float(np.mean((body > SOFT_HU[0]) & (body < SOFT_HU[1])))
    dense = float(np.mean(body > DENSE_HU))
    inside = MIDDLE_HU[0] <= middle <= MIDDLE_HU[1]
    if inside and soft >= MIN_SOFT_SHARE and dense <= MAX_DENSE_SHARE:
        return
    shift = float(np.median(body[body > DENSE_HU])) if dense > MAX_DENSE_SHARE else middle
    raise ImageError(
        f"{name} is not in Hounsfield units: its values look shifted by about {round(shift, -2):+.0f}, or scaled "
        f"(soft tissue near {shift:.0f} instead of 0 to 60 HU)",
        "a CT that lost its rescale slope or intercept looks like this",
        FIX,
    )


def _check_air(sample: NDArray[Any], name: str) -> None:
    """Air must lie near -1000 HU."""
    half = (sample > HALF_AIR_HU[0]) & (sample < HALF_AIR_HU[1])
    full = float(np.mean(sample < FULL_AIR_HU))
    if full < NO_AIR_SHARE and np.mean(half) > HALF_AIR_SHARE:
        at = float(np.median(sample[half]))
        raise ImageError(
            f"{name} is not in Hounsfield units: air lies near {at:.0f} instead of -1000 HU",
            "the scale of its values is wrong",
            FIX,
        )
    below = sample[sample < BELOW_AIR_HU]
    if below.size > BELOW_AIR_SHARE * sample.size:
        _, counts = np.unique(below, return_counts=True)
        if counts.max() < 0.5 * below.size:
            raise ImageError(
                f"{name} is not in Hounsfield units: {100 * below.size / sample.size:.0f} % lie below "
                f"{BELOW_AIR_HU:g}, and air is at -1000 HU",
                "the scale of its values is wrong",
                FIX,
            )
