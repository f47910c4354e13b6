"""Variants of one level side by side: one scale in each row, differences from the first in numbers and in words."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from endplate.repair.band import Band
from endplate.repair.rehearsal.result_table import NEIGHBOUR
from endplate.report.phrase import anatomical, listed, number
from endplate.report.rehearsal.table import GROUPS, NEIGHBOUR_ROWS, Row, cell
from endplate.store.rehearsals import RehearsalRow

NONE = "none"
GLANCE: dict[str, tuple[str, ...]] = {
    "Shape": ("cured_anterior_mm", "cured_wedge_deg"),
    "Cavity and cement": ("cavity_ml", "cement_ml", "leaked_ml", "openings"),
    "Strength and load": ("strength_n", "strength_ratio", "load_share_standing", "load_share_flexed"),
}
"""What is seen without opening anything; adjacent levels and clearances follow."""
ADJACENT = "strain"
TITLES = {
    "cured_wedge_deg": "Wedge angle changed (minus: less wedged)",
    "strength_ratio": "Failure load over no repair",
    "leaked_ml": "Cement outside the body",
}
DIRECTIONS = {"cured_wedge_deg": ("more wedged", "less wedged")}
"""Words for more and less where a sign turns them round."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """One variant's part of a row.

    Attributes
    ----------
    text, band : as printed; `reason` stands where there is no value. more : names beside the value.
    bar : (low, value, high) on the row's scale, 0 to 100; None without a number.
    change : against the first variant, in words; mark : "▲", "▼", "=" or empty.
    """

    text: str = ""
    band: str = ""
    reason: str = ""
    more: str = ""
    bar: tuple[float, float, float] | None = None
    change: str = ""
    mark: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A row of the comparison; `scale` says what its bars span, `zero` is the place of nought on it (0 to 100)."""

    title: str
    cells: tuple[Compared, ...]
    scale: str = ""
    zero: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Rows that belong together; those at a glance come first."""

    title: str
    lines: list[Line] = field(default_factory=list)


def compared(variants: Sequence[RehearsalRow]) -> tuple[list[Group], list[Group]]:
    """Rows at a glance, and all others: no repair in the first column, then every variant."""
    results = [one.result for one in variants]
    rows = {row.name: row for group in GROUPS.values() for row in group}
    glance = [
        Group(title=title, lines=[line for name in names if (line := _shown(rows[name], results)) is not None])
        for title, names in GLANCE.items()
    ]
    glance += [Group(title="Adjacent levels", lines=_adjacent(results, (ADJACENT,))), _needles(results)]
    shown = {name for names in GLANCE.values() for name in names}
    rest = [
        Group(title=title, lines=[line for row in group if row.name not in shown and (line := _line(row, results))])
        for title, group in GROUPS.items()
    ]
    others = tuple(what for what in NEIGHBOUR_ROWS if what != ADJACENT)
    rest.append(Group(title="Adjacent levels", lines=_adjacent(results, others)))
    return [group for group in glance if group.lines], [group for group in rest if group.lines]


PLAN_WORDS = {
    "procedure": "procedure", "needle": "needle", "balloon": "balloon", "cement": "cement", "sides": "sides",
    "cement_ml": "volume of cement", "balloon_ml": "volume of the balloons", "members": "runs", "voxel_mm": "voxels",
}  # fmt: skip


def plans_differ(variants: Sequence[RehearsalRow]) -> list[str]:
    """In what the plans of variants differ besides their needles, in words."""
    return [words for name, words in PLAN_WORDS.items() if len({_asked(one.asked.get(name)) for one in variants}) > 1]


def _asked(value: Any) -> str:
    return "" if value in (None, "", 0, "auto") else str(value)


UNKNOWN = {
    "load_share_standing": "the record does not say what load this level bears",
    "load_share_flexed": "the record does not say what load this level bears",
}
"""Rows that are shown with the reason where nobody has a number, since a reader looks for them."""


def _shown(row: Row, results: Sequence[dict[str, Any]]) -> Line | None:
    line = _line(row, results)
    if line is not None or row.name not in UNKNOWN:
        return line
    cells = tuple(Compared(reason=UNKNOWN[row.name]) for _ in range(len(results) + 1))
    return Line(title=f"{row.title} ({row.unit})", cells=cells)


def _band(held: Any) -> Band | None:
    if not isinstance(held, dict):
        return None
    return Band(value=held["value"], low=held["low"], high=held["high"], reason=held["reason"] or "")


def _line(row: Row, results: Sequence[dict[str, Any]], title: str = "") -> Line | None:
    """One result over no repair and all variants; None where nobody has it."""
    columns = [(NONE, results[0]["values"].get(NONE, {}))]
    columns += [(one["procedure"], one["values"].get(one["procedure"], {})) for one in results]
    bands = [_band(of.get(row.name)) for _, of in columns]
    if not any(band is not None and band.value is not None for band in bands):
        return None
    low, high = _ends(bands, row)
    cells = []
    for place, ((procedure, _), band) in enumerate(zip(columns, bands, strict=True)):
        printed = cell(band, row, procedure)
        more = _routes(results[place - 1]) if row.name == "openings" and place else ""
        change, mark = ("", "") if place < 2 else _change(band, bands[1], row)
        cells.append(
            Compared(
                text=printed.value, band=printed.band, reason=printed.reason if place else "", more=more,
                bar=_bar(band, row, low, high), change=change, mark=mark,
            )
        )  # fmt: skip
    named = title or TITLES.get(row.name, row.title)
    unit = f" ({row.unit})" if row.unit else ""
    span = f"scale {number(low, row.decimals)} to {number(high, row.decimals)}{' ' + row.unit if row.unit else ''}"
    return Line(title=named + unit, cells=tuple(cells), scale=span, zero=_place(0.0, low, high))


def _ends(bands: Iterable[Band | None], row: Row) -> tuple[float, float]:
    """What the bars of a row span: nought, every value and every band."""
    numbers = [0.0]
    for band in bands:
        if band is not None and band.value is not None:
            numbers += [row.factor * end for end in (band.value, band.low, band.high) if end is not None]
    low, high = min(numbers), max(numbers)
    alike = number(low, row.decimals) == number(high, row.decimals)
    return (low, low + 1.0) if alike else (low, high)


def _place(value: float, low: float, high: float) -> float:
    return round(100 * (value - low) / (high - low), 2)


def _bar(band: Band | None, row: Row, low: float, high: float) -> tuple[float, float, float] | None:
    if band is None or band.value is None:
        return None
    ends = (band.value if band.low is None else band.low, band.value, band.value if band.high is None else band.high)
    first, value, last = (_place(row.factor * end, low, high) for end in ends)
    return first, value, last


def _change(band: Band | None, first: Band | None, row: Row) -> tuple[str, str]:
    """The difference from the first variant, in words, with its mark."""
    if band is None or first is None or band.value is None or first.value is None:
        return "", ""
    by = row.factor * (band.value - first.value)
    if number(abs(by), row.decimals) == number(0.0, row.decimals):
        return "the same", "="
    more, less = DIRECTIONS.get(row.name, ("more", "less"))
    unit = "" if row.unit in ("", "×") else row.unit if row.unit == "°" else f" {row.unit}"
    words = f"{number(abs(by), row.decimals)}{unit} {more if by > 0 else less}"
    if None not in (band.low, band.high, first.low, first.high):
        apart = band.low > first.high or band.high < first.low  # type: ignore[operator]
        words += ", bands apart" if apart else ", bands overlap"
    return words, "▲" if by > 0 else "▼"


def _routes(result: dict[str, Any]) -> str:
    return anatomical(listed(list(dict.fromkeys(one["name"] for one in result.get("routes", [])))))


def _adjacent(results: Sequence[dict[str, Any]], kinds: Sequence[str]) -> list[Line]:
    """After over before at the neighbours, level by level and load by load."""
    names = dict.fromkeys(name for one in results for name in one["values"].get(one["procedure"], {}))
    found = []
    for kind in kinds:
        for name in names:
            match = NEIGHBOUR.fullmatch(name)
            if match is None or match[1] != kind:
                continue
            words = f"{match[2]}, {match[3]}: {NEIGHBOUR_ROWS[kind].lower()}, after over before"
            line = _line(Row(name=name, title=words, unit="", decimals=2), results, words)
            if line is not None:
                found.append(line)
    return found


def _needles(results: Sequence[dict[str, Any]]) -> Group:
    """Clearances: the wall with least to spare of each needle, and in words how every run ended."""
    tightest = [_tightest(one) for one in results]
    row = Row(name="spare", title="Least to spare beyond a wall's limit", unit="mm")
    bands = [None, *(None if one is None else Band(value=one[0]) for one in tightest)]
    low, high = _ends(bands, row)
    cells = [Compared(reason="no needle")]
    for place, one in enumerate(tightest):
        if one is None:
            cells.append(Compared(reason=results[place].get("reason") or "no needle"))
            continue
        change, mark = ("", "") if place == 0 else _change(bands[place + 1], bands[1], row)
        cells.append(
            Compared(text=number(one[0], 1), more=one[1], bar=_bar(bands[place + 1], row, low, high), change=change,
                     mark=mark)
        )  # fmt: skip
    lines = [Line(title="Least to spare beyond a wall's limit (mm)", cells=tuple(cells),
                  scale=f"scale {number(low, 1)} to {number(high, 1)} mm", zero=_place(0.0, low, high))]  # fmt: skip
    lines.append(Line(title="How it ended", cells=(Compared(text="–"), *(_ended(one) for one in results))))
    return Group(title="Clearances and course", lines=lines)


def _tightest(result: dict[str, Any]) -> tuple[float, str] | None:
    """What the tightest wall of all needles leaves beyond its limit, and which it is."""
    walls = [
        (wall["mm"] - wall["least"], needle, wall) for needle in result["needles"] for wall in needle["clearances"]
    ]
    if not walls:
        return None
    spare, needle, wall = min(walls, key=lambda item: item[0])
    words = f"{needle['side']}: {number(wall['mm'], 1)} mm to the {wall['wall']}, at least {number(wall['least'], 1)}"
    return spare, words


def _ended(result: dict[str, Any]) -> Compared:
    said = [result.get("unconverged"), result.get("stopped"), result.get("reason")]
    early = "; ".join(filter(None, said))
    stops = [f"{part}: {result[part]['stop']}" for part in ("balloon", "cement") if result.get(part)]
    return Compared(text="ended early" if early else "whole", more=early or anatomical("; ".join(stops)))
