"""Safe repairs of one vertebra's label: islands, holes, and specks that bled into a neighbour."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.surface import around
from endplate.cited import cited
from endplate.finding import Caution
from endplate.level import FROM_VERSE_ID, Level

ISLAND_SHARE = cited(
    0.1, "1", "Own choice: a loose piece larger than this is no speck (an arch alone is a third)", "design"
)
ISLAND_MM3 = cited(
    1500, "mm3", "Own choice: a tenth of a thoracic vertebra; a larger loose piece is never removed", "design"
)
HOLE_MM3 = cited(
    1000, "mm3", "Own choice: a 12 mm ball; larger hollows may be cement, cyst or tumour left out", "design"
)
BLEED_CONTACT = cited(
    0.4, "1", "Own choice: share of a speck's border that one neighbour owns before it is given to it", "design"
)
BESIDE_SHARE = cited(0.1, "1", "Own choice: a piece that took part of a body lies against what is left of it", "design")
NEAR_MM = cited(8, "mm", "Own choice: a loose arch (spondylolysis, thin pedicle) lies this near its body", "design")
MAX_PIECES = cited(
    200, "1", "Own choice: a label in more pieces is noise; each that is looked at costs a pass over the crop", "design"
)
_CORNERS = np.ones((3, 3, 3), bool)


@dataclass(slots=True, kw_only=True, eq=False)
class Pieces:
    """What the connected pieces of one label are.

    Attributes
    ----------
    kept : (I, J, K) bool, the vertebra.
    islands : specks to be dropped. bled : specks that belong to a neighbour, by its label.
    apart : large pieces too far away to be the same vertebra.
    count : of all pieces where they are too many to be looked at one by one, else 0.
    """

    kept: NDArray[np.bool_]
    islands: list[NDArray[np.bool_]]
    bled: list[tuple[int, NDArray[np.bool_]]]
    apart: list[NDArray[np.bool_]]
    count: int = 0


def sort_pieces(labels: NDArray[np.uint16], label: int, spacing_mm: NDArray[np.float64]) -> Pieces:
    """Sort the connected pieces of one label in a crop (I, J, K) of the label map."""
    mask = labels == label
    box = around(mask)
    numbered = np.zeros(mask.shape, np.int32)
    numbered[box], count = ndimage.label(mask[box], structure=_CORNERS)
    sizes = np.bincount(numbered[box].ravel())[1:]
    main = numbered == 1 + int(sizes.argmax())
    found = Pieces(kept=main.copy(), islands=[], bled=[], apart=[])
    if count == 1:
        return found
    if count > MAX_PIECES:
        found.islands.append(mask & ~main)
        found.count = count
        return found
    away = ndimage.distance_transform_edt(~main, sampling=spacing_mm)
    limit = min(ISLAND_SHARE * float(sizes.max()), ISLAND_MM3 / float(np.prod(spacing_mm)))
    for number in range(1, count + 1):
        piece = numbered == number
        if sizes[number - 1] == sizes.max() and (piece & main).any():
            continue
        if sizes[number - 1] <= limit:
            owner = _owner(labels, label, piece)
            if owner:
                found.bled.append((owner, piece))
            else:
                found.islands.append(piece)
        elif away[piece].min() <= NEAR_MM:
            found.kept |= piece
        else:
            found.apart.append(piece)
    return found


def _owner(labels: NDArray[np.uint16], label: int, piece: NDArray[np.bool_]) -> int:
    """Label of the neighbour that a speck lies against, 0 for none."""
    border = labels[ndimage.binary_dilation(piece, structure=_CORNERS) & ~piece]
    if not border.size:
        return 0
    counts = np.bincount(border)
    counts[[0, label] if label < len(counts) else [0]] = 0
    owner = int(counts.argmax())
    enough = counts[owner] >= BLEED_CONTACT * border.size
    return owner if enough and owner in FROM_VERSE_ID else 0


def beside(labels: NDArray[np.uint16], own: Level, piece: NDArray[np.bool_]) -> frozenset[Level]:
    """Levels that a piece (I, J, K) of a label lies against with a tenth of its border or more."""
    border = labels[ndimage.binary_dilation(piece, structure=_CORNERS) & ~piece]
    found = {number: int((border == number).sum()) for number in np.unique(border)}
    near = {
        FROM_VERSE_ID[n] for n, count in found.items() if n in FROM_VERSE_ID and count >= BESIDE_SHARE * len(border)
    }
    return frozenset(near - {own, Level.S1})


def fill_holes(mask: NDArray[np.bool_], voxel_mm3: float) -> tuple[NDArray[np.bool_], float, float]:
    """A mask with its small enclosed hollows filled; (mask, filled mm3, hollow left mm3)."""
    box = around(mask)
    numbered, count = ndimage.label(~np.pad(mask[box], 1))
    if count == 1:  # the air outside, of one piece in its frame
        return mask, 0.0, 0.0
    sizes = np.bincount(numbered.ravel())
    sizes[[0, numbered[0, 0, 0]]] = 0
    small = (sizes > 0) & (sizes * voxel_mm3 <= HOLE_MM3)
    filled = mask.copy()
    filled[box] |= small[numbered[1:-1, 1:-1, 1:-1]]
    return filled, float(sizes[small].sum()) * voxel_mm3, float(sizes[~small].sum()) * voxel_mm3


def piece_cautions(level: Level, pieces: Pieces, voxel_mm3: float, *, repaired: bool) -> list[Caution]:
    """What the pieces of a level's label tell the reader."""
    cautions = []
    if pieces.islands:
        volume = sum(float(piece.sum()) for piece in pieces.islands) * voxel_mm3
        one = len(pieces.islands) == 1
        what = f"{len(pieces.islands)} loose {'speck' if one else 'specks'} ({volume:.0f} mm3) of {level}"
        done = f"{'was' if one else 'were'} left out" if repaired else f"{'is' if one else 'are'} in the labels"
        cautions.append(Caution(code="islands", level=level, text=f"{what} {done}", repaired=repaired))
    bled: dict[int, float] = {}
    for owner, piece in pieces.bled:
        bled[owner] = bled.get(owner, 0.0) + float(piece.sum()) * voxel_mm3
    for owner, volume in sorted(bled.items()):
        done = " and were given to it" if repaired else ""
        text = f"{volume:.0f} mm3 labelled {level} lie within {FROM_VERSE_ID[owner]}{done}"
        cautions.append(Caution(code="bleeding", level=level, text=text, repaired=repaired))
    return cautions
