"""Bone results as flat findings and gaps."""

from __future__ import annotations

from collections.abc import Iterable

from endplate.bone.calibration import TO_120_FROM_100_KVP, to_120_kvp
from endplate.bone.density import NORMAL_MG_CM3, OSTEOPOROSIS_MG_CM3, category_of, compare_levels, out_of_line
from endplate.bone.inclusion import inclusion_caution
from endplate.bone.result import BoneDensity, Calibration
from endplate.cited import citation_of
from endplate.finding import Caution, Finding, Gap, band

_ROI_SOURCE = "L1 ROI rules (clinical practice, from knowledge): cortex eroded 3-5 mm, vein and islands left out"


def findings(densities: Iterable[BoneDensity], calibration: Calibration | None) -> tuple[Finding, ...]:
    """The findings of the bone stage: calibration and scale of HU once, and by level HU, density and category.

    Bands are 95 %: for HU of the mean, for density of mean and calibration route together.
    """
    found = [] if calibration is None else [_calibration(calibration), *_scale(calibration)]
    for density in compare_levels(densities):
        found.append(_hu(density))
        if density.density_mg_cm3 is not None and calibration is not None:
            found += _density(density, calibration)
    return tuple(found)


def density_cautions(densities: Iterable[BoneDensity]) -> tuple[Caution, ...]:
    """Levels whose density says little about the skeleton: far above the others, or with cement or metal inside."""
    levels = tuple(densities)
    strange = tuple(
        Caution(code="density_out_of_line", level=density.level, text=f"trabecular HU {density.hu_mean:.0f}, {note}")
        for density, note in out_of_line(levels)
    )
    return strange + tuple(inclusion_caution(d.level, d.inclusion_ml) for d in levels if d.inclusion_ml)


def density_gaps(densities: Iterable[BoneDensity]) -> tuple[Gap, ...]:
    """What stays unknown where HU were measured and no line to density exists."""
    levels = tuple(densities)
    missing = [density for density in levels if density.density_mg_cm3 is None]
    codes = ("trabecular_density", "density_category")
    unclassed = [(density.level, reason) for density in levels if (reason := _unclassed(density))]
    return tuple(Gap(code="density_category", level=level, reason=reason) for level, reason in unclassed) + tuple(
        Gap(code=code, level=density.level, reason=density.refused or "no calibration from HU to density")
        for density in missing
        for code in codes
    )


def _unclassed(density: BoneDensity) -> str:
    """Why a density belongs to no category for certain, or nothing."""
    value, sd = density.density_mg_cm3, density.density_sd_mg_cm3
    if value is None or sd is None:
        return ""
    low, high = band(value, sd)
    lowest, highest = category_of(max(low, 0.0)), category_of(high)
    return "" if lowest == highest else f"cannot be classed: the band reaches from {lowest} to {highest}"


def _with_notes(method: str, notes: tuple[str, ...]) -> str:
    return "; ".join((method, *notes))


def _calibration(line: Calibration) -> Finding:
    text = f"{line.route}: {line.slope_mg_cm3_per_hu:.3f} mg/cm3 per HU, {line.offset_mg_cm3:+.1f} mg/cm3 at 0 HU"
    method = f"route {line.route}, K2HPO4-equivalent, SD {line.sd_mg_cm3:.1f} mg/cm3 at trabecular density"
    return Finding(
        code="density_calibration", value=text, unit="", method=_with_notes(method, line.notes), source=line.source
    )


def _scale(line: Calibration) -> list[Finding]:
    """What trabecular HU of this scan times, to be held against limits of unenhanced CT at 120 kVp.

    None where the tube voltage is not known or has no published factor, or where contrast medium was given.
    """
    factor = None if line.kvp is None or line.contrast else to_120_kvp(line.kvp)
    if factor is None or line.kvp is None:
        return []
    return [
        Finding(
            code="hu_to_120_kvp",
            condition="contrast not stated" if line.contrast is None else "",
            value=factor,
            unit="1",
            low=factor,
            high=factor,
            method=f"trabecular HU at {line.kvp:g} kVp, no contrast medium, to 120 kVp; an error is not published",
            source=citation_of(TO_120_FROM_100_KVP).source,
        )
    ]


def _hu(density: BoneDensity) -> Finding:
    method = (
        f"mean over {density.roi_mm3:.0f} mm3 inside the cortex, SD of voxels {density.hu_sd:.0f} HU; "
        "95 % band of the mean"
    )
    low, high = band(density.hu_mean, density.hu_se)
    return Finding(
        code="trabecular_hu",
        level=density.level,
        value=density.hu_mean,
        unit="[hnsf'U]",
        low=low,
        high=high,
        method=_with_notes(method, density.notes),
        source=_ROI_SOURCE,
    )


def _density(density: BoneDensity, line: Calibration) -> list[Finding]:
    value, sd = density.density_mg_cm3, density.density_sd_mg_cm3
    if value is None or sd is None:
        return []
    low, high = band(value, sd)
    low = max(low, 0.0)
    lowest, highest = category_of(low), category_of(high)
    amount = Finding(
        code="trabecular_density",
        level=density.level,
        value=value,
        unit="mg/cm3",
        low=low,
        high=high,
        method=_with_notes(
            f"HU by the {line.route} route, K2HPO4-equivalent; 95 % band of route and mean", density.notes
        ),
        source=line.source,
    )
    if lowest != highest:
        return [amount]
    category = Finding(
        code="density_category",
        level=density.level,
        value=category_of(value),
        unit="",
        method=_with_notes(
            f"osteoporosis to {OSTEOPOROSIS_MG_CM3:g}, low to {NORMAL_MG_CM3:g} mg/cm3; the whole band agrees",
            density.notes,
        ),
        source=citation_of(OSTEOPOROSIS_MG_CM3).source,
    )
    return [amount, category]
