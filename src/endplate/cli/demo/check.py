"""What the digital spine was built to be, beside what was measured of it: the demo's own check, for every reader."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from endplate.finding import Caution, Finding
from endplate.fracture.grade import KINDS, genant_grade, worst_of
from endplate.level import Level
from endplate.report.phrase import BUILT, levels_listed, number, value_of, with_unit
from endplate.report.summary import Index, indexed

if TYPE_CHECKING:
    from endplate.case import Case
    from endplate.image.phantom import LevelTruth, PhantomTruth


def built_beside_measured(case: Case, truth: PhantomTruth) -> tuple[Caution, ...]:
    """Notes that set the phantom's truth beside the findings of the case: deformed levels, intact ones, density."""
    index = indexed(case)
    present = [level for level in sorted(truth.levels) if any(place == level for _, place in index)]
    deformed = [level for level in present if truth.levels[level].grade]
    intact = [level for level in present if level not in deformed]
    found = [_note(_shape(truth.levels[level], index), level) for level in deformed]
    if intact:
        found.append(_note(_intact(intact, index)))
    density = _density(truth, present, index)
    return (*found, *([_note(density)] if density else ()))


def broken_truth(intact: PhantomTruth, made: dict[str, Any]) -> PhantomTruth:
    """The phantom's truth with the crushed level as `truth.json` tells it."""
    level = Level(made["level"])
    front, middle, back = (made["losses"][kind] for kind in KINDS)
    worst = worst_of((front, middle, back))
    loss = made["losses"][worst]
    crushed = replace(intact.levels[level], loss=loss, worst=worst, grade=genant_grade(loss), shape=made["shape"])
    return replace(intact, levels={**intact.levels, level: crushed})


def _note(text: str, level: Level | None = None) -> Caution:
    return Caution(code=BUILT, level=level, text=text)


def _shape(built: LevelTruth, index: Index) -> str:
    loss, grade, shape, fracture = (
        index.get((code, built.level)) for code in ("height_loss", "genant_grade", "deformity_shape", "fracture")
    )
    plate = "broken" if built.breach else "whole"
    lost = f"{number(100 * built.loss, 1)} % {built.worst} height loss"
    return (
        f"built: {built.shape}, {lost}, grade {built.grade}, endplate {plate}; "
        f"measured: {_shown(shape)}, {_shown(loss)} height loss, grade {_shown(grade)}, fracture: {_shown(fracture)}"
    )


def _shown(finding: Finding | None) -> str:
    return with_unit(finding) if finding is not None else "not measured"


def _intact(levels: Sequence[Level], index: Index) -> str:
    grades: dict[str, list[Level]] = {}
    for level in levels:
        finding = index.get(("genant_grade", level))
        grades.setdefault(value_of(finding) if finding is not None else "none", []).append(level)
    measured = "; ".join(f"grade {grade} at {levels_listed(where)}" for grade, where in sorted(grades.items()))
    return f"{levels_listed(list(levels))}: built intact; measured: {measured}"


def _density(truth: PhantomTruth, levels: Sequence[Level], index: Index) -> str:
    """Density of the core: one value or a range built, and each level measured."""
    measured = {level: index.get(("trabecular_density", level)) for level in levels}
    found = {level: finding for level, finding in measured.items() if finding is not None}
    if not found:
        return ""
    cores = sorted({truth.levels[level].core_mg_cm3 for level in found})
    built = number(cores[0], 0) if len(cores) == 1 else f"{number(cores[0], 0)} to {number(cores[-1], 0)}"
    each = ", ".join(f"{level} {value_of(finding)}" for level, finding in found.items())
    return f"density of the trabecular bone, built: {built} mg/cm3; measured: {each}"
