"""The label check before anything is measured: what is each label made of, and may it be used."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.label.repair import beside, fill_holes, piece_cautions, sort_pieces
from endplate.cited import cited
from endplate.errors import LabelError
from endplate.finding import Caution, Gap
from endplate.image.volume import Grid, LabelMap
from endplate.level import FROM_VERSE_ID, Level

SMALLEST_VERTEBRA_MM3 = cited(
    2500, "mm3", "Own choice: half the smallest whole cervical vertebra; less cannot hold a body", "design"
)
SPECK_MM3 = cited(30, "mm3", "Own choice: specks below this are not worth a word", "design")
CROP_VOXELS = 4


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LabelPart:
    """The mask (I, J, K) of one level on its own crop of the scan."""

    level: Level
    grid: Grid
    mask: NDArray[np.bool_]


@dataclass(slots=True, kw_only=True, eq=False)
class LabelCheck:
    """Masks that may be used, and what was seen on the way; `distrusted` levels are kept but not measured."""

    parts: list[LabelPart] = field(default_factory=list)
    cautions: list[Caution] = field(default_factory=list)
    gaps: list[Gap] = field(default_factory=list)

    def distrust(self, level: Level, code: str, text: str) -> None:
        """A caution on a level that makes it unreliable, with its gap."""
        self.cautions.append(Caution(code=code, level=level, text=text))
        self.gaps.append(Gap(code="vertebra", level=level, reason=text))


def check_labels(labels: LabelMap, *, repair: bool = True) -> LabelCheck:
    """Look at each label alone: size, pieces, hollows; repair what is safe.

    Parameters
    ----------
    labels : the label map in VerSe numbers. repair : make the safe repairs.

    Raises
    ------
    LabelError : no vertebra at all, or none large enough to be one.
    """
    boxes = ndimage.find_objects(labels.labels)
    known = [label for label in sorted(FROM_VERSE_ID) if label <= len(boxes) and boxes[label - 1] is not None]
    wanted = sorted(FROM_VERSE_ID[label] for label in known if FROM_VERSE_ID[label] is not Level.S1)
    if not wanted:
        raise LabelError("no vertebra in the labels", "there is nothing to measure", "give labels of C1 to L6")
    check = LabelCheck()
    windows = {level: _window(boxes[level.verse_id - 1], labels.grid.shape) for level in wanted}
    gifts: dict[Level, list[NDArray[np.intp]]] = {}
    masks = {level: _sorted_mask(check, labels, level, windows[level], gifts, repair=repair) for level in wanted}
    for level in wanted:
        part = _finished_part(check, labels.grid, level, masks[level], windows[level], gifts.get(level, []), repair)
        if part is not None:
            check.parts.append(part)
    if not check.parts:
        raise LabelError(
            f"the labels hold only specks ({', '.join(map(str, wanted))})",
            f"a vertebra has at least {SMALLEST_VERTEBRA_MM3:.0f} mm3",
            "check the label file and its voxel size",
        )
    return check


def _window(box: tuple[slice, ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    """A box of slices with a margin, within the scan."""
    return tuple(
        slice(max(side.start - CROP_VOXELS, 0), min(side.stop + CROP_VOXELS, size))
        for side, size in zip(box, shape, strict=True)
    )


def _sorted_mask(
    check: LabelCheck,
    labels: LabelMap,
    level: Level,
    window: tuple[slice, ...],
    gifts: dict[Level, list[NDArray[np.intp]]],
    *,
    repair: bool,
) -> NDArray[np.bool_]:
    """The mask of a level without specks; what belongs to a neighbour is put among the gifts."""
    voxel_mm3 = labels.grid.voxel_mm3
    pieces = sort_pieces(labels.labels[window], level.verse_id, labels.grid.spacing_mm)
    check.cautions += piece_cautions(level, pieces, voxel_mm3, repaired=repair)
    if pieces.count:
        text = f"the label of {level} lies in {pieces.count} pieces: no vertebra does"
        check.distrust(level, "scattered_label", text)
    if pieces.apart:
        volume = sum(float(piece.sum()) for piece in pieces.apart) * voxel_mm3 / 1000
        text = f"{level} is labelled in two places apart; {volume:.1f} mL lie away from the larger part"
        check.distrust(level, "one_level_in_two_bodies", text)
        for other in sorted({one for piece in pieces.apart for one in beside(labels.labels[window], level, piece)}):
            text = f"a part of the label of {level} lies against {other}, away from {level}: {other} may lack a part"
            check.distrust(other, "bleeding_shared", text)
    if not repair:
        return np.asarray(labels.labels[window] == level.verse_id)
    start = np.array([side.start for side in window])
    for owner, piece in pieces.bled:
        gifts.setdefault(FROM_VERSE_ID[owner], []).append(np.argwhere(piece) + start)
    return pieces.kept


def _finished_part(
    check: LabelCheck,
    grid: Grid,
    level: Level,
    mask: NDArray[np.bool_],
    window: tuple[slice, ...],
    gifts: list[NDArray[np.intp]],
    repair: bool,
) -> LabelPart | None:
    """The mask with its gifts and without hollows; None (a gap) when it is too small for a vertebra."""
    start = np.array([side.start for side in window])
    for gift in gifts:
        own = gift - start
        own = own[np.all((own >= 0) & (own < mask.shape), axis=1)]
        mask[tuple(own.T)] = True
    volume = float(mask.sum()) * grid.voxel_mm3
    if volume < SMALLEST_VERTEBRA_MM3:
        text = (
            f"only {volume:.0f} mm3 are labelled {level}: no vertebra is that small, or the field shows a corner of it"
        )
        check.distrust(level, "tiny_vertebra", text)
        return None
    whole, filled, hollow = fill_holes(mask, grid.voxel_mm3)
    if filled > SPECK_MM3:
        text = f"hollows of {filled:.0f} mm3 within the label of {level}" + (" were filled" if repair else "")
        check.cautions.append(Caution(code="holes", level=level, text=text, repaired=repair))
    if hollow:
        text = f"a hollow of {hollow / 1000:.1f} mL within {level} is not labelled (cement, cyst, or a label error)"
        check.cautions.append(Caution(code="large_hole", level=level, text=text))
    if level is Level.C1:
        check.distrust(level, "no_body", "the atlas (C1) has no vertebral body, so that nothing is measured there")
    if not level.usual:
        text = f"{level} is a transitional level: levels below may be numbered one off in other reports"
        check.cautions.append(Caution(code="transitional_level", level=level, text=text))
    stop = [side.stop for side in window]
    return LabelPart(level=level, grid=grid.crop(start, stop), mask=whole if repair else mask)
