"""The density of the trabecular bone in sentences that claim no more than the bands allow."""

from __future__ import annotations

from endplate.bone.density import NORMAL_MG_CM3, OSTEOPOROSIS_MG_CM3, category_of
from endplate.case import Case
from endplate.finding import Finding
from endplate.level import Level
from endplate.report.phrase import band_of, levels_listed, listed, number, value_of

ROUTES = {
    "given": "slope and offset as given",
    "rods": "the calibration rods in the image",
    "tissue": "the patient's own air, fat and muscle in the image",
    "published": "a published line for the tube voltage, the least certain route",
}
RANGES = {"osteoporosis": "in the osteoporosis range", "low": "in the low range", "normal": "in the normal range"}
PATIENT_LEVELS = frozenset({Level.L1, Level.L2, Level.L3})
"""The published cut-offs were set on these levels."""
LISTED_ONE_BY_ONE = 4


def certain_category(finding: Finding) -> str | None:
    """The category that the whole 95 % band of a density lies in; None where the band crosses a cut-off."""
    return _category(float(finding.low or 0.0), float(finding.high)) if finding.high is not None else None


def unused_levels(case: Case, densities: dict[Level, Finding]) -> dict[Level, str]:
    """Levels whose density says little of the skeleton, with the reason in words."""
    broken = {reading.level for reading in case.fractures if reading.fracture == "yes"}
    apart = {caution.level for caution in case.cautions if caution.code == "density_out_of_line"}
    reasons = {}
    for level in sorted(densities):
        if level in broken:
            reasons[level] = "fractured"
        elif level in apart:
            reasons[level] = "out of line with the other levels"
    return reasons


def density_sentences(case: Case, densities: dict[Level, Finding]) -> tuple[str, list[str]]:
    """The tone and the sentences: one value for the patient, the levels by what is certain, what was not used."""
    unused = unused_levels(case, densities)
    usable = {level: densities[level] for level in sorted(densities) if level not in unused}
    tone, found = "note", []
    if usable:
        tone, patient = _patient(usable)
        found = [patient, *_by_level(usable)]
    found += _not_used(unused, densities, bool(usable))
    if case.calibration is not None:
        found.append(f"The calibration: {ROUTES[case.calibration.route]}.")
    return tone, found


def _category(low: float, high: float) -> str | None:
    lowest, highest = category_of(low), category_of(high)
    return lowest if lowest == highest else None


def _patient(usable: dict[Level, Finding]) -> tuple[str, str]:
    """One number: the mean of the usable levels of L1 to L3, else of all that are usable.

    The calibration's error is common to all levels, so the band of the mean is the mean of the bands, not narrower.
    """
    used = [level for level in usable if level in PATIENT_LEVELS] or list(usable)
    values = [(float(usable[v].value), usable[v].low, usable[v].high) for v in used]
    middle = sum(value for value, _, _ in values) / len(values)
    low = sum(float(value if end is None else end) for value, end, _ in values) / len(values)
    high = sum(float(value if end is None else end) for value, _, end in values) / len(values)
    category = _category(low, high)
    verdict = RANGES[category] if category else "cannot be classed, because the band crosses a cut-off"
    where = f"the mean of {levels_listed(used)}" if len(used) > 1 else f"at {used[0]}"
    text = (
        f"Density of the trabecular bone, {where}: {number(middle, 0)} mg/cm³ ({number(low, 0)} to {number(high, 0)}), "
        f"{verdict} (osteoporosis up to {OSTEOPOROSIS_MG_CM3:g}, low up to {NORMAL_MG_CM3:g})."
    )
    return {"osteoporosis": "alarm", "low": "note", "normal": "calm", None: "note"}[category], text


def _by_level(usable: dict[Level, Finding]) -> list[str]:
    """The levels gathered by what is certain of them; one level alone was told already."""
    if len(usable) < 2:
        return []
    gathered: dict[str | None, list[Level]] = {}
    for level, finding in usable.items():
        gathered.setdefault(certain_category(finding), []).append(level)
    parts = [f"{_gathered(gathered[name], usable)}: {words}" for name, words in RANGES.items() if name in gathered]
    parts += [f"{_gathered(gathered[None], usable)}: cannot be classed"] if None in gathered else []
    return [f"{'; '.join(parts)}."]


def _gathered(levels: list[Level], densities: dict[Level, Finding]) -> str:
    """A few levels each with its band; many as a run with their least and largest value."""
    if len(levels) <= LISTED_ONE_BY_ONE:
        return listed([f"{level} {value_of(densities[level])} ({band_of(densities[level])})" for level in levels])
    values = sorted(float(densities[level].value) for level in levels)
    ends = [number(value, 0) for value in (values[0], values[-1])]
    text = f"each {ends[0]}" if ends[0] == ends[1] else f"{ends[0]} to {ends[1]}"
    return f"{levels_listed(list(levels))} ({text}, bands in the table)"


def _not_used(unused: dict[Level, str], densities: dict[Level, Finding], others: bool) -> list[str]:
    if not unused:
        return []
    named = listed([f"{level} ({value_of(densities[level])}, {reason})" for level, reason in unused.items()])
    return [f"{'Not used' if others else 'Not classed'}: {named}."]
