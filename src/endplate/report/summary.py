"""The findings in a few plain sentences, most urgent first."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from endplate.case import Case
from endplate.finding import Finding
from endplate.level import Level
from endplate.report.density_words import density_sentences
from endplate.report.phrase import levels_listed, listed, value_of, with_unit

Index = dict[tuple[str, Level | None], Finding]
Writer = Callable[[Case, Index], list["Sentence"]]
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
    writers: tuple[Writer, ...] = (_fractures, _undecided, _signs, _intact, _bone, _strength, _rest, _rehearsed)
    return [sentence for writer in writers for sentence in writer(case, index)]


def levels_where(index: Index, code: str, *answers: object) -> list[Level]:
    """Levels at which a finding has one of these values, from head to foot."""
    return sorted(level for (name, level), f in index.items() if name == code and f.value in answers and level)


def _fractures(case: Case, index: Index) -> list[Sentence]:
    return [
        Sentence(tone="alarm", text=_broken(case, level, index)) for level in levels_where(index, "fracture", "yes")
    ]


def _broken(case: Case, level: Level, index: Index) -> str:
    found = _signs_at(case, level)
    signs = f" Signs: {'; '.join(found)}." if found else ""
    return f"{level} is fractured: {_deformed(case, level, index)}.{signs}"


def _deformed(case: Case, level: Level, index: Index) -> str:
    grade, loss, shape = (index.get((code, level)) for code in ("genant_grade", "height_loss", "deformity_shape"))
    words = []
    if loss is not None:
        worst = next((item.worst for item in case.fractures if item.level is level and item.worst), "")
        words.append(f"it has lost {with_unit(loss)} of its expected {worst + ' ' if worst else ''}height")
    if grade is not None:
        word = GRADE_WORDS.get(int(float(grade.value)), "")
        grade_words = f"{word} deformity" if word else "less than 20 % of height lost"
        kind = f", {shape.value} shape" if shape is not None and shape.value != "none" else ""
        words.append(f"Genant grade {value_of(grade)} ({grade_words}{kind})")
    return "; ".join(words) if words else "its heights could not be measured"


def _how_deformed(level: Level, index: Index) -> str:
    """A deformity in words that agree with its grade: below grade 1 only the shape is out of the ordinary."""
    grade = index.get(("genant_grade", level))
    below = grade is not None and float(grade.value) == 0
    return "has an unusual shape without a height loss of 20 %" if below else "is deformed"


def _undecided(case: Case, index: Index) -> list[Sentence]:
    """Deformed levels without an answer about fracture, and deformities called no fracture."""
    out = []
    for level in levels_where(index, "deformity", "yes", True):
        answer = index.get(("fracture", level))
        if answer is None or answer.value == "indeterminate":
            doubt = f"{level} {_how_deformed(level, index)}, but whether bone broke cannot be told from this scan"
            out.append(Sentence(tone="alarm", text=f"{doubt}: {_deformed(case, level, index)}."))
        elif answer.value == "no":
            signs = "but is not read as fractured" if _signs_at(case, level) else "without a sign of fracture"
            text = f"{level} {_how_deformed(level, index)} {signs}: {_deformed(case, level, index)}."
            out.append(Sentence(tone="note", text=text))
    return out


def _signs(case: Case, index: Index) -> list[Sentence]:
    """Levels with a sign of a broken endplate or cortex that are neither called fractured nor told as deformed."""
    found = {level for (code, level), f in index.items() if code == "deformity" and f.value in ("yes", True)}
    out = []
    for reading in case.fractures:
        if reading.signs and reading.fracture != "yes" and reading.level not in found:
            graded = reading.genant_grade is not None
            loss = "without a height loss of 20 %" if graded else "and a height loss that could not be measured"
            what = "a sign" if len(reading.signs) == 1 else "signs"
            text = f"{reading.level}: {what} of a fracture {loss} ({'; '.join(reading.signs)}): look at it."
            out.append(Sentence(tone="note", text=text))
    return out


def _signs_at(case: Case, level: Level) -> tuple[str, ...]:
    return next((reading.signs for reading in case.fractures if reading.level is level), ())


def _intact(case: Case, index: Index) -> list[Sentence]:
    graded = levels_where(index, "genant_grade", 0)
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
    tone, stated = density_sentences(case, densities)
    return [Sentence(tone=tone, text=" ".join(stated))]


def _strength(case: Case, index: Index) -> list[Sentence]:
    nonlinear = {level: f for (code, level), f in index.items() if code == "failure_load" and level}
    linear = {level: f for (code, level), f in index.items() if code == "failure_load_linear" and level}
    loads, how = (nonlinear, "") if nonlinear else (linear, " by the linear estimate")
    if not loads:
        return []
    weakest = min(loads, key=lambda level: float(loads[level].value))
    load = with_unit(loads[weakest])
    if len(loads) > 1:
        text = f"{weakest} is the weakest of the {len(loads)} bodies computed{how}: "
    else:
        text = f"Only {weakest} could be computed{how}: "
    text += f"it would fail at about {load} of compression."
    return [Sentence(tone="calm", text=text), *_cracked(case, index, list(loads)), *_load(case)]


def _cracked(case: Case, index: Index, solved: list[Level]) -> list[Sentence]:
    """What a computed strength of a broken body is worth."""
    broken = [level for level in levels_where(index, "fracture", "yes") if level in solved]
    if not broken:
        return []
    text = (
        f"The computed strength of {levels_listed(broken)} is that of a body of this shape and density: "
        "the model knows no cracks, and a shorter or impacted body can compute stronger than an intact one."
    )
    return [Sentence(tone="note", text=text)]


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


def _rehearsed(case: Case, index: Index) -> list[Sentence]:
    """That a repair was rehearsed; what came of it stands in its own section."""
    return [
        Sentence(
            tone="note",
            text=f"Rehearsed on {done.level}: {listed([item.procedure for item in done.nominal])}; see “Rehearsal of a "
            "repair”. A computation, not a forecast.",
        )
        for done in case.rehearsals
    ]


def _rest(case: Case, index: Index) -> list[Sentence]:
    out = []
    if case.volume is None:
        out.append(Sentence(tone="note", text="No CT was given, only labels: density and strength need a CT."))
    cut = [vertebra.level for vertebra in case.spine.vertebrae if vertebra.cut_by_field] if case.spine else []
    if cut:
        verb = "is" if len(cut) == 1 else "are"
        out.append(Sentence(tone="note", text=f"{levels_listed(cut)} {verb} cut by the border of the scan."))
    return out
