"""Mechanics as flat findings and gaps, each with its band, criterion and source."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from endplate.biomechanics.loading import weight_above
from endplate.biomechanics.result import LoadToStrength, Strength
from endplate.biomechanics.shell_words import AS_SAMPLED
from endplate.bone.material import density_law
from endplate.finding import Finding, Gap, band
from endplate.level import Level
from endplate.patient import PatientRecord

CODES = ("stiffness", "failure_load", "failure_load_plateau", "failure_load_linear", "load_to_strength")
STRENGTH_SOURCE = "Walle, Matheson & Boyd, GigaScience 2025 (same definition reproduces their load to 0.3 %)"
LOAD_SOURCE = (
    "Moment balance of trunk models of the Schultz family (weak); Iyer 2010 for the rib cage; Bouxsein, JBMR 2006 "
    "(activities)"
)


def findings(strengths: Iterable[Strength], loads: Iterable[LoadToStrength]) -> tuple[Finding, ...]:
    """Stiffness, failure loads and load-to-strength ratios of every solved level."""
    of_strength = [finding for strength in strengths for finding in _of_strength(strength)]
    return tuple(of_strength + [_of_load(load) for load in loads])


def gaps(
    strengths: Iterable[Strength], loads: Iterable[LoadToStrength], record: PatientRecord | None
) -> tuple[Gap, ...]:
    """What solved levels still lack: loads the curve never gave, and ratios that the record does not allow."""
    loaded = {load.level for load in loads}
    out = []
    for strength in strengths:
        for code, value in (
            ("failure_load", strength.failure_load_n),
            ("failure_load_plateau", strength.plateau_load_n),
        ):
            if value is None:
                reason = strength.reason or "the curve ends before 1.9 % strain"
                out.append(Gap(code=code, level=strength.level, reason=reason))
        if strength.level not in loaded:
            out.append(Gap(code="load_to_strength", level=strength.level, reason=_no_load(strength.level, record)))
    return tuple(out)


def unsolved(level: Level, reason: str) -> tuple[Gap, ...]:
    """All codes of mechanics as gaps of a level that could not be solved."""
    return tuple(Gap(code=code, level=level, reason=reason) for code in CODES)


def _no_load(level: Level, record: PatientRecord | None) -> str:
    if record is None or record.mass_kg is None:
        return "body mass is not known; give it in the patient record"
    if weight_above(level) is None:
        return "the share of body weight above this level is only tabulated from T8 to L5"
    return "no failure load to compare with: the linear estimate runs higher and does not stand in for it"


def _of_strength(strength: Strength) -> Iterator[Finding]:
    """Findings of one solve."""
    how = _how(strength)
    law = density_law(strength.law).source
    values = (
        ("stiffness", strength.stiffness_n_per_mm, "N/mm", "force over travel of the outer faces, elastic", law),
        ("failure_load", strength.failure_load_n, "N", "0.2 % offset of cap-to-cap height", STRENGTH_SOURCE),
        ("failure_load_plateau", strength.plateau_load_n, "N", "force at 1.9 % strain", "Keaveny group (knowledge)"),
        (
            "failure_load_linear",
            strength.failure_load_linear_n,
            "N",
            "0.0068 x stiffness x cap-to-cap height (Crawford)",
            "Crawford 2003; equals the linear failure load of Walle 2025",
        ),
    )
    for code, value, unit, criterion, source in values:
        if value is not None:
            low, high = band(value, value * strength.relative_sd)
            yield Finding(
                code=code,
                level=strength.level,
                value=value,
                unit=unit,
                low=max(low, 0.0),
                high=high,
                method=f"{criterion}; {how}",
                source=source,
            )


def _how(strength: Strength) -> str:
    """The model in words, and what the band means."""
    shell = f", {AS_SAMPLED}" if strength.shell_mg_cm3_mm is None else ", shell with the mineral that sampling lost"
    notes = "".join(f"; {note}" for note in strength.notes)
    return (
        f"voxel finite elements of {strength.voxel_mm:g} mm, {strength.law} law, {strength.load_case} compression"
        f"{shell}; {strength.height_mm:g} mm between the outer faces; 95 % band "
        f"(SD {100 * strength.relative_sd:.0f} %) of density calibration, scanner and kernel, and voxel size{notes}"
    )


def _of_load(load: LoadToStrength) -> Finding:
    """One ratio."""
    return Finding(
        code="load_to_strength",
        level=load.level,
        condition=load.activity,
        value=load.ratio,
        unit="1",
        low=load.low,
        high=load.high,
        method=f"{load.activity}: estimated load {load.load_n:.0f} N over the failure load; 95 % band of both",
        source=LOAD_SOURCE,
    )
