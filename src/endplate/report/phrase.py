"""Numbers, bands, units and lists as a person reads them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime, timedelta

from endplate.finding import Caution, Finding, catalogue
from endplate.level import Level

UNIT_WORDS = {"1": "", "[hnsf'U]": "HU", "mg/cm3": "mg/cm³", "deg": "°", "mm": "mm", "N": "N", "N/mm": "N/mm", "": ""}
"""UCUM text to what is printed."""
AS_PERCENT = frozenset({"height_loss", "posterior_wall_involvement"})
"""Fractions that people read as per cent."""
SHARES = frozenset({"posterior_wall_involvement"})
"""Parts of a whole, whose bands end at none and all of it."""


NAMES = ("Genant", "Cobb", "Gardner", "HU")
"""Words that keep their capital inside a sentence."""
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip
"""English months, whatever the computer's language."""


def number(value: float, decimals: int) -> str:
    """A number with a true minus sign and a thin space between thousands; what rounds to nothing has no sign."""
    return f"{round(value, decimals) + 0.0:,.{decimals}f}".replace(",", "\u202f").replace("-", "−")


def value_of(finding: Finding) -> str:
    """The value alone, as text."""
    return _formatted(finding, finding.value)


def band_of(finding: Finding) -> str:
    """The band "low to high", empty where there is none or it has no width."""
    if finding.low is None or finding.high is None:
        return ""
    clipped = finding.code in SHARES
    ends = (max(finding.low, 0.0), min(finding.high, 1.0)) if clipped else (finding.low, finding.high)
    low, high = (_formatted(finding, end) for end in ends)
    return "" if low == high == value_of(finding) else f"{low} to {high}"


def unit_of(finding: Finding) -> str:
    """The unit as printed."""
    return "%" if finding.code in AS_PERCENT else UNIT_WORDS.get(finding.unit, finding.unit)


def with_unit(finding: Finding, with_band: bool = True) -> str:
    """Value, unit and band in one phrase: "2 340 N (1 900 to 2 800)"."""
    unit = unit_of(finding)
    joined = f"{value_of(finding)}{'' if unit == '°' else ' ' if unit else ''}{unit}"
    band = band_of(finding) if with_band else ""
    return f"{joined} ({band})" if band else joined


SIGNS = (
    (r"\+-\s?", "±\u202f"), (r"\bmg/cm3\b", "mg/cm³"), (r"\b(mm|cm)([23])\b", lambda m: m[1] + "²³"[int(m[2]) - 2]),
    (r"(?<=\d) deg\b", "°"), (r">=\s?", "≥ "), (r"<=\s?", "≤ "), (r"(?<=\d) ?%", " %"), (r"\bK2HPO4\b", "K₂HPO₄"),
    (r"(?<= )x(?= )", "×"), (r"\[hnsf'U\]", "HU"), (r"(?<![\w-])-(?=\d)", "−"),
)  # fmt: skip
"""Plain-text signs of the findings and what a page prints for them."""


def polished(text: str) -> str:
    """Text of a finding, gap or caution with the signs a reader expects; the JSON keeps it plain."""
    for pattern, sign in SIGNS:
        text = re.sub(pattern, sign, text)
    return text


ANATOMY = (
    ("thin place in the", "cortical defect of the"), ("upper endplate", "superior endplate"),
    ("lower endplate", "inferior endplate"), ("back wall", "posterior wall"),
    ("front or side wall", "anterior or lateral wall"), ("front wall", "anterior wall"), ("side wall", "lateral wall"),
    ("opening reached", "leakage route reached"),
)  # fmt: skip
"""Plain names of places in the results of a rehearsal, and the terms of anatomy for them."""


def anatomical(text: str) -> str:
    """Text of a rehearsal in the terms of anatomy; the JSON keeps it plain."""
    for plain, term in ANATOMY:
        text = re.sub(rf"\b{plain}", term, text)
        text = text.replace(plain.capitalize(), term.capitalize())
    return text


BUILT, NOTE = "built_truth", "input"
"""Codes of cautions that are no problems: what a digital spine was built to be, and plain notes of the readers."""
ROUTE_PLACES = {"rods": "calibration rods", "tissue": "the patient's own tissues", "given": "the given line"}


def caution_words(caution: Caution) -> str:
    """A caution as a sentence; routes of calibration that were refused are named in words."""
    if caution.code not in ("published_density_line", "calibration_route_refused"):
        return caution.text
    routes = "|".join(ROUTE_PLACES)
    nested = rf" \(((?:{routes}): .*)\)$"
    text = re.sub(nested, r". \1", caution.text)
    return (
        re.sub(
            rf"(^|; |\. )({routes}): ", lambda m: f"{m[1]}{ROUTE_PLACES[m[2]]} could not calibrate it, because ", text
        )
        .replace(". the", ". The")
        .replace(". calib", ". Calib")
    )


def moment(iso: str) -> str:
    """A time stamp as people write it: 22 November 2026, 19:13 UTC; text that is no time stamp stays."""
    try:
        when = datetime.fromisoformat(iso)
    except ValueError:
        return iso or "at an unknown time"
    month = MONTHS[when.month - 1]
    return f"{when.day} {month} {when.year}, {when:%H:%M}{' UTC' if when.utcoffset() == timedelta(0) else ''}"


def title_of(code: str) -> str:
    """The catalogue's title of a code, or the code in words where the catalogue does not know it."""
    entry = catalogue().get(code)
    return entry.title if entry else code.replace("_", " ").capitalize()


def titles_listed(codes: Sequence[str]) -> str:
    """Titles in one phrase: only the first with a capital, names keep theirs."""
    titles = [title_of(code) for code in codes]
    rest = [title if title.startswith(NAMES) else title[:1].lower() + title[1:] for title in titles[1:]]
    return ", ".join([*titles[:1], *rest])


def stopped(text: str) -> str:
    """Text as a sentence: a capital at the start and one stop at the end, whatever it ended in."""
    bare = text.strip()
    return f"{bare[:1].upper()}{bare[1:]}" + ("" if bare.endswith((".", "?", "!")) else ".") if bare else ""


def listed(words: Sequence[str]) -> str:
    """A, B and C."""
    return " and ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else "".join(words)


def levels_listed(levels: Sequence[Level | None]) -> str:
    """Levels head to foot as words, three or more in a row as "T9 to L5"; None is the whole case."""
    runs: list[list[Level]] = []
    for level in sorted({level for level in levels if level is not None}):
        if runs and level.follows(runs[-1][-1]):
            runs[-1].append(level)
        else:
            runs.append([level])
    words = [f"{run[0]} to {run[-1]}" if len(run) > 2 else ", ".join(map(str, run)) for run in runs]
    return listed(", ".join(words).split(", ")) if words else "the whole case"


def _formatted(finding: Finding, value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if not isinstance(value, int | float):
        return str(value)
    entry = catalogue().get(finding.code)
    decimals = entry.decimals if entry else 2
    if finding.code in AS_PERCENT:
        return number(100 * float(value), max(decimals - 2, 0))
    return number(float(value), decimals)
