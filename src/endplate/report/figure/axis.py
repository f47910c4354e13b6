"""Round ticks for an axis."""

from __future__ import annotations

import math


def ticks(highest: float, wanted: int = 4) -> list[float]:
    """Round numbers 0, step, 2 step ... up to `highest`; the step is 1, 2 or 5 times a power of ten."""
    if not math.isfinite(highest) or highest <= 0:
        return [0.0]
    rough = highest / wanted
    power = 10.0 ** math.floor(math.log10(rough))
    step = next(factor * power for factor in (1.0, 2.0, 5.0, 10.0) if factor * power >= rough)
    return [round(index * step, 10) for index in range(int(highest / step + 1e-9) + 1)]


def written(value: float) -> str:
    """A tick's number without needless zeros."""
    return f"{value:g}"
