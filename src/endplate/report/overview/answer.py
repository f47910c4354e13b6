"""What the scan says in three lines: fracture, bone, rehearsal; what is not known is said in its line."""

from __future__ import annotations

from endplate.case import Case
from endplate.level import Level
from endplate.repair.rehearsal.result import ProcedureResult, Rehearsal
from endplate.report.density_words import density_sentences
from endplate.report.overview.line import Line
from endplate.report.phrase import anatomical, levels_listed, listed, number, stopped, value_of, with_unit
from endplate.report.summary import Index, indexed, levels_where


def scan_lines(case: Case) -> tuple[Line, Line, Line]:
    """What the scan says: fracture, bone, rehearsal."""
    index = indexed(case)
    return _fracture(case, index), _bone(case, index), _rehearsal(case)


def _fracture(case: Case, index: Index) -> Line:
    broken = levels_where(index, "fracture", "yes")
    deformed = levels_where(index, "deformity", "yes", True)
    doubtful = [
        level for level in deformed
        if level not in broken and getattr(index.get(("fracture", level)), "value", None) in (None, "indeterminate")
    ]  # fmt: skip
    signs = [one.level for one in case.fractures if one.signs and one.level not in (*broken, *deformed)]
    graded = levels_where(index, "genant_grade", 0, 1, 2, 3)
    parts = [f"{level} {_grade(case, level, index)}" for level in broken]
    if not broken and graded:
        parts.append(f"no fracture seen at {levels_listed(graded)}")
    parts += [f"{levels_listed(doubtful)} deformed, fracture indeterminate"] if doubtful else []
    parts += (
        [f"{levels_listed(signs)} with signs of a fracture without a height loss of 20 %: look at it"] if signs else []
    )
    if not graded:
        parts.append("no level could be graded for height loss")
    return Line(label="Fracture", text=stopped("; ".join(parts)), tone="alarm" if broken or doubtful else "calm")


def _grade(case: Case, level: Level, index: Index) -> str:
    """A fracture in a few words: Genant grade, shape, height lost."""
    grade, loss, shape = (index.get((code, level)) for code in ("genant_grade", "height_loss", "deformity_shape"))
    words = ["fractured"]
    if grade is not None:
        kind = f" {shape.value}" if shape is not None and shape.value != "none" else ""
        words.append(f"Genant grade {value_of(grade)}{kind}")
    if loss is not None:
        worst = next((item.worst for item in case.fractures if item.level is level and item.worst), "")
        words.append(f"{with_unit(loss)} of its {worst + ' ' if worst else ''}height lost")
    return ", ".join(words)


def _bone(case: Case, index: Index) -> Line:
    densities = {level: f for (code, level), f in index.items() if code == "trabecular_density" and level}
    if not densities:
        why = "no CT was given" if case.volume is None else "density could not be measured"
        return Line(label="Bone", text=f"Not known: {why}.", tone="note")
    tone, stated = density_sentences(case, densities)
    text = stated[0]
    loads = {level: f for (code, level), f in index.items() if code == "failure_load" and level}
    if loads:
        weakest = min(loads, key=lambda level: float(loads[level].value))
        text = f"{text.rstrip('.')}; weakest body {weakest}, predicted failure load {with_unit(loads[weakest])}."
    return Line(label="Bone", text=text, tone=tone)


def _rehearsal(case: Case) -> Line:
    if not case.rehearsals:
        return Line(label="Rehearsal", text="No repair was rehearsed.", tone="calm")
    parts = [_rehearsed(rehearsal) for rehearsal in case.rehearsals]
    return Line(label="Rehearsal", text=f"{' '.join(parts)} A computation, not a forecast.")


def _rehearsed(rehearsal: Rehearsal) -> str:
    done = [words for one in rehearsal.nominal if (words := _procedure(rehearsal, one))]
    return f"{rehearsal.level}: {'; '.join(done) or 'nothing was computed'}."


def _procedure(rehearsal: Rehearsal, done: ProcedureResult) -> str:
    if done.access is not None and not done.access.paths:
        return f"{done.procedure} has no safe needle trajectory"
    of = rehearsal.bands.get(done.procedure, {})
    gain, ratio = of.get("cured_anterior_mm"), of.get("strength_ratio")
    words = []
    if gain is not None and gain.value is not None and done.inflation is not None:
        words.append(f"anterior height {'+' if gain.value > 0 else ''}{number(gain.value, 1)} mm")
    if ratio is not None and ratio.value is not None:
        words.append(f"predicted failure load × {number(ratio.value, 1)}")
    if done.fill is not None:
        routes = list(dict.fromkeys(item.opening.name for item in done.fill.reached))
        words.append(
            f"cement leakage route reached: {anatomical(listed(routes))}"
            if routes
            else "no cement leakage route reached"
        )
    verb = " did not converge; last good state:" if done.unconverged else ""
    return f"{done.procedure}{verb} {', '.join(words)}" if words else ""
