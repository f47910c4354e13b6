"""A numbering of vertebrae: which label is which level, and which are other structures."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from endplate.level import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Scheme:
    """A numbering of vertebrae.

    Attributes
    ----------
    levels : label to level.
    others : labels that the scheme gives to structures other than a single vertebra (organs, discs, coccyx).
    sacrum : label of the whole sacrum; it stands for S1 only where S1 has no label of its own.
    unlisted : what becomes of a label that is in neither: refused, or left out with a word, where a person wrote down
        the levels and nothing of what else the map holds.
    guess : whether the scheme may be recognised from the numbers alone; "last" tries it where no other fits.
    """

    name: str
    description: str
    levels: dict[int, Level]
    others: frozenset[int] = field(default=frozenset())
    sacrum: int | None = None
    unlisted: Literal["refused", "left out"] = "refused"
    guess: bool | Literal["last"] = True

    def levels_of(self, labels: list[int]) -> dict[int, Level]:
        """Label to level for those labels that are a vertebra."""
        found = {number: self.levels[number] for number in labels if number in self.levels}
        if self.sacrum in labels and Level.S1 not in found.values():
            found[int(self.sacrum or 0)] = Level.S1
        return found

    def knows(self, labels: list[int]) -> bool:
        """Whether every label has a meaning and at least one is a vertebra."""
        return bool(self.levels_of(labels)) and all(n in self.levels or n in self.others for n in labels)
