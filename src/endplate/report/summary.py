"""The findings in a few plain sentences, most urgent first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from endplate.case import Case
from endplate.finding import Finding
from endplate.level import Level
from endplate.report.phrase import levels_listed, listed, value_of, with_unit

Index = dict[tuple[str, Level | None], Finding]
GRADE_WORDS = {1: "mild", 2: "moderate", 3: "severe"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sentence:
    """One sentence of the summary; `tone` is alarm, note or calm."""

    tone: str
    text: str


def indexed(case: Case) -> Index:
    """Findings by code and level; the first of a kind where there are several (load cases)."""
    table: Index = {}
    for finding in case.findings:
        table.setdefault((finding.code, finding.level), finding)
    return table


def summarise(case: Case) -> list[Sentence]:
    """The summary: what was seen, what is broken, how dense, how strong, what is missing."""
    index = indexed(case)
    writers: list[Callable[[Case, Index], list[Sentence]]] = [_fractures, _undecided, _intact, _bone, _strength, _rest]
    return [sentence for writer in writers for sentence in writer(case, index)]


def _levels_where(index: Index, code: str, *answers: object) -> list[Level]:
    return sorted(level for (name, level), f in index.items() if name == code and f.value in answers and level)


def _fractures(case: Case, index: Index) -> list[Sentence]:
    return [
        Sentence(tone="alarm", text=_broken(case, level, index)) for level in _levels_where(index, "fracture", "yes")
    ]


def _broken(case: Case, level: Level, index: Index) -> str:
    reading = next((item for item in case.fractures if item.level is level), None)
    signs = f" Signs: {'; '.join(reading.signs)}." if reading is not None and reading.signs else ""
    return f"{level} reads as fractured: {_deformed(case, level, index)}.{signs}"


def _deformed(case: Case, level: Level, index: Index) -> str:
    grade, loss, shape = (index.get((code, level)) for code in ("genant_grade", "height_loss", "deformity_shape"))
    words = []
    if loss is not None:
        worst = next((item.worst for item in case.fractures if item.level is level and item.worst), "")
        words.append(f"it has lost {with_unit(loss)} of its expected {worst + ' ' if worst else ''}height")
    if grade is not None:
        word = GRADE_WORDS.get(int(float(grade.value)), "no")
        kind = f", {shape.value} shape" if shape is not None and shape.value != "none" else ""
        words.append(f"Genant grade {value_of(grade)} ({word} deformity{kind})")
    return "; ".join(words) if words else "its heights could not be measured"


def _undecided(case: Case, index: Index) -> list[Sentence]:
    """Deformed levels without an answer about fracture, and deformities called no fracture."""
    out = []
    for level in _levels_where(index, "deformity", "yes", True):
        answer = index.get(("fracture", level))
        if answer is None or answer.value == "indeterminate":
            doubt = f"{level} is deformed, but whether bone broke cannot be told from this scan"
            out.append(Sentence(tone="alarm", text=f"{doubt}: {_deformed(case, level, index)}."))
        elif answer.value == "no":
            text = f"{level} is deformed without a sign of fracture: {_deformed(case, level, index)}."
            out.append(Sentence(tone="note", text=text))
    return out


def _intact(case: Case, index: Index) -> list[Sentence]:
    graded = _levels_where(index, "genant_grade", 0)
    out = []
    if graded:
        text = f"No height loss of 20 % or more at {levels_listed(graded)}."
        out.append(Sentence(tone="calm", text=text))
    elif not any(code == "genant_grade" for code, _ in index):
        out.append(Sentence(tone="note", text="No level could be graded for height loss; the reasons are below."))
    return out


def _bone(case: Case, index: Index) -> list[Sentence]:
    densities = {level: f for (code, level), f in index.items() if code == "trabecular_density" and level}
    if not densities:
        return []
    by_category: dict[str, list[str]] = {}
    for level in sorted(densities):
        category = index.get(("density_category", level))
        name = str(category.value) if category else "not classified"
        by_category.setdefault(name, []).append(f"{level} {value_of(densities[level])}")
    words = {"osteoporosis": "in the osteoporosis range", "low": "low", "normal": "in the normal range"}
    parts = [f"{words.get(name, name)} at {', '.join(levels)}" for name, levels in by_category.items()]
    tone = "alarm" if "osteoporosis" in by_category else "calm"
    route = f" The calibration: {_route(case)}." if case.calibration else ""
    return [Sentence(tone=tone, text=f"Density of the spongy bone (mg/cm³) is {listed(parts)}.{route}")]


def _route(case: Case) -> str:
    routes = {
        "given": "slope and offset as given",
        "rods": "the calibration rods in the image",
        "tissue": "the patient's own air, fat and muscle in the image",
        "published": "a published line for the tube voltage, the least certain route",
    }
    return routes[case.calibration.route] if case.calibration else ""


def _strength(case: Case, index: Index) -> list[Sentence]:
    nonlinear = {level: f for (code, level), f in index.items() if code == "failure_load" and level}
    linear = {level: f for (code, level), f in index.items() if code == "failure_load_linear" and level}
    loads, how = (nonlinear, "") if nonlinear else (linear, " by the linear estimate")
    if not loads:
        return []
    weakest = min(loads, key=lambda level: float(loads[level].value))
    number = f"of the {len(loads)} bodies computed" if len(loads) > 1 else "the one body computed"
    text = f"{weakest} is the weakest {number}{how}: it would fail at about {with_unit(loads[weakest])} of compression."
    return [Sentence(tone="calm", text=text), *_load(case)]


def _load(case: Case) -> list[Sentence]:
    """The level and activity that come closest to the failure load."""
    hardest = max(case.loads, key=lambda load: load.ratio, default=None)
    if hardest is None:
        return []
    share = f"{100 * hardest.ratio:.0f} % ({100 * hardest.low:.0f} to {100 * hardest.high:.0f})"
    text = (
        f"{hardest.level} comes closest to its limit: {hardest.activity} would load it to about {share} of its failure "
        "load. This is an estimate for comparing levels and activities, not a fracture risk."
    )
    return [Sentence(tone="note" if hardest.ratio >= 1.0 else "calm", text=text)]


def _rest(case: Case, index: Index) -> list[Sentence]:
    out = []
    if case.volume is None:
        out.append(
            Sentence(tone="note", text="No CT was given, only labels: shape is measured, density and strength are not.")
        )
    cut = [vertebra.level for vertebra in case.spine.vertebrae if vertebra.cut_by_field] if case.spine else []
    if cut:
        verb = "is" if len(cut) == 1 else "are"
        out.append(Sentence(tone="note", text=f"{levels_listed(cut)} {verb} cut by the border of the scan."))
    return out
