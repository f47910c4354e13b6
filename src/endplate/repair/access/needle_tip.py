"""Where the needles end."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from endplate.repair.access.access_result import NeedlePath
from endplate.repair.device.needle import Needle


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class NeedleTip:
    """A needle's end: (3,) LPS mm, the needle, and a point (3,) of its track outside the body, None if not known."""

    at_mm: NDArray[np.float64]
    needle: Needle
    entry_mm: NDArray[np.float64] | None = None


def needle_tips(paths: Iterable[NeedlePath]) -> tuple[NeedleTip, ...]:
    """The tips of planned paths; for a curved balloon its middle, where its cavity is filled from."""
    return tuple(NeedleTip(at_mm=path.middle_mm, needle=path.needle, entry_mm=path.entry_mm) for path in paths)
