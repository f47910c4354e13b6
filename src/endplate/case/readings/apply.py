"""Bring readings into a case: other names before it is measured, and what is said of a level while it is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from endplate.case.readings.reading import Reading, as_plain
from endplate.case.readings.resolve import Resolved, resolve
from endplate.finding import Caution, Finding, Gap, catalogue
from endplate.fracture.result import Fracture
from endplate.image.volume import LabelMap
from endplate.level import FROM_VERSE_ID, Level

if TYPE_CHECKING:
    from endplate.case.model import Case

RENUMBERED, SET_ASIDE, READ = "renumbered_by_reader", "set_aside_by_reader", "read_by_reader"
COMPUTED = {"genant_grade": "genant_grade_computed", "fracture": "fracture_computed"}


def with_readings(case: Case, readings: Sequence[Reading]) -> Case:
    """A case as it was read, with what a reader says of it: levels renamed, the rest kept for when it is measured.

    Pure: the case given stays as it was. Everything is measured from the labels again, so that nothing computed under
    an old name is left.

    Parameters
    ----------
    case : from `read_case`; a measured one is taken back to what was read.
    readings : in the order in which they were made, after those that the case has.

    Raises
    ------
    OptionError : a level that is not in the scan, or names that would come twice or out of order.
    """
    if not readings:
        return case
    present = labelled(case.labels)
    resolved = resolve(readings, present)
    kept = tuple(caution for caution in case.cautions if caution.code == "input")
    said = {"readings": [as_plain(one) for one in readings], "labelled_levels": [str(level) for level in present]}
    return replace(
        case,
        labels=renumbered(case.labels, resolved.names),
        readings=tuple(readings),
        resolved=resolved,
        spine=None, fractures=(), alignment=None, calibration=None, densities=(), strengths=(), loads=(),
        rehearsals=(), care=None, findings=(), gaps=(),
        cautions=kept + reading_cautions(resolved),
        provenance=replace(case.provenance, parameters={**case.provenance.parameters, **said}),
    )  # fmt: skip


def labelled(labels: LabelMap) -> tuple[Level, ...]:
    """The levels in a label map, from head to foot."""
    seen = np.bincount(labels.labels.reshape(-1), minlength=1)
    return tuple(sorted(FROM_VERSE_ID[int(n)] for n in np.flatnonzero(seen) if int(n) in FROM_VERSE_ID))


def renumbered(labels: LabelMap, names: dict[Level, Level]) -> LabelMap:
    """The labels with other numbers; the voxels stay where they are."""
    if not names:
        return labels
    table = np.arange(max(int(labels.labels.max()), 1) + 1, dtype=np.uint16)
    for bone, name in names.items():
        table[bone.verse_id] = name.verse_id
    moved = ", ".join(f"{bone} is {name}" for bone, name in sorted(names.items(), reverse=True))
    return replace(labels, labels=table[labels.labels], notes=(*labels.notes, f"renumbered by a reader: {moved}"))


def reading_cautions(resolved: Resolved) -> tuple[Caution, ...]:
    """What a reader of the results must know: which names are not those of the labels, and what was set aside."""
    found = []
    for one in resolved.renumbered:
        along = {"up": " and those above", "down": " and those below", "all": " and all others", "one": ""}[one.scope]
        text = f"{one.level}{along} renumbered, {one.level} is {one.to} ({one.signed}): {one.reason}"
        found.append(Caution(code=RENUMBERED, text=text))
    for bone, name in resolved.names.items():
        if name is Level.S1:
            text = (
                f"the vertebra that was labelled {bone} now counts as the sacrum and is not measured; if it is lumbar, "
                "call it L6 or L5, or move fewer along"
            )
            found.append(Caution(code=RENUMBERED, text=text))
    for level, one in resolved.set_aside.items():
        found.append(Caution(code=SET_ASIDE, level=level, text=f"set aside ({one.signed}): {one.reason}"))
    return tuple(found)


def aside_reasons(resolved: Resolved) -> dict[Level, str]:
    """Why each level that was set aside is not measured."""
    return {level: f"set aside by a reader ({one.signed}): {one.reason}" for level, one in resolved.set_aside.items()}


def read_fractures(fractures: Sequence[Fracture], resolved: Resolved) -> tuple[Fracture, ...]:
    """The fractures as the reader has them; heights and losses stay as they were measured."""
    return tuple(_read(fracture, resolved) for fracture in fractures)


def _read(fracture: Fracture, resolved: Resolved) -> Fracture:
    grade, said = resolved.grade.get(fracture.level), resolved.fracture.get(fracture.level)
    if grade is not None and isinstance(grade.to, int):
        fracture = replace(
            fracture, genant_grade=grade.to, grade_low=grade.to, grade_high=grade.to,
            deformity="yes" if grade.to else "no", reason=_why(fracture, grade), confidence=1.0,
            shape=fracture.shape or "none",
        )  # fmt: skip
        if said is None and grade.to == 0:
            fracture = replace(fracture, fracture="no")
    if said is not None:
        fracture = replace(fracture, fracture="no" if said.to == "no" else "yes", reason=_why(fracture, said))
    return fracture


def _why(fracture: Fracture, reading: Reading) -> str:
    return f"read so by {reading.signed}: {reading.reason}; computed: {fracture.reason or 'no reading'}"


def read_findings(found: Sequence[Finding], computed: Sequence[Finding], resolved: Resolved) -> tuple[Finding, ...]:
    """The findings of read fractures: the reader's value in the usual code, the computed one beside it.

    Parameters
    ----------
    found : findings of the fractures as read. computed : of the fractures as computed.
    """
    said = _said(resolved)
    was = {(one.code, one.level): one for one in computed if (one.code, one.level) in said}
    out = [one for one in found if (one.code, one.level) not in said]
    for (code, level), reading in said.items():
        before = was.get((code, level))
        out.append(_finding(code, level, reading, f"computed: {'no value' if before is None else before.value}"))
        if before is not None:
            out.append(replace(before, code=COMPUTED[code]))
        if reading.to == "old":
            out.append(_finding("fracture_age", level, reading, "on CT alone nothing dates a fracture"))
    return tuple(out)


def read_gaps(gaps: Sequence[Gap], resolved: Resolved) -> tuple[Gap, ...]:
    """The gaps that a reader's answers leave open."""
    said = _said(resolved)
    return tuple(gap for gap in gaps if (gap.code, gap.level) not in said)


def _said(resolved: Resolved) -> dict[tuple[str, Level | None], Reading]:
    """What is said, by finding code and level; a grade of 0 says that there is no fracture where nobody says else."""
    said: dict[tuple[str, Level | None], Reading] = {("genant_grade", at): one for at, one in resolved.grade.items()}
    said |= {("fracture", at): one for at, one in resolved.grade.items() if one.to == 0}
    return said | {("fracture", at): one for at, one in resolved.fracture.items()}


def _finding(code: str, level: Level | None, said: Reading, more: str) -> Finding:
    broken = "yes" if said.to in ("yes", "old") else "no"
    answer: int | str = said.to if code == "genant_grade" and isinstance(said.to, int) else broken
    return Finding(
        code=code, level=level, value="old" if code == "fracture_age" else answer, unit=catalogue()[code].unit,
        method=f"read by {said.signed}: {said.reason}; {more}", source=f"reading of {said.who}",
    )  # fmt: skip
