"""What each caution voids: a thing that spoils voxels spoils every quantity that stands on them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Literal

from endplate.finding import Caution
from endplate.level import Level

Quantity = Literal["density", "strength", "rehearsal", "texture"]
EVERY: frozenset[Quantity] = frozenset({"density", "strength", "rehearsal", "texture"})

VOIDS: Mapping[str, frozenset[Quantity]] = {
    # Streaks and lost signal reach the whole body, the region of density too.
    "metal": EVERY,
    # Density is read beside the piece; the others stand on all voxels of the body.
    "dense_inclusion": frozenset({"strength", "rehearsal", "texture"}),
    "dense_core": frozenset({"strength", "rehearsal", "texture"}),
    # Lengths and areas enter a strength and a rehearsal, and no density.
    "size_unusual": frozenset({"strength", "rehearsal"}),
    # A label that is not that of one whole vertebra, or not of this one.
    "label_cut": EVERY,
    "bleeding_shared": EVERY,
    "one_level_in_two_bodies": EVERY,
    "two_levels_in_one_body": EVERY,
    "height_out_of_line": EVERY,
    "volume_out_of_line": EVERY,
    "tiny_vertebra": EVERY,
    "left_right_flip": EVERY,
    # The bone is measured alike; which side is which is not known, and a needle needs it.
    "front_back_flip": frozenset({"rehearsal"}),
    "head_foot_flip": frozenset({"rehearsal"}),
    "labels_off_bone": EVERY,
}
"""Codes of cautions, and the quantities of their level (of all levels, without one) that they void."""


def void_reason(cautions: Iterable[Caution], level: Level, quantity: Quantity) -> str:
    """Why a quantity of a level cannot be relied on, or nothing; repaired problems void nothing."""
    found = [
        caution.text
        for caution in cautions
        if quantity in VOIDS.get(caution.code, ()) and caution.level in (level, None) and not caution.repaired
    ]
    return "; ".join(dict.fromkeys(found))
