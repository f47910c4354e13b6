"""The loss of height of a level with its SD and band."""

from __future__ import annotations

import numpy as np

from endplate.finding import BAND_SD
from endplate.fracture.expected import Expected
from endplate.fracture.grade import KINDS, short_vertebra
from endplate.fracture.height.morphometry import READER_RATIO_SD
from endplate.fracture.normals import Triple
from endplate.fracture.own_shape import hidden_loss_sd
from endplate.fracture.result import Heights, Measured


def worst_loss(heights: Heights, expected: Expected, losses: Triple, kind: str, *, short: bool) -> Measured:
    """The worst loss with the SD of the measured and the expected height together.

    Of three equal losses the worst is worst by chance: how far it lies above their mean then adds to the SD. Without
    neighbours, what the own posterior height may have lost adds too.
    """
    parts = [loss_sd(heights, expected, KINDS.index(kind))]
    if short_vertebra(losses):
        parts.append(max(losses) - float(np.mean(losses)))
    if expected.own:
        parts.append(hidden_loss_sd(max(losses), short=short))
    known = [sd for sd in parts if sd is not None]
    if not known:
        return Measured(value=max(losses))
    sd = float(np.linalg.norm(known))
    return Measured(value=max(losses), sd=sd, reader_sd=float(np.hypot(sd, float(READER_RATIO_SD))))


def loss_sd(heights: Heights, expected: Expected, place: int) -> float | None:
    """SD of the loss of a height (0 anterior, 1 middle, 2 posterior) from both heights; None where one is unknown."""
    measured: Measured = getattr(heights, KINDS[place])
    if measured.value is None or measured.sd is None:
        return None
    hoped = expected.heights_mm[place]
    return float(np.hypot(measured.sd, expected.sd_mm * measured.value / hoped)) / hoped


def loss_band(loss: Measured) -> tuple[float, float]:
    """95 % band of a loss, between readers; the loss itself where its SD is unknown."""
    value, half = loss.value or 0.0, BAND_SD * (loss.shown_sd or 0.0)
    return value - half, value + half
