"""A rehearsal of the synthetic L1 wedge: real types, plausible and self-consistent content, no simulation behind it."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from tests.support.synthetic_case import strength, synthetic_case

from endplate.anatomy.vertebra import Vertebra
from endplate.biomechanics.result import Strength
from endplate.case.model import Case
from endplate.level import Level
from endplate.repair.access.access_result import Access, NeedlePath, Procedure
from endplate.repair.augmented.motion_segment import Neighbour
from endplate.repair.cement.cement_fill import CementFill, LeakEvent
from endplate.repair.device.balloon import BALLOONS
from endplate.repair.device.cement import CEMENTS
from endplate.repair.device.needle import NEEDLES
from endplate.repair.kyphoplasty.inflation_result import Gain, Inflation, WallDisplacement
from endplate.repair.rehearsal.design import ParameterSet, balanced_design, corner, unknowns
from endplate.repair.rehearsal.effects import as_numbers, bands, drivers
from endplate.repair.rehearsal.result import ProcedureResult, Rehearsal
from endplate.repair.site.bone import Bone, inside_body, repair_bone
from endplate.repair.site.leak_route import LeakRoute

VOXEL_MM = 1.5
TIPS = ((-8.0, 3.0, -1.0), (8.0, 3.0, -1.0))
"""Right, anterior, superior mm: a needle tip in each half."""


def ellipsoid(bone: Bone, vertebra: Vertebra, centre: tuple[float, float, float], radii: tuple[float, float, float]):
    """(I, J, K) soft-edged ellipsoid in the vertebra's local frame, inside the body only."""
    grid = bone.field.grid
    local = vertebra.to_local_mm(grid.to_mm(np.moveaxis(np.indices(grid.shape), 0, -1)))
    far = np.sqrt((((local - np.array(centre)) / np.array(radii)) ** 2).sum(axis=-1))
    return np.clip((1.15 - far) / 0.3, 0, 1).astype(np.float32) * (inside_body(bone.field) > 0.3)


def access(vertebra: Vertebra, procedure: Procedure) -> Access:
    paths = []
    for side, tip in (("left", TIPS[0]), ("right", TIPS[1])):
        entry = vertebra.to_world_mm(np.array([1.9 * tip[0], -38.0, 6.0]))
        paths.append(
            NeedlePath(
                level=vertebra.level,
                side=side,
                approach="transpedicular",
                needle=NEEDLES["11G"],
                skin_mm=None,
                entry_mm=entry,
                target_mm=vertebra.to_world_mm(np.array(tip)),
                axial_deg=11.0,
                sagittal_deg=6.0,
                clearance_mm={
                    "medial": 1.6, "lateral": 2.1, "superior": 3.0, "inferior": 2.2, "anterior": 9.0, "endplates": 4.1
                },
                min_clearance_mm=1.6,
                length_mm=44.0,
            )
        )  # fmt: skip
    return Access(level=vertebra.level, procedure=procedure, paths=tuple(paths))


def cement(bone: Bone, vertebra: Vertebra, volume_ml: float) -> CementFill:
    grid = bone.field.grid
    saturation = np.maximum(*(ellipsoid(bone, vertebra, tip, (9.0, 8.0, 6.5)) for tip in TIPS))
    sphere = np.maximum(*(ellipsoid(bone, vertebra, tip, (7.5, 7.5, 7.5)) for tip in TIPS))
    time = np.linspace(0.0, 60.0, 31)
    opening = LeakRoute(
        route="B",
        name="basivertebral foramen",
        voxels=np.zeros((0, 3), np.int64),
        centre_mm=vertebra.to_world_mm(np.array([0.0, -15.0, 0.0])),
    )
    return CementFill(
        level=vertebra.level,
        grid=grid,
        cement=CEMENTS["standard PMMA"],
        saturation=saturation,
        age_s=np.where(saturation > 0, 480.0, np.nan).astype(np.float32),
        volume_ml=volume_ml - 0.1,
        leaked_ml=0.1,
        injected_ml=volume_ml,
        fill_fraction=0.19,
        time_s=time,
        injected_curve_ml=volume_ml * time / 60.0,
        bone_pressure_mpa=0.02 + 0.01 * np.sqrt(time),
        cannula_pressure_mpa=0.9 + 0.02 * time,
        reached=(LeakEvent(opening=opening, time_s=52.0, injected_ml=0.87 * volume_ml, leaked_ml=0.1),),
        right_share=0.48,
        endplate_contact={"superior": 0.12, "inferior": 0.05},
        sphere=sphere,
        stop="planned volume",
        balance=2e-4,
    )


def inflation(bone: Bone, vertebra: Vertebra) -> Inflation:
    hollow = np.maximum(*(ellipsoid(bone, vertebra, tip, (7.0, 8.0, 6.0)) for tip in TIPS))
    rim = np.maximum(*(ellipsoid(bone, vertebra, tip, (10.0, 11.0, 9.0)) for tip in TIPS)) - hollow
    volume = np.linspace(0.0, 4.0, 21)
    return Inflation(
        level=vertebra.level,
        balloons=(BALLOONS["Xpander 15/3"],) * 2,
        volume_ml=volume,
        pressure_mpa=1.2 * (1 - np.exp(-volume)),
        full=Gain(anterior_mm=4.1, middle_mm=3.2, posterior_mm=0.6, wedge_deg=-6.0),
        deflated=Gain(anterior_mm=3.0, middle_mm=2.4, posterior_mm=0.4, wedge_deg=-4.4),
        bone=replace(bone, cavity=hollow),
        compaction=(1.0 + 1.2 * np.clip(rim, 0, 1)).astype(np.float32),
        cavity_ml=3.4,
        wall_displacement_inflated_mm=WallDisplacement(0.8, 0.4),
        wall_displacement_deflated_mm=WallDisplacement(0.3, 0.2),
        mass_error=1e-12,
        volume_error=2e-4,
        energy_error=6e-3,
        mobility="mobile",
        preload_n=100.0,
        stop="planned volume",
        steps=40,
        seconds=31.0,
    )


def solved(case: Case, factor: float) -> Strength:
    vertebra = next(v for v in case.spine.vertebrae if v.level is Level.L1)
    plain = strength(vertebra)
    return replace(
        plain,
        stiffness_n_per_mm=plain.stiffness_n_per_mm * factor,
        force_n=plain.force_n * factor,
        failure_load_n=(plain.failure_load_n or 0.0) * factor,
    )


def neighbours(factor: float) -> tuple[Neighbour, ...]:
    return tuple(
        Neighbour(
            level=level,
            load_case=case,
            load_ratio=1.0 + 0.01 * factor,
            endplate_strain_ratio=1.0 + 0.06 * factor,
            disc_pressure_ratio=1.0 + 0.03 * factor,
        )
        for level in (Level.T12, Level.L2)
        for case in ("standing", "flexed")
    )


def synthetic_rehearsal(case: Case, members: int = 16) -> Rehearsal:
    """Both procedures on L1 with an ensemble whose results follow the unknowns linearly."""
    vertebra = next(v for v in case.spine.vertebrae if v.level is Level.L1)
    bone = repair_bone(vertebra, case.volume, case.calibration, VOXEL_MM)
    before = ProcedureResult(
        procedure="none", access=None, inflation=None, fill=None, strength=solved(case, 1.0), after_cement=None
    )
    plasty = ProcedureResult(
        procedure="vertebroplasty",
        access=access(vertebra, "vertebroplasty"),
        inflation=None,
        fill=cement(bone, vertebra, 3.6),
        strength=solved(case, 1.7),
        after_cement=None,
        neighbours=neighbours(1.0),
    )
    blown = inflation(bone, vertebra)
    kypho = replace(
        plasty,
        procedure="kyphoplasty",
        access=access(vertebra, "kyphoplasty"),
        inflation=blown,
        fill=cement(blown.bone, vertebra, 5.0),
        strength=solved(case, 1.9),
        after_cement=Gain(anterior_mm=2.8, middle_mm=2.2, posterior_mm=0.4, wedge_deg=-4.0),
        neighbours=neighbours(1.6),
    )
    nominal = as_numbers(before, (plasty, kypho))
    signs = balanced_design(members, 4711) if members else np.zeros((0, 7), np.int8)
    runs = [_moved(nominal, row) for row in signs]
    return Rehearsal(
        level=Level.L1,
        before=before,
        nominal=(plasty, kypho),
        bands=bands(nominal, nominal, runs),
        drivers=drivers(signs, runs, nominal),
        unknowns=unknowns(9.0, ParameterSet()),
        members=members,
        voxel_mm=VOXEL_MM,
        member_voxel_mm=2.0 if members else None,
        seed=4711,
        bone=bone,
    )


def _moved(nominal: dict[str, dict[str, float]], row: np.ndarray) -> dict[str, dict[str, float]]:
    """A member whose gains hang on mobility and preload, its forces on density, its cement on nothing else."""
    draw = corner(row)
    out = {}
    for procedure, results in nominal.items():
        out[procedure] = {}
        for name, value in results.items():
            if name.startswith(("full", "deflated", "cured")):
                value *= (1.0 if draw.mobility == "mobile" else 0.1) * (1.2 - 0.002 * draw.preload_n)
            elif name in ("strength_n", "stiffness_n_per_mm"):
                value *= 1.0 + 0.15 * draw.density_sd + 0.05 * (draw.interface - 0.8)
            out[procedure][name] = value
    return out


def rehearsed_case(members: int = 16) -> Case:
    """The synthetic case with its rehearsal."""
    case = synthetic_case()
    return replace(case, rehearsals=(synthetic_rehearsal(case, members),))
