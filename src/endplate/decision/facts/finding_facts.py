"""Facts that a CT case measured: findings of "assess" in the words and units of the rules, with their 95 % bands."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

from endplate.cited import cited, cited_table
from endplate.finding import Finding
from endplate.level import Level

WEDGE_ABOVE_NORM_DEG = cited(
    10.0,
    "deg",
    "own choice: 'kyphotic deformity' has no number there; wedge 10 degrees above the norm of the level",
    "design",
    cite=("medicare_lcd", "hirsch_2018"),
)
SAGITTAL_INDEX_DEG = cited(
    15.0, "deg", "sagittal index; the page says above 15 degrees, own rule takes >= 15", "design", cite="wheeless"
)
DEGREES_PER_RATIO = cited(
    48.0,
    "deg",
    "Table 1: Ha/Hp 77 % about 11, 65 % about 17, 47 % about 24 degrees",
    "recomputed",
    cite="vertebral_mobility_2023",
)
BASELINE_DEG = cited_table(
    "BASELINE_DEG", "deg", "baselines of the sagittal index", "secondary",
    {"thoracic": 5.0, "thoracolumbar": 0.0, "lumbar": -10.0}, cite="wheeless",
)  # fmt: skip
NORMAL_RATIO = cited_table(
    "NORMAL_RATIO", "1", "Ha/Hp of 115 healthy adults, MRI (abstract)", "verified",
    {"T10": 0.92, "T11": 0.92, "T12": 0.90, "L1": 0.89, "L2": 0.90}, cite="matsumoto_2011",
)  # fmt: skip
OTHER_RATIO = cited_table(
    "OTHER_RATIO", "1", "Ha/Hp elsewhere, approximate", "knowledge",
    {"upper": 0.95, "L3": 1.0, "L4": 1.05, "L5": 1.15}, cite=("black_1991", "panjabi_1991"),
)  # fmt: skip
CONTRAST_HU = cited(
    18.0, "[hnsf'U]", "trabecular HU, unenhanced 128.8 to portal 147.0 (abstract)", "verified", cite="pompe_2015"
)
THORACOLUMBAR = ("T11", "T12", "L1")
NUMBERS = {
    "height_loss": ("loss_pct", 100),
    "posterior_wall_involvement": ("post_wall_fraction", 1),
    "regional_kyphosis": ("kyphosis_deg", 1),
}
"""Finding codes that are facts once scaled."""

Measured = Iterator[tuple[str, Any, tuple[float, float] | None, str]]


def finding_facts(findings: Sequence[Finding], level: Level, intact: Collection[Level] = ()) -> Measured:
    """Each fact that the findings give: name, value, band, and the finding's code as its origin.

    `intact` : levels known unbroken, whose density is the patient's.
    """
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
    yield from _density(findings, intact)


def _density(findings: Sequence[Finding], intact: Collection[Level]) -> Measured:
    """Density of an intact L1, else the mean of intact T12 and L2; HU only where their scale is known."""
    yield "vbmd", *_mean(findings, "trabecular_density", intact)
    scale = next((finding for finding in findings if finding.code == "hu_to_120_kvp"), None)
    value, band, place = _mean(findings, "trabecular_hu", intact)
    if scale is None or value is None:
        return
    factor = float(scale.value)
    if band is not None:
        # Whether contrast medium was given may not be stated: bone may then be this much darker than it seems.
        below = CONTRAST_HU if scale.condition else 0.0
        band = ((band[0] - below) * factor, band[1] * factor)
    yield "l1_hu", value * factor, band, place


def _mean(
    findings: Sequence[Finding], code: str, intact: Collection[Level]
) -> tuple[float | None, tuple[float, float] | None, str]:
    here = {finding.level: finding for finding in findings if finding.code == code and finding.level in intact}
    for levels in ((Level.L1,), (Level.T12, Level.L2)):
        found = [here[level] for level in levels if level in here]
        if len(found) == len(levels):
            ends = [(one.low, one.high) for one in found if one.low is not None and one.high is not None]
            band = None
            if len(ends) == len(found):
                band = sum(low for low, _ in ends) / len(ends), sum(high for _, high in ends) / len(ends)
            mean = sum(float(one.value) for one in found) / len(found)
            return mean, band, f"finding {code} at {' and '.join(map(str, levels))}"
    return None, None, ""


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
