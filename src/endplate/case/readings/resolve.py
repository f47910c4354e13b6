"""From readings in the order in which they were made to what holds: each vertebra's name, and what is said of it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from endplate.case.readings.reading import Reading, Scope
from endplate.errors import OptionError
from endplate.level import Level


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolved:
    """What holds after all readings.

    Attributes
    ----------
    names : each level as it was labelled to the one that the reader says it is; only where they differ.
    renumbered : the readings behind it.
    set_aside, grade, fracture : the last reading of that kind by level, under the level's final name.
    """

    names: dict[Level, Level] = field(default_factory=dict)
    renumbered: tuple[Reading, ...] = ()
    set_aside: dict[Level, Reading] = field(default_factory=dict)
    grade: dict[Level, Reading] = field(default_factory=dict)
    fracture: dict[Level, Reading] = field(default_factory=dict)


def resolve(readings: Sequence[Reading], labelled: Iterable[Level]) -> Resolved:
    """What holds after some readings of a scan with these labelled levels.

    A reading speaks of a vertebra, not of a name: one that was made before a renumbering moves along with the bone.

    Raises
    ------
    OptionError : a level that is not in the scan, or names that would come twice or out of order.
    """
    given = sorted(set(labelled))
    now = {level: level for level in given}
    said: dict[str, dict[Level, Reading]] = {"set_aside": {}, "grade": {}, "fracture": {}}
    renumbered = []
    for reading in readings:
        bone = next((level for level, name in now.items() if name == reading.level), None)
        if bone is None:
            present = ", ".join(map(str, now.values())) or "none"
            raise OptionError(f"a reading of {reading.level}", f"the scan shows {present}", "name one of these")
        if reading.what == "renumber" and isinstance(reading.to, Level):
            now = renamed(now, bone, reading.to, reading.scope)
            renumbered.append(reading)
        else:
            said[reading.what][bone] = reading
    return Resolved(
        names={bone: name for bone, name in now.items() if bone is not name},
        renumbered=tuple(renumbered),
        **{what: {now[bone]: reading for bone, reading in found.items()} for what, found in said.items()},
    )


def renamed(now: Mapping[Level, Level], bone: Level, to: Level, scope: Scope) -> dict[Level, Level]:
    """The names after one vertebra got another one and those in the scope moved along.

    A neighbour of the renamed vertebra gets the name next to it, and so on. Names that the spine need not have, T13 and
    L6, are given to a neighbour only where it has that name now, or where they are asked for.

    Parameters
    ----------
    now : vertebrae from head to foot to the names that they have. bone : the one that is renamed to `to`.

    Raises
    ------
    OptionError : a spine that ends before the names do, or two vertebrae of one name, or names out of order.
    """
    bones = list(now)
    place = bones.index(bone)
    found = {**now, bone: to}
    if scope in ("up", "all"):
        _walk(found, now, bones[place::-1], -1)
    if scope in ("down", "all"):
        _walk(found, now, bones[place:], 1)
    names = [found[one] for one in bones]
    for upper, lower in pairwise(names):
        if upper >= lower:
            raise OptionError(
                f"{now[bone]} read as {to} would leave {upper} above {lower}",
                "every vertebra has one name, in order from head to foot",
                "move those above, those below, or all along with it",
            )
    return found


def _walk(found: dict[Level, Level], now: Mapping[Level, Level], bones: Sequence[Level], step: int) -> None:
    """Give names away from the first of some vertebrae; as many names are passed over as vertebrae are missing."""
    for before, bone in pairwise(bones):
        missing = _apart(now[before], now[bone]) - 1
        name = found[before]
        for _ in range(missing + 1):
            name = _next(name, step, now[bone])
        found[bone] = name


def _apart(one: Level, other: Level) -> int:
    """How many vertebrae one lies from another, counting what a usual spine has between them."""
    low, high = sorted((one, other))
    return 1 + sum(level.usual for level in Level if low < level < high)


def _next(name: Level, step: int, old: Level) -> Level:
    """The name beside another one towards the head (-1) or the foot (1)."""
    order = list(Level)
    place = order.index(name) + step
    while 0 <= place < len(order) and not order[place].usual and order[place] is not old:
        place += step
    if not 0 <= place < len(order):
        raise OptionError(
            f"there is no vertebra {'above' if step < 0 else 'below'} {name}",
            "the spine has more vertebrae there than names are left",
            "choose another name",
        )
    return order[place]
