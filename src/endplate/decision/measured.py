"""Facts that a CT case measured: findings of "assess" in the words and units of the rules, with their 95 % bands."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from endplate.cited import cited, cited_table
from endplate.finding import Finding
from endplate.level import Level

WEDGE_ABOVE_NORM_DEG = cited(
    10.0,
    "deg",
    "LCD and RAND 'kyphotic deformity' has no number: wedge 10 degrees above norm (reference 1.6)",
    "design",
)
SAGITTAL_INDEX_DEG = cited(15.0, "deg", "Sagittal index of 15 degrees or more (reference 1.6), Wheeless >15", "design")
DEGREES_PER_RATIO = cited(
    48.0, "deg", "J Orthop Surg Res 2023;18: Ha/Hp 77 % about 11, 65 % about 17, 47 % about 24 degrees", "recomputed"
)
BASELINE_DEG = cited_table(
    "BASELINE_DEG", "deg", "Sagittal index baselines, Wheeless (second-hand, reference 1.6)", "knowledge",
    {"thoracic": 5.0, "thoracolumbar": 0.0, "lumbar": -10.0},
)  # fmt: skip
NORMAL_RATIO = cited_table(
    "NORMAL_RATIO", "1", "Ha/Hp of 115 healthy adults, MRI, Surg Radiol Anat 2011;33:223", "verified",
    {"T10": 0.92, "T11": 0.92, "T12": 0.90, "L1": 0.89, "L2": 0.90},
)  # fmt: skip
OTHER_RATIO = cited_table(
    "OTHER_RATIO", "1", "Ha/Hp elsewhere, approximate (reference 1.2)", "knowledge",
    {"upper": 0.95, "L3": 1.0, "L4": 1.05, "L5": 1.15},
)  # fmt: skip
THORACOLUMBAR = ("T11", "T12", "L1")
NUMBERS = {
    "height_loss": ("loss_pct", 100),
    "posterior_wall_involvement": ("post_wall_fraction", 1),
    "regional_kyphosis": ("kyphosis_deg", 1),
}
"""Finding codes that are facts once scaled."""

Measured = Iterator[tuple[str, Any, tuple[float, float] | None, str]]


def measured(findings: Sequence[Finding], level: Level) -> Measured:
    """Each fact that the findings give: name, value, band, and the finding's code as its origin."""
    here = {finding.code: finding for finding in findings if finding.level is level and not finding.condition}
    for code, (name, scale) in NUMBERS.items():
        if code in here:
            low, high = here[code].low, here[code].high
            band = None if low is None or high is None else (low * scale, high * scale)
            yield name, float(here[code].value) * scale, band, f"finding {code} at {level}"
    if "fracture" in here and here["fracture"].value != "indeterminate":
        broken = here["fracture"].value == "yes"
        yield "fracture_on_ct", broken, None, f"finding fracture at {level}"
        if broken:
            yield "endplate_sign", True, None, f"finding fracture at {level}"
    yield "kyphotic_deformity", _kyphotic(here, level), None, f"findings wedge_angle, regional_kyphosis at {level}"
    yield from _density(findings)


def _density(findings: Sequence[Finding]) -> Measured:
    for code, name in (("trabecular_hu", "l1_hu"), ("trabecular_density", "vbmd")):
        by_level = {finding.level: finding for finding in findings if finding.code == code}
        for levels in ((Level.L1,), (Level.T12, Level.L2)):
            found = [float(by_level[level].value) for level in levels if level in by_level]
            if len(found) == len(levels):
                where = " and ".join(map(str, levels))
                yield name, sum(found) / len(found), None, f"finding {code} at {where}"
                break


def _kyphotic(here: dict[str, Finding], level: Level) -> bool | None:
    """By wedge above the level's norm or sagittal index; None where neither shows it and one is not known."""
    wedge, cobb = here.get("wedge_angle"), here.get("regional_kyphosis")
    answers = (
        None if wedge is None else float(wedge.value) - _normal_wedge_deg(level) >= WEDGE_ABOVE_NORM_DEG,
        None if cobb is None else float(cobb.value) - _baseline_deg(level) >= SAGITTAL_INDEX_DEG,
    )
    return True if True in answers else (None if None in answers else False)


def _normal_wedge_deg(level: Level) -> float:
    ratio = NORMAL_RATIO.get(level.value) or OTHER_RATIO.get(level.value) or OTHER_RATIO["upper"]
    return DEGREES_PER_RATIO * (1 - ratio)


def _baseline_deg(level: Level) -> float:
    return BASELINE_DEG.get("thoracolumbar" if level.value in THORACOLUMBAR else level.region, 0.0)
