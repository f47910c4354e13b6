"""Small bleeding of a label across a disc: a plug of one body that reaches its neighbour is cut at the endplate."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.endplate import quadratic_at, robust_quadratic
from endplate.anatomy.surface import around, fill_fraction
from endplate.anatomy.vertebra import Endplate, Vertebra
from endplate.cited import cited
from endplate.finding import Caution

PLUG_MM = cited(
    2, "mm", "Own choice: bone within an endplate's rim never rises this far above its smooth surface", "design"
)
PLUG_MM3 = cited(
    1500, "mm3", "Own choice: a 12 mm wide plug through a disc; more is no speck and is not repaired", "design"
)
EDGE_MM = cited(5, "mm", "Own choice: rims, osteophytes and bridges between them are left alone", "design")


def trim_bleeding(vertebrae: tuple[Vertebra, ...]) -> tuple[tuple[Vertebra, ...], list[Caution]]:
    """Vertebrae, head to foot, without the plugs that cross a disc to the neighbour's label; each cut is recorded."""
    kept, cautions = list(vertebrae), []
    for place, (upper, lower) in enumerate(pairwise(vertebrae)):
        for index, other, side in ((place, lower, "inferior"), (place + 1, upper, "superior")):
            trimmed, volume = _trimmed(kept[index], other, side)
            if volume:
                kept[index] = trimmed
                text = f"{volume:.0f} mm3 of {trimmed.level} reached across the disc to {other.level} and were cut off"
                cautions.append(Caution(code="bleeding", level=trimmed.level, text=text, repaired=True))
    return tuple(kept), cautions


def _trimmed(vertebra: Vertebra, other: Vertebra, side: str) -> tuple[Vertebra, float]:
    plate: Endplate | None = getattr(vertebra, side)
    if plate is None:
        return vertebra, 0.0
    plug = _beyond(vertebra, plate, up=side == "superior") & vertebra.body
    if not plug.any():
        return vertebra, 0.0
    parts, count = ndimage.label(plug)
    near = ndimage.binary_dilation(_on_grid(other, vertebra), iterations=2)
    volume, cut = 0.0, np.zeros_like(plug)
    for number in range(1, count + 1):
        piece = parts == number
        size = float(piece.sum()) * vertebra.grid.voxel_mm3
        if (piece & near).any() and size <= PLUG_MM3:
            cut |= piece
            volume += size
    if not volume:
        return vertebra, 0.0
    body = vertebra.body & ~cut
    clean = replace(plate, superior_mm=np.where(plate.breach, np.nan, plate.superior_mm))
    fields: dict[str, Any] = {side: clean, "body": body, "fill": fill_fraction(body | vertebra.arch)}
    return replace(vertebra, **fields), volume


def _beyond(vertebra: Vertebra, plate: Endplate, *, up: bool) -> NDArray[np.bool_]:
    """Voxels of the crop beyond the smooth endplate by more than a plug's height, well within its rim."""
    sound = np.isfinite(plate.superior_mm) & ~plate.breach
    step = float(plate.right_mm[1] - plate.right_mm[0])
    inner = ndimage.binary_fill_holes(np.isfinite(plate.superior_mm))
    inner = ndimage.distance_transform_edt(inner) * step > EDGE_MM
    x, y = np.meshgrid(plate.right_mm, plate.anterior_mm, indexing="ij")
    surface = robust_quadratic(x[sound], y[sound], plate.superior_mm[sound])
    box = around(vertebra.body)
    index = np.argwhere(vertebra.body[box]) + [side.start for side in box]
    local = vertebra.to_local_mm(vertebra.grid.to_mm(index))
    i = np.clip(np.rint((local[:, 0] - plate.right_mm[0]) / step).astype(int), 0, len(plate.right_mm) - 1)
    j = np.clip(np.rint((local[:, 1] - plate.anterior_mm[0]) / step).astype(int), 0, len(plate.anterior_mm) - 1)
    rise = local[:, 2] - quadratic_at(surface, local[:, 0], local[:, 1])
    out = inner[i, j] & ((rise if up else -rise) > PLUG_MM)
    beyond = np.zeros_like(vertebra.body)
    beyond[tuple(index[out].T)] = True
    return beyond


def _on_grid(other: Vertebra, vertebra: Vertebra) -> NDArray[np.bool_]:
    """The other vertebra's mask on this vertebra's crop; both crops share the scan's voxels."""
    offset = np.rint(vertebra.grid.to_index(other.grid.to_mm([0, 0, 0]))).astype(int)
    index = np.argwhere(other.body | other.arch) + offset
    index = index[np.all((index >= 0) & (index < vertebra.body.shape), axis=1)]
    mask = np.zeros_like(vertebra.body)
    mask[tuple(index.T)] = True
    return mask
