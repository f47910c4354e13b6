"""From HU to K2HPO4-equivalent density: a given line, rods, tissues in the image, or a published line."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.vertebra import Spine
from endplate.bone.mineral import ASSUMED_KVP, k2hpo4_per_ha
from endplate.bone.plausible import implausible_line
from endplate.bone.result import Calibration
from endplate.bone.rods import RodLine, line_through_rods
from endplate.bone.settings import CalibrationSettings
from endplate.bone.tissue import tissue_line
from endplate.cited import citation_of, cited
from endplate.finding import Caution, Gap
from endplate.image.volume import Volume

GIVEN_SD_MG_CM3 = cited(
    8.0,
    "mg/cm3",
    "Kaesmacher, JCAT 2017: asynchronous calibration, RMSD 8.0 % of QCT, taken at 100 mg/cm3",
    "verified",
    cite="kaesmacher_2017",
)
RODS_SD_MG_CM3 = cited(
    6.7, "mg/cm3", "Wang, Sci Rep 2017: accuracy 1.4-6.7 %, upper end taken at 100 mg/cm3", "verified", cite="wang_2017"
)
TISSUE_SD_MG_CM3 = cited(
    17.8,
    "mg/cm3",
    "Walle 2025 table, 17 scans: phantomless against phantom, bias -1.2, SD 17.8 mg/cm3",
    "recomputed",
    cite="walle_2025",
)
TISSUE_SD_OTHER_KVP_MG_CM3 = cited(
    10.0,
    "mg/cm3",
    "Ataei, PLoS One 2022: another tube voltage moved air-fat-muscle density by about 10 %, taken at 100 mg/cm3",
    "verified",
    cite="ataei_2022",
)
PUBLISHED_SD_MG_CM3 = cited(
    16.8,
    "mg/cm3",
    "Skornitzke, Sci Rep 2022: other table -9.2 +- 14.0 %, both added in square at 100 mg/cm3",
    "verified",
    cite="skornitzke_2022",
)
PUBLISHED_SD_KVP_UNKNOWN_MG_CM3 = cited(
    28.5,
    "mg/cm3",
    "Skornitzke, Sci Rep 2022: wrong kVp table 3.8 +- 28.2 %, added in square at 100 mg/cm3",
    "verified",
    cite="skornitzke_2022",
)
PUBLISHED_SLOPE = cited(
    0.70, "mg/cm3", "Buenger 2021, unenhanced CT at 120 kVp: vBMD = 0.7 HU + 17.8", "knowledge", cite="buenger_2021"
)
PUBLISHED_OFFSET = cited(
    17.8, "mg/cm3", "Buenger 2021, unenhanced CT at 120 kVp: vBMD = 0.7 HU + 17.8", "knowledge", cite="buenger_2021"
)
TO_120_FROM_100_KVP = cited(
    0.927, "1", "AAPM 2026 abstract, 16747 scans: 100 kVp trabecular HU to 120 kVp", "verified", cite="aapm_2026"
)
TO_120_FROM_140_KVP = cited(
    1.053, "1", "AAPM 2026 abstract, 16747 scans: 140 kVp trabecular HU to 120 kVp", "verified", cite="aapm_2026"
)
KVP_KNOWN = (
    cited(
        100.0,
        "kV",
        "lowest tube voltage of the published trabecular corrections; 80 kVp is refused",
        "verified",
        cite="aapm_2026",
    ),
    cited(140.0, "kV", "highest tube voltage of the published trabecular corrections", "verified", cite="aapm_2026"),
)
CONTRAST_HU = cited(
    18.0, "[hnsf'U]", "Pompe 2015: trabecular HU, unenhanced 128.8 to portal 147.0", "verified", cite="pompe_2015"
)
SLOPE_POSSIBLE = (
    cited(
        0.5, "mg/cm3", "attenuation physics: slopes below 0.5 mg/cm3 per HU are not plausible", "verified", cite="ogo"
    ),
    cited(
        1.0, "mg/cm3", "attenuation physics: slopes above 1.0 mg/cm3 per HU are not plausible", "verified", cite="ogo"
    ),
)
OFFSET_POSSIBLE_MG_CM3 = cited(
    40.0, "mg/cm3", "Ogo source and example: density at 0 HU stays within +-40", "verified", cite="ogo"
)

Attempt = tuple[Calibration | None, str]


def to_120_kvp(kvp: float | None) -> float | None:
    """Factor from trabecular HU at a tube voltage to HU at 120 kVp; 1 where unknown, None where none is published."""
    if kvp is None:
        return 1.0
    if not KVP_KNOWN[0] <= kvp <= KVP_KNOWN[1]:
        return None
    known = [KVP_KNOWN[0], ASSUMED_KVP, KVP_KNOWN[1]]
    return float(np.interp(kvp, known, [TO_120_FROM_100_KVP, 1.0, TO_120_FROM_140_KVP]))


def calibrate(
    volume: Volume, bone: Spine | NDArray[np.bool_] | None, settings: CalibrationSettings | None = None
) -> tuple[Calibration | None, tuple[Caution, ...], tuple[Gap, ...]]:
    """The line from HU to K2HPO4-equivalent density, with its route and error band.

    Parameters
    ----------
    volume : the CT.
    bone : the spine, or a bool mask of its vertebrae on the volume's grid; tells muscle from organs. None skips tissue.
    settings : what the user knows; the default takes the best route that the image allows.

    Returns
    -------
    (calibration, cautions, gaps) : calibration None, with a gap, where no route is possible.
    """
    settings = settings or CalibrationSettings()
    series = volume.series
    kvp = settings.kvp if settings.kvp is not None else (series.kvp if series else None)
    contrast = settings.contrast if settings.contrast is not None else (series.contrast if series else None)
    mask = _bone_mask(volume, bone)
    routes: dict[str, Callable[[], Attempt]] = {
        "given": lambda: _given(settings, kvp),
        "rods": lambda: _rods(volume, settings, kvp),
        "tissue": lambda: _tissue(volume, mask, kvp),
        "published": lambda: _published(kvp),
    }
    wanted = list(routes) if settings.route == "auto" else [settings.route]
    refused: list[str] = []
    for route in wanted:
        found, reason = routes[route]()
        if found is not None:
            found = _with_contrast(found, contrast)
            reason = _impossible(found) or implausible_line(found, volume, bone)
            if not reason:
                return found, tuple(_cautions(found, refused)), ()
        if reason:
            refused.append(f"{route}: {reason}")
        if found is not None and route in ("given", "rods"):
            break
    return None, (), (Gap(code="density_calibration", reason="; ".join(refused) or "no route from HU to density"),)


def _impossible(found: Calibration) -> str:
    """Why a line that was read off the image cannot be one, or nothing; a line that the user gives is cautioned."""
    low, high = SLOPE_POSSIBLE
    slope, offset = found.slope_mg_cm3_per_hu, found.offset_mg_cm3
    if found.route == "given":
        return ""
    if not low <= slope <= high:
        return f"its slope of {slope:.2f} mg/cm3 per HU lies outside {low:g} to {high:g}"
    if found.route == "tissue" and abs(offset) > OFFSET_POSSIBLE_MG_CM3:
        return f"it gives {offset:.0f} mg/cm3 at 0 HU, outside +-{OFFSET_POSSIBLE_MG_CM3:g}"
    return ""


def _given(settings: CalibrationSettings, kvp: float | None) -> Attempt:
    if settings.slope_mg_cm3_per_hu is None:
        return None, ""
    factor = 1.0 if settings.mineral == "K2HPO4" else k2hpo4_per_ha(kvp)
    notes = () if factor == 1 else (f"line given in HA, times {factor:.3f} to K2HPO4 (Goodsitt 1992)",)
    line = Calibration(
        slope_mg_cm3_per_hu=settings.slope_mg_cm3_per_hu * factor,
        offset_mg_cm3=settings.offset_mg_cm3 * factor,
        route="given",
        sd_mg_cm3=GIVEN_SD_MG_CM3,
        source="slope and offset given by the user; band: " + citation_of(GIVEN_SD_MG_CM3).source,
        kvp=kvp,
        notes=notes,
    )
    return line, ""


def _rods(volume: Volume, settings: CalibrationSettings, kvp: float | None) -> Attempt:
    if settings.rods is None:
        return None, ""
    line = line_through_rods(volume, settings.rods, k2hpo4_per_ha(kvp))
    if not isinstance(line, RodLine):
        return None, line
    found = Calibration(
        slope_mg_cm3_per_hu=line.slope,
        offset_mg_cm3=line.offset,
        route="rods",
        sd_mg_cm3=float(np.hypot(RODS_SD_MG_CM3, line.residual_sd)),
        source="rods in the image; band: " + citation_of(RODS_SD_MG_CM3).source,
        kvp=kvp,
        notes=line.notes,
    )
    return found, ""


def _tissue(volume: Volume, mask: NDArray[np.bool_] | None, kvp: float | None) -> Attempt:
    if mask is None:
        return None, "no vertebrae to tell muscle from organs"
    factor = to_120_kvp(kvp)
    if factor is None:
        return None, _refused_kvp(kvp)
    line = tissue_line(volume, mask, k2hpo4_per_ha(ASSUMED_KVP))
    if isinstance(line, str):
        return None, line
    sd, notes = float(np.hypot(TISSUE_SD_MG_CM3, line.residual_sd)), line.notes
    if kvp != ASSUMED_KVP:
        sd = float(np.hypot(sd, TISSUE_SD_OTHER_KVP_MG_CM3))
        stated = "not stated, 120 kVp assumed" if kvp is None else f"{kvp:g} kVp, bone HU times {factor:.3f} to 120 kVp"
        notes = (*notes, f"tube voltage {stated}: band widened (Ataei 2022)")
    found = Calibration(
        slope_mg_cm3_per_hu=line.slope * factor,
        offset_mg_cm3=line.offset,
        route="tissue",
        sd_mg_cm3=sd,
        source=line.source + "; band: " + citation_of(TISSUE_SD_MG_CM3).source,
        kvp=kvp,
        notes=notes,
    )
    return found, ""


def _refused_kvp(kvp: float | None) -> str:
    low, high = KVP_KNOWN
    return f"no correction is published for trabecular bone at {kvp:g} kVp (known {low:g} to {high:g} kVp)"


def _published(kvp: float | None) -> Attempt:
    factor = to_120_kvp(kvp)
    if factor is None:
        return None, _refused_kvp(kvp)
    slope = citation_of(PUBLISHED_SLOPE)
    sd = PUBLISHED_SD_KVP_UNKNOWN_MG_CM3 if kvp is None else PUBLISHED_SD_MG_CM3
    found = Calibration(
        slope_mg_cm3_per_hu=PUBLISHED_SLOPE * factor,
        offset_mg_cm3=PUBLISHED_OFFSET,
        route="published",
        sd_mg_cm3=float(sd),
        source=f"{slope.source} (trust: {slope.trust}); band: {citation_of(sd).source}",
        kvp=kvp,
        notes=("tube voltage not stated: 120 kVp assumed",) if kvp is None else (),
    )
    return found, ""


def _with_contrast(found: Calibration, contrast: bool | None) -> Calibration:
    """Record what is known of contrast medium; where it was given, widen the band by what it may add."""
    sd, notes = found.sd_mg_cm3, found.notes
    if contrast:
        sd = float(np.hypot(sd, CONTRAST_HU * found.slope_mg_cm3_per_hu))
        notes = (*notes, f"contrast medium may add up to {CONTRAST_HU:g} HU to trabecular bone (Pompe 2015)")
    elif contrast is None:
        notes = (*notes, "whether contrast medium was given is not stated")
    return replace(found, sd_mg_cm3=sd, contrast=contrast, notes=notes)


def _cautions(found: Calibration, refused: list[str]) -> list[Caution]:
    """What a reader must know of a line before trusting it."""
    listed = []
    if found.route == "published":
        known = "at an assumed 120 kVp" if found.kvp is None else f"for {found.kvp:g} kVp"
        why = f" ({'; '.join(refused)})" if refused else ""
        text = (
            f"density by a published line {known}, not calibrated on this scanner: +-{found.sd_mg_cm3:.0f} mg/cm3{why}"
        )
        listed.append(Caution(code="published_density_line", text=text))
    elif refused:
        listed.append(Caution(code="calibration_route_refused", text="; ".join(refused)))
    low, high = SLOPE_POSSIBLE
    slope, offset = found.slope_mg_cm3_per_hu, found.offset_mg_cm3
    if not low <= slope <= high:
        text = f"calibration slope {slope:.2f} mg/cm3 per HU lies outside {low:g} to {high:g}"
        listed.append(Caution(code="calibration_slope_unusual", text=text))
    if abs(offset) > OFFSET_POSSIBLE_MG_CM3:
        text = f"calibration gives {offset:.0f} mg/cm3 at 0 HU, outside +-{OFFSET_POSSIBLE_MG_CM3:g}"
        listed.append(Caution(code="calibration_offset_unusual", text=text))
    if found.contrast:
        text = "contrast medium raises trabecular HU: densities may be too high; the band holds it"
        listed.append(Caution(code="contrast_phase", text=text))
    return listed


def _bone_mask(volume: Volume, bone: Spine | NDArray[np.bool_] | None) -> NDArray[np.bool_] | None:
    if not isinstance(bone, Spine):
        return bone
    mask = np.zeros(volume.grid.shape, bool)
    for vertebra in bone.vertebrae:
        start = np.rint(volume.grid.to_index(vertebra.grid.to_mm(np.zeros(3)))).astype(int)
        if np.any(start < 0) or np.any(start + vertebra.grid.shape > mask.shape):
            return None
        i, j, k = (slice(a, a + n) for a, n in zip(start, vertebra.grid.shape, strict=True))
        mask[i, j, k] |= vertebra.body | vertebra.arch
    return mask
