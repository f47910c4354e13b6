"""Is a level labelled at all? Asked before anything is measured, so that a wrong name costs no minutes."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from endplate.errors import LabelError
from endplate.image.volume import LabelMap
from endplate.level import FROM_VERSE_ID, Level


def check_labelled(labels: LabelMap, level: Level) -> None:
    """Refuse a level that no voxel is labelled with.

    Parameters
    ----------
    labels : in VerSe numbers. level : what was asked for.

    Raises
    ------
    LabelError : the level is absent.
    """
    present = {int(number) + 1 for number in np.flatnonzero(np.bincount(labels.labels.ravel(), minlength=2)[1:])}
    if level.verse_id not in present:
        raise absent(level, [FROM_VERSE_ID[number] for number in present if number in FROM_VERSE_ID])


def absent(level: Level, there: Iterable[Level]) -> LabelError:
    """The refusal of a level that is not among those labelled."""
    names = ", ".join(str(other) for other in sorted(there) if other is not Level.S1) or "none"
    return LabelError(f"{level} is not in the labels", f"they hold {names}", "name one of these levels")
