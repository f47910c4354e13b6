"""Vertebral levels and the label schemes that number them.

Sits at the ground floor: readers need the numbering, findings need the name, and neither may know anatomy.
"""

from __future__ import annotations

from enum import StrEnum

from endplate.errors import OptionError


class Level(StrEnum):
    """A vertebra from C1 to S1, with T13 and L6 for transitional spines; ordered from head to foot.

    A level equals its name and hashes like it, so that `df[df.level == "L1"]` and `table["L1"]` find it; it is ordered
    by its place in the spine, T9 before T12, against names too.

    Examples
    --------
    >>> from endplate import Level
    >>> Level.T9 < Level.T12
    True
    >>> Level.L1 == "L1"
    True
    """

    C1, C2, C3, C4, C5, C6, C7 = "C1", "C2", "C3", "C4", "C5", "C6", "C7"
    T1, T2, T3, T4, T5, T6, T7 = "T1", "T2", "T3", "T4", "T5", "T6", "T7"
    T8, T9, T10, T11, T12, T13 = "T8", "T9", "T10", "T11", "T12", "T13"
    L1, L2, L3, L4, L5, L6 = "L1", "L2", "L3", "L4", "L5", "L6"
    S1 = "S1"

    def __lt__(self, other: object) -> bool:
        return self.order < _order_of(other)

    def __le__(self, other: object) -> bool:
        return self.order <= _order_of(other)

    def __gt__(self, other: object) -> bool:
        return self.order > _order_of(other)

    def __ge__(self, other: object) -> bool:
        return self.order >= _order_of(other)

    @property
    def order(self) -> int:
        """Place from head to foot, C1 = 0."""
        return _ORDER[self]

    @property
    def region(self) -> str:
        """cervical, thoracic, lumbar or sacral."""
        return {"C": "cervical", "T": "thoracic", "L": "lumbar", "S": "sacral"}[self.value[0]]

    @property
    def verse_id(self) -> int:
        """VerSe label: C1-C7 1-7, T1-T12 8-19, L1-L6 20-25, sacrum 26, T13 28."""
        return _VERSE_ID[self]

    @property
    def usual(self) -> bool:
        """False for the transitional T13 and L6."""
        return self not in (Level.T13, Level.L6)

    def follows(self, upper: Level) -> bool:
        """Whether this level may lie directly below another: the next one, with or without T13 and L6 between.

        Parameters
        ----------
        upper : Level
            The level above.

        Returns
        -------
        bool
            True where no usual level lies between them.

        Examples
        --------
        >>> from endplate import Level
        >>> Level.L1.follows(Level.T12)
        True
        >>> Level.L2.follows(Level.T12)
        False
        """
        between = [level for level in Level if upper.order < level.order < self.order]
        return self.order > upper.order and all(not level.usual for level in between)


_ORDER = {level: index for index, level in enumerate(Level)}
_VERSE_ID = {level: number for number, level in enumerate((lv for lv in Level if lv is not Level.T13), start=1)} | {
    Level.T13: 28
}
_BY_NAME = {level.value: level for level in Level}
FROM_VERSE_ID = {number: level for level, number in _VERSE_ID.items()}


def _order_of(other: object) -> int:
    """Place of a level or of its name; text would be ordered by its letters, T12 before T9."""
    if not isinstance(other, str) or other not in _BY_NAME:
        raise TypeError(f"a level has no order against {other!r}; give a level or its name")
    return _BY_NAME[other].order


def parse_level(name: Level | str) -> Level:
    """A level by its name, in either case, with or without spaces around it.

    Parameters
    ----------
    name : a level, or its name such as "L1" or " t12".

    Raises
    ------
    OptionError : no vertebra has that name, or something else than a name was given.
    """
    if isinstance(name, Level):
        return name
    if not isinstance(name, str):
        raise OptionError(f"{name!r} is no vertebra", "a level is given by its name", "write 'T12', 'L1' and so on")
    found = _BY_NAME.get(name.strip().upper())
    if found is None:
        raise OptionError(f"{name!r} is no vertebra", "", "write T12, L1 and so on")
    return found
