"""Row 9: density through rods and through tissues agree on digital patients; K2HPO4 and HA are never taken as one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from endplate.anatomy.locate import locate_vertebrae
from endplate.bone.calibration import RODS_SD_MG_CM3, calibrate
from endplate.bone.density import measure_density
from endplate.bone.mineral import k2hpo4_per_ha
from endplate.bone.result import BoneDensity, Calibration
from endplate.bone.settings import CalibrationSettings, RodSettings
from endplate.bone.tissue import FAT_HA_MG_CM3, MUSCLE_HA_MG_CM3
from endplate.image.phantom import Deformity, Phantom, PhantomSpec, Rods, make_phantom
from endplate.level import Level
from verification.check import Check

PATIENTS = 16
CONCENTRATIONS = (0.0, 50.0, 100.0, 150.0, 200.0)
# Spread from patient to patient and scanner to scanner (knowledge of the field): HU of fat and muscle, slope.
FAT_SD_HU, MUSCLE_SD_HU, SLOPE_SD = 8.0, 7.0, 0.02
SLOPE_LIMITS, BIAS_LIMIT, SD_LIMIT = (0.9, 1.1), 5.0, 18.0
RATIO_LIMITS = (0.81, 0.86)
SOURCE = "Walle 2025 and Goodsitt 1992; acceptance check 25 of the biomechanics reference"


@dataclass(frozen=True)
class Pair:
    """Core density of one digital patient: true, through rods, through tissues."""

    true: float
    rods: float
    tissue: float


def _patient(number: int, generator: np.random.Generator) -> PhantomSpec:
    """A patient whose tissues scatter about the equivalents of the tissue route, on a scanner of its own."""
    slope = float(np.clip(0.67 + SLOPE_SD * generator.standard_normal(), 0.62, 0.72))
    usual = k2hpo4_per_ha(120) / 0.67
    return PhantomSpec(
        levels=(Level.L1,),
        spacing_mm=(2.0, 2.0, 2.0),
        core_mg_cm3=float(generator.uniform(40, 200)),
        mg_cm3_per_hu=slope,
        fat_hu=float(FAT_HA_MG_CM3 * usual + FAT_SD_HU * generator.standard_normal()),
        muscle_hu=float(MUSCLE_HA_MG_CM3 * usual + MUSCLE_SD_HU * generator.standard_normal()),
        noise_hu=float(generator.uniform(10, 40)),
        seed=4711 + 2 * number,
        rods=Rods(mg_cm3=CONCENTRATIONS),
    )


def _core_hu(phantom: Phantom) -> float:
    """Mean HU in a ball of trabecular bone in front of the body's centroid."""
    truth = phantom.truth.levels[Level.L1]
    grid, hu = phantom.volume.grid, phantom.volume.hu
    at = np.rint(grid.to_index(truth.centroid_mm + 4 * truth.axes[1])).astype(int)
    low, high = at - 4, at + 5
    i, j, k = np.meshgrid(*(np.arange(a, b) for a, b in zip(low, high, strict=True)), indexing="ij")
    points = grid.to_mm(np.stack((i, j, k), axis=-1))
    near = np.linalg.norm(points - (truth.centroid_mm + 4 * truth.axes[1]), axis=-1) < 6
    return float(hu[low[0] : high[0], low[1] : high[1], low[2] : high[2]][near].mean())


def _line(phantom: Phantom, settings: CalibrationSettings) -> Calibration:
    found, _, gaps = calibrate(phantom.volume, phantom.labels.labels > 0, settings)
    if found is None:
        raise RuntimeError(f"no {settings.route} line: {gaps[0].reason}")
    return found


def _pair(spec: PhantomSpec) -> Pair:
    phantom = make_phantom(spec)
    hu = np.array([_core_hu(phantom)])
    rods = _line(phantom, CalibrationSettings(route="rods", rods=RodSettings(mg_cm3=CONCENTRATIONS)))
    tissue = _line(phantom, CalibrationSettings(route="tissue"))
    values = [float(line.to_mg_cm3(hu)[0]) for line in (rods, tissue)]
    return Pair(true=spec.core(Level.L1), rods=values[0], tissue=values[1])


def _agreement(pairs: list[Pair]) -> Check:
    rods, tissue = np.array([p.rods for p in pairs]), np.array([p.tissue for p in pairs])
    slope = float(np.polyfit(rods, tissue, 1)[0])
    bias, sd = float((tissue - rods).mean()), float((tissue - rods).std(ddof=1))
    return Check(
        number="9",
        title=f"Density through tissues against rods, {len(pairs)} digital patients on scanners of their own",
        expected=f"slope {SLOPE_LIMITS[0]}-{SLOPE_LIMITS[1]}, |bias| <= {BIAS_LIMIT:g}, SD <= {SD_LIMIT:g} mg/cm3",
        got=f"slope {slope:.3f}, bias {bias:+.1f}, SD {sd:.1f} mg/cm3",
        source=SOURCE + "; digital tissues scatter about the route's own equivalents, so it tests finding them",
        rung="published",
        passed=SLOPE_LIMITS[0] <= slope <= SLOPE_LIMITS[1] and abs(bias) <= BIAS_LIMIT and sd <= SD_LIMIT,
    )


def _rods_against_truth(pairs: list[Pair]) -> Check:
    errors = np.array([p.rods - p.true for p in pairs])
    return Check(
        number="9.1",
        title="Density through rods against the digital spine's truth",
        expected=f"worst error <= {RODS_SD_MG_CM3:g} mg/cm3, the band that the route states",
        got=f"bias {errors.mean():+.2f}, worst {np.abs(errors).max():.2f} mg/cm3",
        source="digital spine: exact core density",
        rung="exact",
        passed=bool(np.abs(errors).max() <= RODS_SD_MG_CM3),
    )


def _minerals() -> Check:
    """The same patient on HA rods: read as they are, and mistaken for K2HPO4."""
    spec = _patient(0, np.random.default_rng(4711))
    phantom = make_phantom(replace(spec, rods=Rods(mineral="HA", mg_cm3=CONCENTRATIONS)))
    right, wrong = (
        _line(phantom, CalibrationSettings(route="rods", rods=RodSettings(mg_cm3=CONCENTRATIONS, mineral=mineral)))
        for mineral in ("HA", "K2HPO4")
    )
    ratio = right.slope_mg_cm3_per_hu / wrong.slope_mg_cm3_per_hu
    error = right.slope_mg_cm3_per_hu / spec.mg_cm3_per_hu - 1
    low, high = RATIO_LIMITS
    return Check(
        number="9.2",
        title="HA rods end in K2HPO4-equivalent density",
        expected=f"K2HPO4/HA {low}-{high}; slope within 3 % of the scanner's K2HPO4 line",
        got=f"K2HPO4/HA {ratio:.3f}; slope {error:+.1%}",
        source="Goodsitt, Bone Miner 1992",
        rung="published",
        passed=low <= ratio <= high and abs(error) <= 0.03,
    )


def _whole_way() -> Check:
    """Density of labelled bodies found by the anatomy stage, on a tilted, noisy, anisotropic scan with a fracture."""
    core = {Level.T12: 60.0, Level.L1: 95.0, Level.L2: 140.0}
    spec = PhantomSpec(
        levels=tuple(core),
        spacing_mm=(1.0, 1.0, 2.0),
        core_mg_cm3=core,
        deformities={Level.L1: Deformity(shape="wedge", loss=0.3, breach=True)},
        tilt_deg=(8.0, 6.0, -5.0),
        noise_hu=40.0,
        field_mm=(90.0, 110.0),
    )
    phantom = make_phantom(spec)
    spine = locate_vertebrae(phantom.labels, phantom.volume)
    line = _line(phantom, CalibrationSettings(slope_mg_cm3_per_hu=spec.mg_cm3_per_hu))
    errors = []
    for vertebra in spine.vertebrae:
        density = measure_density(vertebra, phantom.volume, line)
        known = isinstance(density, BoneDensity) and density.density_mg_cm3 is not None
        errors.append(density.density_mg_cm3 - core[vertebra.level] if known else float("nan"))
    return Check(
        number="9.3",
        title="Trabecular density of three bodies, region from labels (tilted, 2 mm slices, 40 HU noise)",
        expected="three levels, worst error <= 2 mg/cm3",
        got=f"{len(errors)} levels, errors " + ", ".join(f"{error:+.2f}" for error in errors) + " mg/cm3",
        source="digital spine: exact core density",
        rung="exact",
        passed=len(errors) == 3 and bool(np.abs(errors).max() <= 2),
    )


def checks() -> Iterator[Check]:
    """The rows of density calibration."""
    generator = np.random.default_rng(4711)
    pairs = [_pair(_patient(number, generator)) for number in range(PATIENTS)]
    yield _agreement(pairs)
    yield _rods_against_truth(pairs)
    yield _minerals()
    yield _whole_way()
