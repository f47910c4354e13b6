"""The tables of the page: levels down, quantities across, each cell a value with its band or an honest dash."""

from __future__ import annotations

from dataclasses import dataclass

from endplate.biomechanics.result import LoadToStrength
from endplate.case import Case
from endplate.finding import Finding, Gap
from endplate.level import Level
from endplate.report.density_words import certain_category
from endplate.report.phrase import band_of, levels_listed, number, title_of, unit_of, value_of
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
    "Bone density": ("trabecular_hu", "trabecular_density", "density_category"),
    STRENGTH: (
        "stiffness",
        "failure_load",
        "failure_load_plateau",
        "failure_load_linear",
        "load_to_strength",
    ),
}
WHOLE_CASE = "Whole case"
OTHER = "Other findings"
CLAUSE = "; "
"""What parts the clauses of a method."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """A value with its band; `reason` says why where nothing was measured."""

    value: str = ""
    band: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A titled table: heads are (title, unit), rows are (level, cells)."""

    title: str
    heads: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, tuple[Cell, ...]], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """One reason why things are missing, with what it took away and where."""

    reason: str
    what: str
    where: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """How a quantity was measured: what all levels share, what is a level's own, and the sources."""

    title: str
    shared: str
    own: tuple[tuple[str, str], ...]
    sources: tuple[str, ...]


def tables(case: Case) -> list[Table]:
    """All groups that hold at least one finding; codes unknown to the groups come last, so that nothing is hidden."""
    index = indexed(case)
    grouped = {code for codes in GROUPS.values() for code in codes}
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
    rows = tuple((str(level), tuple(_cell(code, level, index, gaps) for code in held)) for level in levels)
    return Table(title=title, heads=tuple(_head(code, case) for code in held), rows=rows)


def _head(code: str, case: Case) -> tuple[str, str]:
    return title_of(code), unit_of(next(finding for finding in case.findings if finding.code == code))


def _cell(code: str, level: Level, index: Index, gaps: dict[tuple[str, Level | None], str]) -> Cell:
    finding = index.get((code, level))
    if finding is None:
        return Cell(reason=gaps.get((code, level), "not measured"))
    density = index.get(("trabecular_density", level))
    if code == "density_category" and density is not None and certain_category(density) is None:
        return Cell(value="not certain", band=f"best guess {value_of(finding)}")
    return Cell(value=value_of(finding), band=band_of(finding))


def whole_case(case: Case) -> list[Finding]:
    """Findings that belong to no single level."""
    return [finding for finding in case.findings if finding.level is None]


def missing(case: Case) -> list[Missing]:
    """Gaps gathered by reason and place, so that one cause is read once."""
    by_reason: dict[tuple[str, tuple[Level | None, ...]], list[str]] = {}
    for reason in dict.fromkeys(gap.reason for gap in case.gaps):
        for codes, levels in _same_levels([gap for gap in case.gaps if gap.reason == reason]):
            by_reason[(reason, levels)] = codes
    return [
        Missing(reason=reason, what=_titles(codes), where=levels_listed(levels))
        for (reason, levels), codes in by_reason.items()
    ]


def _same_levels(gaps: list[Gap]) -> list[tuple[list[str], tuple[Level | None, ...]]]:
    """Codes of one reason gathered by the set of levels where they are missing."""
    levels_of: dict[str, tuple[Level | None, ...]] = {}
    for gap in gaps:
        levels_of[gap.code] = (*levels_of.get(gap.code, ()), gap.level)
    together: dict[tuple[Level | None, ...], list[str]] = {}
    for code, levels in levels_of.items():
        together.setdefault(levels, []).append(code)
    return [(codes, levels) for levels, codes in together.items()]


def _titles(codes: list[str]) -> str:
    titles = [title_of(code) for code in codes]
    return ", ".join([titles[0], *(title[0].lower() + title[1:] for title in titles[1:])])


def methods(case: Case) -> list[Method]:
    """Method and source of every quantity that was reported, in the order of the tables."""
    order = [code for codes in GROUPS.values() for code in codes]
    codes = sorted({f.code for f in case.findings}, key=lambda c: order.index(c) if c in order else len(order))
    out = []
    for code in codes:
        same = [finding for finding in case.findings if finding.code == code]
        out.append(
            Method(
                title=title_of(code),
                shared=CLAUSE.join(_shared(same)),
                own=_own(same),
                sources=tuple(dict.fromkeys(finding.source for finding in same)),
            )
        )
    return out


def _shared(findings: list[Finding]) -> list[str]:
    """Clauses that every level's method holds, in their order."""
    others = [set(finding.method.split(CLAUSE)) for finding in findings[1:]]
    return [clause for clause in findings[0].method.split(CLAUSE) if all(clause in other for other in others)]


def _own(findings: list[Finding]) -> tuple[tuple[str, str], ...]:
    """(levels, clauses) of what is left where methods differ."""
    shared = set(_shared(findings))
    left: dict[str, list[Level | None]] = {}
    for finding in findings:
        words = CLAUSE.join(clause for clause in finding.method.split(CLAUSE) if clause not in shared)
        if words:
            left.setdefault(words, []).append(finding.level)
    return tuple((levels_listed(levels), words) for words, levels in left.items())
