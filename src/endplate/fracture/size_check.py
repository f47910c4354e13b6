"""Are the bodies as large as vertebrae are? Voxel sizes that were lost or doubled show here and nowhere else."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from endplate.cited import cited
from endplate.finding import Caution
from endplate.fracture.normals import DEPTH_MM, POSTERIOR_MM, Sex, has_normal, normal_depth, normal_heights
from endplate.fracture.result import Fracture
from endplate.level import Level

LEAST_SIZE = cited(
    0.72,
    "1",
    "Own choice: against the weak normals; 3 SD of height (1.5 mm) below a woman of 0.85 their size",
    "design",
)
LARGEST_SIZE = cited(1.35, "1", "Own choice: 3 SD of height above a man of 1.2 times the weak normals", "design")
TALL_PERCENTILE = cited(75, "%", "Own choice: a collapse lessens height, so the taller bodies tell the scale", "design")
LEAST_LEVELS = cited(3, "1", "Own choice: one or two low bodies may both be fractured", "design")
CODE = "size_out_of_range"


def size_cautions(fractures: Sequence[Fracture], sex: Sex | None = None) -> tuple[Caution, ...]:
    """A caution for the scan where its bodies are smaller or larger than vertebrae are.

    Parameters
    ----------
    fractures : readings with their heights and depths. sex : for the growth between levels; None takes both.

    Notes
    -----
    The normals are weak, so that the limits are wide: a woman of 1.40 m and a man of 2.05 m pass.
    """
    known = [f for f in fractures if has_normal(f.level)]
    depths = [(f.heights.depth_mm, _depth_mm(f.level)) for f in known if f.heights.depth_mm is not None]
    heights = [
        (f.heights.posterior.value, _height_mm(f.level, sex)) for f in known if f.heights.posterior.value is not None
    ]
    found = []
    if depths:
        found += _out_of_range("deep", [(got, usual) for got, usual in depths if got is not None], 50.0)
    if len(heights) >= LEAST_LEVELS:
        tall = float(TALL_PERCENTILE)
        found += _out_of_range("high at the back", [(got, usual) for got, usual in heights if got is not None], tall)
    if not found:
        return ()
    text = (
        f"{' and '.join(found)}: no vertebrae are, unless every one is deformed; the voxel sizes in the file may be "
        "wrong, and with them every length, volume and strength"
    )
    return (Caution(code=CODE, text=text),)


def _out_of_range(what: str, pairs: Sequence[tuple[float, float]], percentile: float) -> list[str]:
    ratios = np.array([got / usual for got, usual in pairs])
    scale = float(np.percentile(ratios, percentile))
    if LEAST_SIZE <= scale <= LARGEST_SIZE:
        return []
    at = int(np.abs(ratios - scale).argmin())
    return [f"bodies are about {pairs[at][0]:.0f} mm {what} where some {pairs[at][1]:.0f} mm are usual"]


def _height_mm(level: Level, sex: Sex | None) -> float:
    return normal_heights(level, sex)[2] / normal_heights(Level.L1, sex)[2] * float(POSTERIOR_MM["L1"])


def _depth_mm(level: Level) -> float:
    return normal_depth(level) / normal_depth(Level.L1) * float(DEPTH_MM["L1"])
