"""The tables of the page: levels down, quantities across, each cell a value with its band or an honest dash."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from endplate.biomechanics.result import LoadToStrength
from endplate.case import Case
from endplate.finding import Finding, Gap
from endplate.level import Level
from endplate.repair.rehearsal.findings import findings as rehearsal_findings
from endplate.report.density_words import certain_category, unused_levels
from endplate.report.phrase import NAMES, band_of, levels_listed, number, title_of, titles_listed, unit_of, value_of
from endplate.report.summary import Index, indexed

STRENGTH = "Stiffness and strength"
GROUPS = {
    "Shape": (
        "anterior_height",
        "middle_height",
        "posterior_height",
        "expected_height",
        "height_loss",
        "genant_grade",
        "deformity_shape",
        "deformity",
        "fracture",
    ),
    "Angles and posterior wall": (
        "wedge_angle",
        "local_kyphosis",
        "regional_kyphosis",
        "posterior_wall_involvement",
    ),
    "Discs": ("disc_anterior_height", "disc_middle_height", "disc_posterior_height"),
    "How sure, and endplate nodes": (
        "reading_confidence",
        "height_repeatability",
        "endplate_node",
        "height_within_node",
    ),
    "Bone density": ("trabecular_hu", "trabecular_density", "density_category"),
    STRENGTH: (
        "stiffness",
        "failure_load",
        "failure_load_plateau",
        "failure_load_linear",
        "load_to_strength",
    ),
}
Place = tuple[str, Level | None]
OF_WORST = ("expected_height", "height_loss")
"""Quantities of the height that lost most."""
OTHER = "Other findings"
HEIGHTS = ("anterior_height", "middle_height", "posterior_height")
READING = ("expected_height", "height_loss", "genant_grade", "deformity_shape", "deformity", "fracture")
WHOLE_GROUPS = {
    "All shape measurements": (*HEIGHTS, *READING),
    "Heights": HEIGHTS,
    "Height loss, grade and fracture": READING,
    "Bone density": GROUPS["Bone density"],
    STRENGTH: GROUPS[STRENGTH],
}
"""Names for groups of which everything is missing."""
INTROS = {
    "Shape": "Expected height and height loss are those of the height that lost most, named beside the number.",
    "Angles and posterior wall": (
        "Plus is kyphosis (front lower), minus is lordosis. Posterior wall involvement is the larger of the height "
        "lost at the posterior wall and the share of the wall that bulges back; it does not tell of the canal."
    ),
    "Discs": "Between the bony endplates of the level and the next one below; cartilage counts as disc.",
    "How sure, and endplate nodes": (
        "Confidence is the chance that the grade is right by the band of the height loss. Repeatability is half of the "
        "95 % band of measuring this label again; the bands of the heights are those between readers, and wider."
    ),
    "Bone density": "A category is given only where the whole band lies within it.",
}
SOLVED = (
    "The failure load (0.2 % offset, from the nonlinear run) is the result to read; the linear estimate stands beside "
    "it for comparison with published work and usually runs higher."
)
LINEAR_ONLY = (
    "Only the linear estimate was computed. It usually runs higher than the failure load of a nonlinear run and is "
    "meant for comparing levels and published work."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A value with its band; `reason` says why where nothing was measured."""

    value: str = ""
    band: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A titled table: heads are (title, unit), rows are (level, cells); the intro says how to read it."""

    title: str
    intro: str = ""
    heads: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """One reason why things are missing, with (levels, what it took away there)."""

    reason: str
    parts: tuple[tuple[str, str], ...]


def tables(case: Case) -> list[Table]:
    """All groups that hold at least one finding; codes unknown to the groups come last, so that nothing is hidden."""
    index = indexed(case)
    grouped = {code for codes in GROUPS.values() for code in codes}
    grouped |= {finding.code for rehearsal in case.rehearsals for finding in rehearsal_findings(rehearsal)}
    rest = dict.fromkeys(f.code for f in case.findings if f.code not in grouped and f.level is not None)
    groups = {**GROUPS, OTHER: tuple(rest)}
    if case.loads:
        groups[STRENGTH] = tuple(code for code in GROUPS[STRENGTH] if code != "load_to_strength")
    built = [_table(title, codes, case, index) for title, codes in groups.items()]
    return [table for table in (*built, _activities(case)) if table is not None]


def _activities(case: Case) -> Table | None:
    """Load over strength by activity: one finding each, told apart by what the patient does."""
    if not case.loads:
        return None
    names = list(dict.fromkeys(load.activity for load in case.loads))
    found = {(load.level, load.activity): load for load in case.loads}
    rows = []
    for level in sorted({load.level for load in case.loads}):
        loads = [found.get((level, name)) for name in names]
        rows.append((str(level), tuple(_load(load) if load else Cell(reason="not estimated") for load in loads)))
    heads = tuple((name[:1].upper() + name[1:], "") for name in names)
    return Table(title="Estimated load of daily life as a share of strength", heads=heads, rows=tuple(rows))


def _load(load: LoadToStrength) -> Cell:
    low, high = number(100 * load.low, 0), number(100 * load.high, 0)
    return Cell(value=f"{number(100 * load.ratio, 0)} %", band=f"{low} to {high}")


def _table(title: str, codes: tuple[str, ...], case: Case, index: Index) -> Table | None:
    held = [code for code in codes if any(name == code and level for name, level in index)]
    if not held:
        return None
    named = [finding.level for finding in case.findings] + [gap.level for gap in case.gaps]
    levels = sorted({level for level in named if level is not None})
    gaps = {(gap.code, gap.level): gap.reason for gap in reversed(case.gaps)}
    asides = _asides(case, index)
    rows = tuple((str(level), tuple(_cell(code, level, index, gaps, asides) for code in held)) for level in levels)
    return Table(title=title, intro=_intro(title, held), heads=tuple(_head(code, case) for code in held), rows=rows)


def _intro(title: str, codes: list[str]) -> str:
    if title != STRENGTH:
        return INTROS.get(title, "")
    return SOLVED if "failure_load" in codes else LINEAR_ONLY if "failure_load_linear" in codes else ""


def _head(code: str, case: Case) -> tuple[str, str]:
    title, unit = title_of(code), unit_of(next(finding for finding in case.findings if finding.code == code))
    return title, "" if title.endswith(unit) else unit


def _cell(code: str, level: Level, index: Index, gaps: Mapping[Place, str], asides: Mapping[Place, str]) -> Cell:
    finding, aside = index.get((code, level)), asides.get((code, level), "")
    density = index.get(("trabecular_density", level))
    if code == "density_category" and density is not None and certain_category(density) is None:
        return Cell(value="not certain", band=aside.removeprefix("; "))
    if finding is None:
        return Cell(reason=gaps.get((code, level), "not measured"))
    if code in OF_WORST:
        return Cell(value=f"{value_of(finding)} {aside}".strip(), band=band_of(finding))
    return Cell(value=value_of(finding), band=band_of(finding) or aside.removeprefix("; "))


def _asides(case: Case, index: Index) -> dict[Place, str]:
    """What must stand beside a number: which height lost most, and why a level's density was not used."""
    asides: dict[Place, str] = {
        (code, reading.level): reading.worst or "" for reading in case.fractures for code in OF_WORST
    }
    densities = {level: f for (code, level), f in index.items() if code == "trabecular_density" and level}
    for level, why in unused_levels(case, densities).items():
        asides["density_category", level] = f"; {why}"
    return asides


def whole_case(case: Case) -> list[Finding]:
    """Findings that belong to no single level."""
    return [finding for finding in case.findings if finding.level is None]


def missing(case: Case) -> list[Missing]:
    """Gaps gathered by reason, so that one cause is read once."""
    return [
        Missing(reason=reason, parts=_parts([gap for gap in case.gaps if gap.reason == reason]))
        for reason in dict.fromkeys(gap.reason for gap in case.gaps)
    ]


def _parts(gaps: list[Gap]) -> tuple[tuple[str, str], ...]:
    """(levels, what is missing there): codes gathered by the set of levels where they are missing."""
    levels_of: dict[str, tuple[Level | None, ...]] = {}
    for gap in gaps:
        levels_of[gap.code] = (*levels_of.get(gap.code, ()), gap.level)
    together: dict[tuple[Level | None, ...], list[str]] = {}
    for code, levels in levels_of.items():
        together.setdefault(levels, []).append(code)
    return tuple((levels_listed(levels), _what(codes)) for levels, codes in together.items())


def _what(codes: list[str]) -> str:
    """The titles of codes; a group of which everything is missing goes by its name."""
    words, left = [], list(codes)
    for title, group in WHOLE_GROUPS.items():
        if set(group) <= set(left):
            words.append(title)
            left = [code for code in left if code not in group]
    found = [*words, *([titles_listed(left)] if left else [])]
    text = ", ".join(
        [found[0], *(word[:1].lower() + word[1:] if not word.startswith(NAMES) else word for word in found[1:])]
    )
    return text
