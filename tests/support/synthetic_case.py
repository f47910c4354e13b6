"""A small analytic case for the report and the front doors: real types, plausible content, no pipeline behind it.

Six levels T11-L4; L1 is a wedge of 42 % loss, T11 is cut by the field, L3 has no endplates. The patient id is hostile.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from endplate.anatomy.vertebra import Canal, Endplate, Spine, Vertebra
from endplate.biomechanics.result import LoadToStrength, SolverSummary, Strength
from endplate.bone.result import BoneDensity, Calibration
from endplate.case.model import Case, Provenance
from endplate.finding import Caution, Finding, Gap
from endplate.fracture.result import Alignment, Fracture, Heights, Measured
from endplate.image.volume import Grid, LabelMap, Volume
from endplate.level import Level
from endplate.patient import PatientRecord

HOSTILE_ID = 'P-7 <script>alert("x")</script> & "co"'
LEVELS = (Level.T11, Level.T12, Level.L1, Level.L2, Level.L3, Level.L4)
SPACING = 1.5
SHAPE = (64, 88, 160)
HALF_WIDTH, HALF_DEPTH = 20.0, 15.0


def scan_grid() -> Grid:
    affine = np.diag([SPACING, SPACING, SPACING, 1.0])
    affine[:3, 3] = (-48.0, -60.0, -10.0)
    return Grid(shape=SHAPE, affine=affine)


def centre_of(index: int) -> np.ndarray:
    """Body centres on a gentle lordosis and a slight scoliosis, head first."""
    z = 205.0 - 36.0 * index
    return np.array([4.0 * np.sin(z / 60.0), -14.0 * np.sin(z / 75.0) - 8.0, z])


def heights_of(index: int) -> tuple[float, float, float]:
    healthy = 24.0 + index
    return (0.58 * healthy, 0.7 * healthy, healthy) if LEVELS[index] is Level.L1 else (healthy, healthy - 2.0, healthy)


def surface(heights: tuple[float, float, float], anterior_mm: np.ndarray) -> np.ndarray:
    """Half height at a depth: a parabola through the posterior, middle and anterior heights."""
    anterior, middle, posterior = (0.5 * height for height in heights)
    t = anterior_mm / HALF_DEPTH
    return middle + 0.5 * (anterior - posterior) * t + (0.5 * (anterior + posterior) - middle) * t**2


def endplate(index: int, sign: float, axes: np.ndarray) -> Endplate:
    right = np.linspace(-HALF_WIDTH, HALF_WIDTH, 21)
    anterior = np.linspace(-HALF_DEPTH, HALF_DEPTH, 16)
    profile = sign * surface(heights_of(index), anterior)
    inside = (right[:, None] / HALF_WIDTH) ** 2 + (anterior / HALF_DEPTH) ** 2 <= 1.0
    height = np.where(inside, profile[None, :], np.nan)
    return Endplate(
        centre_mm=centre_of(index) + sign * 12.0 * axes[2],
        normal=sign * axes[2],
        right_mm=right,
        anterior_mm=anterior,
        superior_mm=height,
        breach=np.zeros(height.shape, bool),
        rim_mm=np.zeros((0, 3)),
    )


def vertebra(index: int, grid: Grid) -> Vertebra:
    axes = np.array([[-1.0, 0, 0], [0, -1.0, 0], [0, 0, 1.0]])
    start = np.array([0, 0, max(0, int((centre_of(index)[2] - 20.0 + 10.0) / SPACING))])
    stop = np.array([SHAPE[0], SHAPE[1], min(SHAPE[2], start[2] + 28)])
    crop = grid.crop(start, stop)
    points = crop.to_mm(np.stack(np.meshgrid(*(np.arange(n) for n in crop.shape), indexing="ij"), -1))
    local = (points - centre_of(index)) @ axes.T
    depth = np.clip(local[..., 1], -HALF_DEPTH, HALF_DEPTH)
    body = (local[..., 0] / HALF_WIDTH) ** 2 + (local[..., 1] / HALF_DEPTH) ** 2 <= 1.0
    body &= np.abs(local[..., 2]) <= surface(heights_of(index), depth)
    arch = (np.abs(local[..., 0]) < 4.0) & (local[..., 1] < -34.0) & (local[..., 1] > -52.0)
    arch &= np.abs(local[..., 2] + 4.0) < 9.0
    cut = LEVELS[index] is Level.T11
    return Vertebra(
        level=LEVELS[index],
        grid=crop,
        body=body,
        arch=arch,
        fill=(body | arch).astype(np.float32),
        centroid_mm=centre_of(index),
        axes=axes,
        superior=None if cut or LEVELS[index] is Level.L3 else endplate(index, 1.0, axes),
        inferior=None if LEVELS[index] is Level.L3 else endplate(index, -1.0, axes),
        left=None,
        right=None,
        cut_by_field=cut,
        cut_arch=False,
    )


def scan(vertebrae: tuple[Vertebra, ...], grid: Grid) -> tuple[Volume, LabelMap]:
    hu = np.random.default_rng(4711).normal(45.0, 18.0, grid.shape).astype(np.float32)
    labels = np.zeros(grid.shape, np.uint16)
    for item in vertebrae:
        k0 = round(float(grid.to_index(item.grid.affine[:3, 3])[2]))
        window = (slice(None), slice(None), slice(k0, k0 + item.grid.shape[2]))
        mask = item.body | item.arch
        hu[window][mask] += np.where(item.body, 90.0, 300.0)[mask]
        labels[window][mask] = item.level.verse_id
    return Volume(grid=grid, hu=hu), LabelMap(grid=grid, labels=labels, scheme="verse")


def fracture(index: int) -> Fracture:
    level, heights = LEVELS[index], heights_of(index)
    broken = level is Level.L1
    unknown = level in (Level.T11, Level.L3)
    measured = [Measured(value=None, reason="cut") if unknown else Measured(value=h, sd=0.5) for h in heights]
    return Fracture(
        level=level,
        heights=Heights(
            level=level,
            anterior=measured[0],
            middle=measured[1],
            posterior=measured[2],
            wedge_deg=Measured(value=None if unknown else 3.0, sd=1.0),
            depth_mm=2 * HALF_DEPTH,
            width_mm=2 * HALF_WIDTH,
        ),
        expected_mm=None if unknown else (24.0 + index, 22.0 + index, 24.0 + index),
        expected_sd_mm=None if unknown else 0.8,
        reference="two intact neighbours",
        height_loss=Measured(value=None if unknown else (0.42 if broken else 0.02), sd=0.03),
        worst=None if unknown else "anterior",
        genant_grade=None if unknown else (3 if broken else 0),
        grade_low=None if unknown else (2 if broken else 0),
        grade_high=None if unknown else (3 if broken else 0),
        shape=None if unknown else ("wedge" if broken else "none"),
        deformity="indeterminate" if unknown else ("yes" if broken else "no"),
        fracture="indeterminate" if unknown else ("yes" if broken else "no"),
        signs=("superior endplate depressed by 6 mm",) if broken else (),
        posterior_wall_fraction=Measured(value=None if unknown else 0.02, sd=0.02),
    )


def strength(item: Vertebra) -> Strength:
    displacement = np.linspace(0.0, 0.5, 26)
    stiffness = 9000.0 if item.level is Level.L1 else 15000.0
    force = stiffness * 0.16 * np.tanh(displacement / 0.16)
    rng = np.random.default_rng(1879)
    strain = np.where(item.body, rng.gamma(2.0, 0.0016, item.grid.shape), 0.0).astype(np.float32)
    return Strength(
        level=item.level,
        load_case="axial",
        law="kopperdahl",
        voxel_mm=1.0,
        height_mm=25.0,
        stiffness_n_per_mm=stiffness,
        displacement_mm=displacement,
        force_n=force,
        failure_load_n=float(stiffness * 0.12),
        plateau_load_n=float(stiffness * 0.155),
        failure_load_linear_n=float(0.0068 * stiffness * 25.0),
        relative_sd=0.14,
        grid=item.grid,
        strain=strain,
        plastic_strain=None,
        solver=SolverSummary(
            unknowns=240_000,
            elements=80_000,
            iterations=210,
            increments=20,
            residual=8e-7,
            seconds=4.2,
            memory_bytes=28_000_000,
            converged=True,
        ),
    )


def number(code: str, level: Level, value: float, unit: str, sd: float | None = None) -> Finding:
    band = (None, None) if sd is None else (value - 2 * sd, value + 2 * sd)
    return Finding(
        code=code,
        level=level,
        value=value,
        unit=unit,
        low=band[0],
        high=band[1],
        method=f"analytic test method of {code}; band of two SD",
        source="Genant 1993, J Bone Miner Res (knowledge)",
    )


def findings_of(index: int, reading: Fracture, solved: Strength | None) -> list[Finding]:
    level = LEVELS[index]
    out: list[Finding] = []
    if reading.genant_grade is not None:
        names = ("anterior_height", "middle_height", "posterior_height")
        out += [number(code, level, h, "mm", 0.5) for code, h in zip(names, heights_of(index), strict=True)]
        out.append(number("expected_height", level, 24.0 + index, "mm", 0.8))
        out.append(number("height_loss", level, reading.height_loss.value or 0.0, "1", 0.03))
        out.append(number("wedge_angle", level, 3.0, "deg", 1.0))
        out.append(replace(number("genant_grade", level, reading.genant_grade, "1"), low=reading.grade_low, high=3))
        out.append(replace(number("deformity_shape", level, 0, ""), value=str(reading.shape)))
    out.append(replace(number("deformity", level, 0, ""), value=reading.deformity))
    out.append(replace(number("fracture", level, 0, ""), value=reading.fracture))
    if level is not Level.T11:
        out.append(number("trabecular_hu", level, 95.0 - 3 * index, "[hnsf'U]", 6.0))
        out.append(number("trabecular_density", level, 74.0 - 2 * index, "mg/cm3", 9.0))
        out.append(replace(number("density_category", level, 0, ""), value="osteoporosis"))
    if solved is not None and solved.failure_load_n is not None:
        out.append(number("stiffness", level, solved.stiffness_n_per_mm, "N/mm", 1500.0))
        out.append(number("failure_load", level, solved.failure_load_n, "N", 200.0))
        out.append(number("failure_load_linear", level, solved.failure_load_linear_n, "N", 200.0))
        out.append(number("load_to_strength", level, 0.82, "1", 0.1))
    return out


def density(item: Vertebra) -> BoneDensity:
    roi = np.zeros(item.grid.shape, bool)
    local = item.to_local_mm(item.grid.to_mm(np.argwhere(item.body)))
    roi[tuple(np.argwhere(item.body)[(np.abs(local) < 6.0).all(axis=1)].T)] = True
    return BoneDensity(
        level=item.level,
        grid=item.grid,
        roi=roi,
        roi_mm3=float(roi.sum()) * item.grid.voxel_mm3,
        hu_mean=90.0,
        hu_sd=30.0,
        hu_se=2.0,
        density_mg_cm3=70.0,
        density_sd_mg_cm3=9.0,
        category="osteoporosis",
    )


def synthetic_case(with_ct: bool = True, case_id: str = HOSTILE_ID) -> Case:
    grid = scan_grid()
    vertebrae = tuple(vertebra(index, grid) for index in range(len(LEVELS)))
    volume, labels = scan(vertebrae, grid)
    readings = tuple(fracture(index) for index in range(len(LEVELS)))
    solved = {item.level: strength(item) for item in vertebrae[1:5]} if with_ct else {}
    findings = [
        finding
        for index, reading in enumerate(readings)
        for finding in findings_of(index, reading, solved.get(LEVELS[index]))
    ]
    if not with_ct:
        findings = [item for item in findings if not item.code.startswith(("trabecular", "density"))]
    return Case(
        id=case_id,
        volume=volume if with_ct else None,
        labels=labels,
        record=PatientRecord(id=case_id, age_yr=74, sex="female", mass_kg=61, height_cm=158),
        spine=Spine(vertebrae=vertebrae, canal=Canal(centre_mm=np.zeros((0, 3)), area_mm2=np.zeros(0))),
        fractures=readings,
        alignment=Alignment(regional_deg={}, local_deg={}),
        calibration=Calibration(
            slope_mg_cm3_per_hu=0.8,
            offset_mg_cm3=-2.0,
            route="tissue",
            sd_mg_cm3=9.0,
            source="analytic tissue line of the tests",
        )
        if with_ct
        else None,
        densities=tuple(density(item) for item in vertebrae[1:]) if with_ct else (),
        strengths=tuple(solved.values()),
        loads=tuple(
            LoadToStrength(level=level, activity="lifting 10 kg", load_n=1800.0, ratio=0.82, low=0.6, high=1.0)
            for level in solved
        ),
        findings=tuple(findings),
        gaps=(
            Gap(code="genant_grade", level=Level.T11, reason="the body is cut by the border of the scan"),
            Gap(code="failure_load", level=Level.T11, reason="the body is cut by the border of the scan"),
            Gap(code="genant_grade", level=Level.L3, reason="no endplate could be fitted"),
        ),
        cautions=(
            Caution(code="islands", level=Level.L2, text="Two loose islands <b>removed</b> from L2.", repaired=True),
        ),
        provenance=Provenance(
            version="0.1.0",
            python="3.11.9",
            started="2026-11-22T18:00:00+00:00",
            inputs={"ct.nii.gz": "ab" * 32, "labels.nii.gz": "cd" * 32},
            parameters={"law": "kopperdahl", "voxel_mm": 1.0, "nested": {"linear_only": False}},
            seconds={"anatomy": 2.1, "fracture": 0.4, "bone": 0.7, "biomechanics": 21.0},
        ),
    )
