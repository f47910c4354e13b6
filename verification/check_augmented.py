"""Cement that has set: rows 20 and 21 of the acceptance list, and guards of the rule of mixtures"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
from numpy.typing import NDArray

from endplate.biomechanics.model import BODY, BoneModel
from endplate.biomechanics.strength import StrengthSettings, solve_strength
from endplate.bone.material import ASH_OFFSET_G_CM3, ASH_PER_APPARENT, ASH_SLOPE, density_law
from endplate.image.volume import Grid
from endplate.level import Level
from endplate.numerics.solver import ElasticSolver
from endplate.numerics.voxel.mesh import VoxelMesh
from endplate.repair.augmented.augmented_bone import cure
from endplate.repair.augmented.bone_model import bone_model
from endplate.repair.device.cement import CEMENTS
from endplate.repair.site.bone import Bone, body_ml, inside_body
from endplate.repair.site.fracture_zone import SOFT_MODULUS
from verification.bodies import UPPER_LEVELS, Scan, digital_scan, local_mm, real_scan
from verification.check import Check

VOXEL_MM = 2.0
LINEAR = StrengthSettings(nonlinear=False, keep_strain=False)
CURVE = StrengthSettings(keep_strain=False)
CEMENT = CEMENTS["standard PMMA"]
FILLS = np.arange(0, 0.46, 0.05)


def checks() -> Iterator[Check]:
    """Rows R20, R21 and R26."""
    yield from fill_sweep()
    yield composite_core()
    yield from cement_guards()


def row(number: str, title: str, expected: str, got: str, source: str, passed: bool | None, rung: str) -> Check:
    """A row, by position."""
    return Check(number=number, title=title, expected=expected, got=got, source=source, rung=rung, passed=passed)


# --- 20: how much cement brings back the intact body


def fill_sweep() -> Iterator[Check]:
    """Row 20: cement from two tips in a body softened throughout as the reference asks of fractured bone (5.2)."""
    found = [sweep(scan, level) for scan, level in swept()]
    names = ", ".join(f"{scan.name} {level}" for scan, level in swept())
    broken = ", ".join(f"{100 * s.broken_stiffness:.0f} and {100 * s.broken_strength:.0f} %" for s in found)
    state = f"{names}; fractured: modulus x {SOFT_MODULUS:g}, strength x its root, throughout; left: {broken}"
    for number, name, wanted, tolerance, got in (
        ("R20.1", "stiffness", 30, 10, [s.stiffness_fill for s in found]),
        ("R20.2", "strength", 16, 8, [s.strength_fill for s in found]),
    ):
        mean = float(np.mean(got))
        inside = abs(mean - wanted) <= tolerance
        each = ", ".join("never" if math.isnan(f) else f"{f:.0f} %" for f in got)
        size = (
            "; a miss: not regained at 45 %"
            if math.isnan(mean)
            else f"; a miss by {abs(mean - wanted) - tolerance:.0f}"
        )
        yield row(
            number,
            f"fill that gives back the intact {name}: {state}",
            f"{wanted} +- {tolerance} % of the body's volume",
            f"{mean:.0f} % ({each})" + ("" if inside else size),
            "Molloy 2003",
            inside,
            "published",
        )
    least = min(float(np.diff(s.stiffness).min()) for s in found)
    yield row(
        "R20.3",
        "more cement never lowers the stiffness, 0 to 45 % fill",
        "never",
        f"{len(FILLS)} fills of {len(found)} bodies, least step {least:.0f} N/mm",
        "issue, section 6",
        least >= 0,
        "exact",
    )


class Sweep:
    """A body softened and filled step by step."""

    def __init__(self, bone: Bone, tips_first: NDArray[np.int64]) -> None:
        soft = replace(bone, softening=np.full_like(bone.softening, SOFT_MODULUS))
        intact, broken = bone_model(bone), bone_model(soft)
        whole = solve_strength(intact, CURVE)
        self.fills = FILLS
        models = [cure(broken, filled(bone, tips_first, fill), CEMENT) for fill in FILLS]
        self.stiffness = np.array([solve_strength(model, LINEAR).stiffness_n_per_mm for model in models])
        self.stiffness_fill = crossing(FILLS, self.stiffness, whole.stiffness_n_per_mm)
        loads: list[float] = []
        for model in models:
            loads.append(solve_strength(model, CURVE).failure_load_n or math.nan)
            if loads[-1] >= (whole.failure_load_n or math.nan):
                break
        self.strength_fill = crossing(FILLS[: len(loads)], np.array(loads), whole.failure_load_n or math.nan)
        self.broken_stiffness = self.stiffness[0] / whole.stiffness_n_per_mm
        self.broken_strength = loads[0] / (whole.failure_load_n or math.nan)


def swept() -> list[tuple[Scan, Level]]:
    """A digital lumbar body, and two real ones where the data lies."""
    real = [(real_scan("tptbox-l3"), Level.L3), (real_scan("verse014"), Level.L2)]
    return [(digital_scan("female", UPPER_LEVELS), Level.L1)] + [(scan, level) for scan, level in real if scan]


@cache
def sweep(scan: Scan, level: Level) -> Sweep:
    """The sweep of one body: tips at a quarter of its width on both sides, a little before its middle."""
    bone = scan.bone(level, VOXEL_MM)
    place = local_mm(scan.at(level), bone)
    inside = inside_body(bone.field) > 0.99
    width = np.ptp(place[inside][:, 0])
    tips = np.array([[side * width / 4, 3.0, 0.0] for side in (1, -1)])
    away = np.min([np.linalg.norm(place - tip, axis=-1) for tip in tips], axis=0)
    away[~inside] = np.inf
    return Sweep(bone, np.argsort(away, axis=None, kind="stable")[: int(inside.sum())])


def filled(bone: Bone, order: NDArray[np.int64], fill: float) -> NDArray[np.float32]:
    """Saturation of two growing spheres that hold a fraction of the body's volume, kept inside its wall."""
    amount = fill * body_ml(bone) * 1000 / bone.field.grid.voxel_mm3
    out = np.zeros(bone.field.grid.shape, np.float32)
    out.flat[order] = np.clip(amount - np.arange(len(order)), 0, 1)
    return out


def crossing(fills: NDArray[np.float64], values: NDArray[np.float64], wanted: float) -> float:
    """Fill in per cent where a rising curve first reaches a value; NaN where it never does."""
    above = np.flatnonzero(values >= wanted)
    if not len(above):
        return math.nan
    last = max(int(above[0]), 1)
    pair = slice(last - 1, last + 1)
    return float(100 * np.interp(wanted, values[pair], fills[pair]))


# --- 21: cores of cement and bone


def composite_core() -> Check:
    """Row 21: the modulus of an augmented core against the bone in it, and against the voids of the cement."""
    densities = np.linspace(0.06, 0.14, 5)
    moduli = np.array([core_modulus(bone, 0.10) for bone in densities])
    spread = float(moduli.max() / moduli.min() - 1)
    voids = np.linspace(0.02, 0.30, 5)
    cement = np.array([core_modulus(0.10, void) for void in voids])
    r2 = float(np.corrcoef(voids, cement)[0, 1] ** 2)
    return row(
        "R21",
        "core 8 x 8 x 12 mm filled to 85-100 % (mean 93 %): modulus over BV/TV 0.06-0.14 at 10 % voids in the cement",
        "changes by < 5 %; follows the cement's porosity (R2 0.91-0.98)",
        f"{100 * spread:.1f} % ({moduli.min():.0f} to {moduli.max():.0f} MPa); R2 with porosity {r2:.2f}",
        "Kinzl 2012a",
        spread < 0.05 and r2 > 0.9,
        "published",
    )


def core_modulus(bone_fraction: float, void_fraction: float) -> float:
    """MPa of a core of bone of that BV/TV whose pores are nearly filled with cement of that void fraction."""
    shape = (8, 8, 12)
    apparent = 1.9 * bone_fraction  # g/cm3 of bone tissue
    density = (apparent * ASH_PER_APPARENT - ASH_OFFSET_G_CM3) / ASH_SLOPE
    stiff, strong = density_law("kopperdahl").properties(np.full(shape, 1000 * density))
    saturation = np.random.default_rng(4711).uniform(0.85, 1.0, shape).astype(np.float32)
    model = core_model(stiff.astype(np.float32), strong.astype(np.float32))
    cured = cure(model, saturation, replace(CEMENT, void_fraction=void_fraction))
    mesh = VoxelMesh.from_active(model.active, model.voxel_mm)
    low, top = mesh.nodes_on_plane(2, 0), mesh.nodes_on_plane(2, shape[2])
    fixed, prescribed = np.zeros((mesh.n_nodes, 3), bool), np.zeros((mesh.n_nodes, 3))
    fixed[low, 2] = fixed[top, 2] = True
    fixed[low[0], :2] = fixed[low[-1], 0] = True
    prescribed[top, 2] = -0.01
    solver = ElasticSolver(mesh, cured.modulus_mpa[tuple(mesh.element_ijk.T)], 0.3, fixed, element="bbar")
    u, _ = solver.solve(prescribed=prescribed)
    return float(solver.operator.reaction(u, low)[2] * shape[2] / (0.01 * shape[0] * shape[1]))


def core_model(modulus: NDArray[np.float32], strength: NDArray[np.float32]) -> BoneModel:
    """A bare block of bone of 1 mm voxels."""
    i, j, k = modulus.shape
    return BoneModel(
        level=Level.L1,
        grid=Grid(shape=(i, j, k), affine=np.eye(4)),
        voxel_mm=1.0,
        material=np.full(modulus.shape, BODY, np.uint8),
        modulus_mpa=modulus,
        yield_mpa=strength,
        height_mm=float(k),
        law="kopperdahl",
        layer="pmma",
        density_mg_cm3=100.0,
        density_sd_mg_cm3=0.0,
    )


# --- guards


def cement_guards() -> Iterator[Check]:
    """No cement changes nothing; a better interface never softens; the solver takes cement and clefts alike."""
    scan = real_scan("tptbox-l3") or digital_scan("female", UPPER_LEVELS)
    level = Level.L3 if scan.name == "tptbox-l3" else Level.L1
    bone = scan.bone(level, VOXEL_MM)
    model = bone_model(bone)
    place = local_mm(scan.at(level), bone)
    cement = ((np.linalg.norm(np.abs(place) - [9, 4, 0], axis=-1) < 8) & (model.material == BODY)).astype(np.float32)
    same = cure(model, np.zeros_like(cement), CEMENT)
    yield row(
        "R26.1", "zero cement", "the very same model", "the same" if same is model else "changed",
        "issue, section 6", same is model, "exact",
    )  # fmt: skip
    steps = [solve_strength(cure(model, cement, CEMENT, k), LINEAR).stiffness_n_per_mm for k in (0.6, 0.7, 0.8, 0.9, 1)]
    yield row(
        "R26.2", f"{scan.name} {level}: interface factor 0.6 to 1 (contact to bond)", "stiffness rises all the way",
        ", ".join(f"{k:,.0f}" for k in steps) + " N/mm", "issue, section 6", bool((np.diff(steps) > 0).all()), "exact",
    )  # fmt: skip
    counts = {}
    for size in (2.0, 1.0):
        fine = bone_model(scan.bone(level, size))
        place = local_mm(scan.at(level), scan.bone(level, size))
        balls = (np.linalg.norm(np.abs(place) - [9, 4, 0], axis=-1) < 8) & (fine.material == BODY)
        cleft = (np.abs(place[..., 2]) < 2) & (place[..., 1] > -5) & (fine.material == BODY) & ~balls
        loose = replace(fine, modulus_mpa=np.where(cleft, np.float32(0.1), fine.modulus_mpa))
        counts[size] = solve_strength(cure(loose, balls.astype(np.float32), CEMENT), LINEAR).solver.iterations
    yield row(
        "R26.3", f"{scan.name} {level}: iterations with cement beside a cleft of 0.1 MPa", "<= 25 at every size",
        ", ".join(f"{n} at {size:g} mm" for size, n in counts.items()), "reference, regression guards",
        max(counts.values()) <= 25, "convergence",
    )  # fmt: skip
