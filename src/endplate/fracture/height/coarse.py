"""What voxels and a wandering border leave open of where an endplate lies.

A mask moved by half a voxel moves both endplates alike, so that repeats never show the steps of thick slices. An
endplate along the slices may lie anywhere within one; one that crosses many slices is averaged over their steps.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Endplate, Vertebra
from endplate.cited import cited
from endplate.fracture.height.plate import smooth_plate

ONE_STEP = cited(0.5, "1", "Own choice: a flat endplate across two slices shows a rise of up to one step", "design")
EVEN_SD = cited(
    12**-0.5, "1", "SD of an even distribution over one step (closed form)", "recomputed", cite="nist_handbook"
)
WANDER_SHARE = cited(
    0.9,
    "1",
    "own study: a border that wanders by 0.4 mm (0.32 beyond the smooth endplate) moves digital heights by 0.29 mm",
    "design",
)
FINE_STEPS = cited(
    0.1, "1", "own study: residual of smooth endplates on digital spines of 1 and 1.5 mm, over the edge", "design"
)
FINE_MM = cited(1.5, "mm", "Own choice: up to here the anti-aliased surface hides most of a step", "design")
COARSE_MM = cited(3, "mm", "Own choice: from here steps show in full", "design")


def steps_sd_mm(vertebra: Vertebra, plate: Endplate) -> float:
    """SD of where an endplate lies, from the steps of the label's voxels along the spine, mm."""
    edge = float(vertebra.edges_mm[vertebra.axis_along])
    crossed = relief_mm(vertebra, plate) / edge - float(ONE_STEP)
    return float(EVEN_SD) * edge / max(1.0, crossed)


def relief_mm(vertebra: Vertebra, plate: Endplate) -> float:
    """How far the smooth endplate rises and falls across the slices within 10 mm of the mid-plane, mm."""
    seen, smooth = smooth_plate(plate, _edge(vertebra))
    if not seen.any():
        return 0.0
    x, y = np.meshgrid(plate.right_mm, plate.anterior_mm, indexing="ij")
    across = vertebra.grid.affine[:3, vertebra.axis_along] / vertebra.grid.spacing_mm[vertebra.axis_along]
    normal = vertebra.axes @ across
    along = x[seen] * normal[0] + y[seen] * normal[1] + smooth * normal[2]
    return float(np.subtract(*np.percentile(along, [97.5, 2.5])))


def wander_sd_mm(vertebra: Vertebra, plate: Endplate) -> float:
    """SD of how far the label's border strays from the smooth endplate beyond what its voxels explain, mm."""
    seen, smooth = smooth_plate(plate, _edge(vertebra))
    if not seen.any():
        return 0.0
    edge = _edge(vertebra)
    rest: NDArray[np.float64] = plate.superior_mm[seen] - smooth
    own = float(np.interp(edge, (float(FINE_MM), float(COARSE_MM)), (float(FINE_STEPS), float(EVEN_SD)))) * edge
    return float(np.sqrt(max(float(np.mean(rest**2)) - own**2, 0.0)))


def _edge(vertebra: Vertebra) -> float:
    return float(vertebra.edges_mm[vertebra.axis_along])
