"""Stiffness and strength of a model: one elastic solve, then the load-displacement curve to 2 % strain."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from endplate.biomechanics.criteria import END_STRAIN, crawford_load, last_elastic_travel, offset_load, plateau_load
from endplate.biomechanics.loadcase import Boundary, LoadCase, boundary
from endplate.biomechanics.model import BoneModel
from endplate.biomechanics.result import SolverSummary, Strength
from endplate.bone.material import POISSON
from endplate.cited import cited
from endplate.errors import OptionError
from endplate.numerics.backend.choose import check, choose
from endplate.numerics.interface import Device
from endplate.numerics.plasticity.body import PlasticBody
from endplate.numerics.plasticity.load_path import LoadPath, PathSettings, follow_path
from endplate.numerics.plasticity.return_mapping import CODE, Criterion
from endplate.numerics.solver import ElasticSolver, SolveReport
from endplate.numerics.voxel.mesh import VoxelMesh
from endplate.progress import Share

METHOD_SD = cited(
    0.16,
    "1",
    "kernel and scanner each move FE strength by up to 20 % (abstract); as even limits, 0.2/sqrt(3) each",
    "verified",
    cite="ct_effect_fe_2020",
)
MESH_SD = cited(
    0.05,
    "1",
    "Voxels of 0.5 to 3 mm on verse004 L2: stiffness x height -2.5 to +7.8 %",
    "recomputed",
    cite="walle_2025",
)
YIELD_POWER = cited(
    1.39, "1", "Kopperdahl 2002: exponent from density to yield stress", "secondary", cite=("kopperdahl_2002", "ogo")
)
SHELL_SD = cited(
    0.03,
    "1",
    "Own measurement on the digital L2: 1 and 2 mm voxels lie 1 and 3 % above the body with its shell resolved; a "
    "layer of 0.38 to 1 mm moves the load by 0.8 % at most",
    "design",
)
LINEAR_TOLERANCE = cited(1e-6, "1", "Relative residual of the elastic solve; stiffness then stands to 1e-6", "design")
CURVE_TOLERANCE = cited(
    1e-2,
    "1",
    "Residual over reactions; forces are read by virtual work, and a ten times tighter one moves them by < 0.1 %",
    "design",
)
SINGLE_FROM = cited(
    1e-3,
    "1",
    "Forces in single precision differ from double by 3e-5 of the largest in a body that yields (docs/performance.md)",
    "design",
)
FIRST_STRAIN = cited(0.002, "1", "First point of the curve, where only the weakest voxels have yielded", "design")
FINE_STRAIN = cited(0.001, "1", "Half the step moves the failure load of verse004 L2 by 0.07 %", "design")
FINE_UNTIL = cited(0.008, "1", "0.2 % offset plus the yield strain of dense vertebral bone", "design")
COARSE_STEPS = cited(3, "1", "Steps from there to 2 %, where the curve is nearly straight", "design")


@dataclass(frozen=True, slots=True, kw_only=True)
class StrengthSettings:
    """How stiffness and strength are found.

    Attributes
    ----------
    nonlinear : follow the curve to 2 % strain; else stiffness and the linear estimate only.
    criterion : yield surface. element : "bbar" (no locking) or "full" integration.
    load_case : "axial", or "flexed" (see `loadcase.FLEXION_SHARE`).
    tolerance : of equilibrium at each point of the curve. keep_strain : keep the strain volumes.
    device : "cpu", or "cuda" for elastic solves and yielding voxels on a graphics card.
    """

    nonlinear: bool = True
    criterion: Criterion = "tresca"
    element: Literal["bbar", "full"] = "bbar"
    load_case: LoadCase = "axial"
    tolerance: float = CURVE_TOLERANCE
    keep_strain: bool = True
    device: Device = "cpu"

    def __post_init__(self) -> None:
        choices: tuple[tuple[str, str, tuple[str, ...]], ...] = (
            ("criterion", self.criterion, tuple(CODE)),
            ("element", self.element, ("bbar", "full")),
            ("load case", self.load_case, ("axial", "flexed")),
        )
        for name, value, known in choices:
            if value not in known:
                raise OptionError(f"unknown {name} {value!r}", "it decides the strength", f"choose {', '.join(known)}")
        if not 0 < self.tolerance < 0.5:
            raise OptionError(f"tolerance {self.tolerance}", "it is a fraction of the reactions", "choose 1e-4 to 1e-2")
        check(self.device)


def solve_strength(
    model: BoneModel, settings: StrengthSettings | None = None, progress: Share | None = None
) -> Strength:
    """Load a model and read its stiffness and strength.

    Parameters
    ----------
    model : from `build_model`. settings : see there. progress : called with the fraction done, 0 to 1.

    Returns
    -------
    Strength : what the curve never reached is None, with the reason.

    Raises
    ------
    SolverError : the elastic solve failed, which means that the model is broken.
    """
    settings = settings or StrengthSettings()
    start = time.perf_counter()
    mesh = VoxelMesh.from_active(model.active, model.voxel_mm)
    where = tuple(mesh.element_ijk.T)
    modulus, limit = model.modulus_mpa[where], model.yield_mpa[where]
    supports = boundary(model, mesh, settings.load_case)
    backend = choose(settings.device)
    solver = ElasticSolver(mesh, modulus, POISSON, supports.fixed, settings.element, backend)
    unit, report = solver.solve(prescribed=supports.prescribed, tolerance=LINEAR_TOLERANCE)
    precision = np.float32 if settings.tolerance >= SINGLE_FROM else np.float64
    body = PlasticBody(mesh, modulus, limit, POISSON, settings.criterion, settings.element, backend, precision)
    stiffness = _axial(solver.operator.apply(unit), supports)
    path = _path(model, body, solver, supports, unit, settings, progress) if settings.nonlinear else None
    return _result(model, settings, _Solved(mesh, solver, report, body, unit, stiffness, path, start))


@dataclass(frozen=True, slots=True)
class _Solved:
    mesh: VoxelMesh
    solver: ElasticSolver
    report: SolveReport
    body: PlasticBody
    unit: NDArray[np.float64]
    stiffness: float
    path: LoadPath | None
    start: float


def strain_schedule() -> NDArray[np.float64]:
    """Apparent strains of the curve's points: fine where the offset line crosses, coarse to 1.9 % and 2 %."""
    fine = np.arange(FIRST_STRAIN, FINE_UNTIL + FINE_STRAIN / 2, FINE_STRAIN)
    coarse = np.linspace(fine[-1], END_STRAIN, int(COARSE_STEPS) + 1)[1:]
    return np.concatenate([fine, coarse])


def _axial(force: NDArray[np.float64], supports: Boundary) -> float:
    """Compressive force on the upper face, N."""
    return -float(force[supports.upper, 2].sum())


def _path(
    model: BoneModel,
    body: PlasticBody,
    solver: ElasticSolver,
    supports: Boundary,
    unit: NDArray[np.float64],
    settings: StrengthSettings,
    progress: Share | None,
) -> LoadPath:
    """The curve to 2 % strain."""
    return follow_path(
        body,
        solver.correct,
        supports.fixed,
        unit,
        strain_schedule() * model.height_mm,
        PathSettings(tolerance=settings.tolerance),
        None if settings.load_case == "axial" else lambda force: _axial(force, supports),
        progress,
    )


def _result(model: BoneModel, settings: StrengthSettings, solved: _Solved) -> Strength:
    """Everything read off the solution."""
    path, height, stiffness = solved.path, model.height_mm, solved.stiffness
    empty = np.zeros(0)
    travel, force = (path.travel_mm, path.force_n) if path else (empty, empty)
    elastic = last_elastic_travel(travel, force, stiffness, height)
    keep = settings.keep_strain
    strain = effective_strain(solved.mesh, solved.unit * elastic) if keep else None
    plastic = solved.body.equivalent_plastic_strain() if keep and path else None
    failure = offset_load(travel, force, stiffness, height)
    return Strength(
        level=model.level,
        load_case=settings.load_case,
        law=model.law,
        voxel_mm=model.voxel_mm,
        height_mm=height,
        stiffness_n_per_mm=stiffness,
        displacement_mm=travel,
        force_n=force,
        failure_load_n=failure,
        plateau_load_n=plateau_load(travel, force, height),
        failure_load_linear_n=crawford_load(stiffness, height),
        relative_sd=relative_sd(model),
        grid=model.grid,
        strain=_on_grid(model, solved.mesh, strain),
        plastic_strain=_on_grid(model, solved.mesh, plastic),
        solver=_summary(solved),
        notes=model.notes,
        reason=_reason(settings, path, failure),
        shell_mg_cm3_mm=model.shell_mg_cm3_mm,
    )


def relative_sd(model: BoneModel) -> float:
    """Relative SD of forces: calibration error through the yield exponent, method, mesh, shell, as independent errors.

    What is added to a shell is a difference of densities, which an error of the calibration's offset leaves as it is.
    """
    density = YIELD_POWER * model.density_sd_mg_cm3 / max(model.density_mg_cm3, 1.0)
    shell = 0.0 if model.shell_mg_cm3_mm is None else SHELL_SD
    return math.sqrt(density**2 + METHOD_SD**2 + MESH_SD**2 + shell**2)


def effective_strain(mesh: VoxelMesh, displacement_mm: NDArray[np.float64]) -> NDArray[np.float32]:
    """(E,) sqrt(2 U / E) at the centre of each voxel, U the elastic energy density. Source: Pistoia 2002."""
    signs = np.array([[(c >> 2) & 1, (c >> 1) & 1, c & 1] for c in range(8)]) * 2.0 - 1.0
    slope = signs / (4 * mesh.spacing_mm)
    gradient = np.einsum("ecd,ca->eda", displacement_mm[mesh.element_nodes], slope)
    strain = 0.5 * (gradient + gradient.transpose(0, 2, 1))
    nu = POISSON
    trace = np.trace(strain, axis1=1, axis2=2)
    twice_energy = ((strain**2).sum(axis=(1, 2)) + nu / (1 - 2 * nu) * trace**2) / (1 + nu)
    return np.asarray(np.sqrt(twice_energy).astype(np.float32))


def _on_grid(model: BoneModel, mesh: VoxelMesh, values: NDArray[np.float32] | None) -> NDArray[np.float32] | None:
    """Element values as a volume, zero outside."""
    if values is None:
        return None
    out = np.zeros(model.material.shape, np.float32)
    out[tuple(mesh.element_ijk.T)] = values
    return out


def _summary(solved: _Solved) -> SolverSummary:
    path = solved.path
    return SolverSummary(
        unknowns=3 * solved.mesh.n_nodes,
        elements=solved.mesh.n_elements,
        iterations=solved.report.iterations + (path.corrections if path else 0),
        increments=len(path.travel_mm) - 1 if path else 0,
        residual=float(path.residual.max()) if path else solved.report.residual,
        seconds=time.perf_counter() - solved.start,
        memory_bytes=solved.solver.nbytes + solved.body.nbytes + (path.memory_bytes if path else 0),
        converged=path.converged if path else True,
    )


def _reason(settings: StrengthSettings, path: LoadPath | None, failure: float | None) -> str:
    """Why there is no offset load, or why the curve ends early."""
    if path is None:
        return "only the linear estimate was asked for"
    if path.reason:
        return path.reason
    return "" if failure is not None else "the curve never meets the 0.2 % offset line up to 2 % strain"
