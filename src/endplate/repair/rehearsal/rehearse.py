"""A rehearsal of one level: the way in, each procedure at the usual values of the unknowns, and the ensemble."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.errors import OptionError
from endplate.finding import band as plain_band
from endplate.progress import Progress, silent
from endplate.repair.access.access_result import Access, Procedure
from endplate.repair.access.plan import plan_access
from endplate.repair.augmented.load_margin import load_margins
from endplate.repair.band import Band
from endplate.repair.device.needle import choose_needle
from endplate.repair.rehearsal.design import (
    NAMES,
    SIZES,
    TWO_POINT,
    ParameterSet,
    balanced_design,
    corner,
    two_point_design,
    unknowns,
)
from endplate.repair.rehearsal.effects import Limits, Run, as_numbers, bands, drivers
from endplate.repair.rehearsal.eligibility import check_shell
from endplate.repair.rehearsal.ensemble import EnsembleMember, EnsemblePlan, run_members
from endplate.repair.rehearsal.planned_volumes import check_volumes, planned_limits
from endplate.repair.rehearsal.rehearsal_input import RehearsalInput, crushed_state, prepare_bone
from endplate.repair.rehearsal.result import ProcedureResult, Rehearsal
from endplate.repair.rehearsal.run_settings import RunSettings
from endplate.repair.rehearsal.single_run import RunResult, run_once
from endplate.repair.site.fracture_age import BOTH, Looseness, fracture_age
from endplate.repair.site.prefracture_shape import depressed_endplate

MEMBER_VOXEL_MM = cited(
    2.0,
    "mm",
    "own mesh study: largest voxel at which the stiffness of verse004 L2 stays within 8 % of that at 1 mm",
    "design",
    cite="walle_2025",
)
MEMBERS = cited(16, "1", "Smallest design of seven unknowns in which main effects are clear of pairs", "design")
SEED = cited(4711, "1", "Any number does; this one is written into every case", "design")


@dataclass(frozen=True, slots=True, kw_only=True)
class RehearsalSettings:
    """How a level is rehearsed.

    Parameters
    ----------
    run : RunSettings, optional
        What is chosen for every run: procedures, access, devices, volumes, voxels.
    nominal : ParameterSet, optional
        The usual values of what is unknown.
    age_decides : bool, default True
        The age of the fracture in record and scan sets whether it is loose, and the ends of that; False keeps
        `nominal.mobility`, with both ends open.
    members : int, optional
        Runs of the ensemble; 0 for a single run, 2 to span the gain of height only.
    member_voxel_mm : float, optional
        Voxel edge of the members, mm; never finer than that of the run.
    seed : int, optional
        Seed of the design.
    processes : int, optional
        Processes for the members; None takes as many as there are threads.
    """

    run: RunSettings = field(default_factory=RunSettings)
    nominal: ParameterSet = field(default_factory=ParameterSet)
    age_decides: bool = True
    members: int = int(MEMBERS)
    member_voxel_mm: float = MEMBER_VOXEL_MM
    seed: int = int(SEED)
    processes: int | None = None

    def __post_init__(self) -> None:
        if self.members and self.members not in (TWO_POINT, *SIZES):
            balanced_design(self.members, self.seed)
        if not self.run.procedures:
            raise OptionError("no procedure to rehearse", "", "choose vertebroplasty, kyphoplasty or both")
        if self.members and self.member_voxel_mm <= 0:
            raise OptionError(f"member voxels of {self.member_voxel_mm} mm", "a size is above 0", "choose 1 to 3 mm")


def rehearse_level(
    scene: RehearsalInput, settings: RehearsalSettings | None = None, tell: Progress | None = None
) -> Rehearsal:
    """Rehearse the repair of one level.

    Parameters
    ----------
    scene : the level in its scan. settings : see there. tell : called with stage, fraction and detail.

    Returns
    -------
    Rehearsal : a procedure that ended early holds its reason and what came before; failed members are named.

    Raises
    ------
    LabelError, OptionError : a level, needle or volume that cannot be rehearsed, or nothing that could be computed.
    """
    settings, tell = settings or RehearsalSettings(), tell or silent
    accesses = _accesses(scene, settings.run, tell)
    tell("zone", 0.0, "")
    scene = replace(scene, state=crushed_state(scene))
    prepared = prepare_bone(scene, settings.run.voxel_mm, settings.nominal)
    age = fracture_age(scene.record, scene.vertebra.level, prepared.bone.zone)
    if settings.age_decides and age.nominal != settings.nominal.mobility:
        settings = replace(settings, nominal=replace(settings.nominal, mobility=age.nominal))
        prepared = prepare_bone(scene, settings.run.voxel_mm, settings.nominal)
    looseness = age.band if settings.age_decides else BOTH
    check_shell(prepared.bone)
    check_volumes(settings.run, prepared.bone, accesses)
    tell("zone", 1.0, "")
    nominal = run_once(scene, settings.run, settings.nominal, prepared, accesses, tell)
    _refuse_nothing(nominal)
    numbers = as_numbers(nominal.before, nominal.done.values(), scene.loads_n)
    most: Limits = {name: planned_limits(settings.run, done, prepared.bone) for name, done in nominal.done.items()}
    ensemble = _ensemble(scene, settings, accesses, _Nominal(nominal, numbers, most, looseness), tell)
    return Rehearsal(
        level=scene.vertebra.level,
        before=nominal.before,
        nominal=tuple(nominal.done.values()),
        bands=_all_bands(settings.members, ensemble, single_run(numbers, nominal, scene)),
        drivers=ensemble.drivers,
        unknowns=unknowns(scene.calibration.sd_mg_cm3, settings.nominal, looseness),
        members=ensemble.ended,
        failed=ensemble.failed,
        partial=ensemble.partial,
        voxel_mm=settings.run.voxel_mm,
        member_voxel_mm=ensemble.voxel_mm,
        seed=settings.seed,
        bone=prepared.bone,
        intact=prepared.intact,
        notes=prepared.notes,
        age=age if settings.age_decides else None,
    )


def _all_bands(members: int, ensemble: _Ensemble, single: dict[str, dict[str, Band]]) -> dict[str, dict[str, Band]]:
    """Bands of the ensemble; those of a bracket together with what a single run has."""
    if not ensemble.ended:
        return single
    if members != TWO_POINT:
        return ensemble.bands
    return {
        procedure: {name: _both(band, ensemble.bands[procedure][name]) for name, band in results.items()}
        for procedure, results in single.items()
    }


def _both(alone: Band, spanned: Band) -> Band:
    """One band that holds two: a single run's own errors, and what two runs span."""
    if alone.low is None or alone.high is None:
        return alone if alone.value is None else spanned
    if spanned.low is None or spanned.high is None:
        return alone
    return replace(spanned, low=min(alone.low, spanned.low), high=max(alone.high, spanned.high))


def _accesses(scene: RehearsalInput, run: RunSettings, tell: Progress) -> dict[Procedure, Access]:
    accesses = {}
    depressed = None
    if "kyphoplasty" in run.procedures:
        readings = (*scene.others, *(() if scene.fracture is None else (scene.fracture,)))
        depressed = depressed_endplate(scene.vertebra, scene.spine, readings)
    for place, procedure in enumerate(run.procedures):
        tell("access", place / len(run.procedures), procedure)
        accesses[procedure] = plan_access(scene.spine, scene.vertebra, procedure, run.path, scene.volume, depressed)
    tell("access", 1.0, run.procedures[-1])
    if run.path.needle is not None and not any(access.paths for access in accesses.values()):
        tried = next((access for access in accesses.values() if access.alternatives), None)
        if tried is not None:
            raise OptionError(
                f"a {choose_needle(run.path.needle).name} needle",
                tried.reason,
                "choose a thinner one, or leave --needle out",
            )
    return accesses


def _refuse_nothing(nominal: RunResult) -> None:
    """Tell at once where no procedure came to anything, although there was a way in."""
    tried = [done for done in nominal.done.values() if done.access is not None and done.access.paths]
    if tried and all(done.inflation is None and done.fill is None for done in tried):
        level = tried[0].access.level if tried[0].access is not None else ""
        raise OptionError(
            f"no repair of {level} could be rehearsed",
            "; ".join(f"{done.procedure}: {done.stopped.rstrip('.')}" for done in tried),
            "change what it names, or try another --voxel-mm",
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ensemble:
    bands: dict[str, dict[str, Band]] = field(default_factory=dict)
    drivers: dict[str, tuple[tuple[str, float], ...]] = field(default_factory=dict)
    ended: int = 0
    failed: tuple[str, ...] = ()
    partial: int = 0
    voxel_mm: float | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Nominal:
    """The run at the usual values, its numbers, and the most that there can be of some."""

    run: RunResult
    numbers: Run
    most: Limits
    looseness: tuple[Looseness, Looseness] = BOTH

    def bands(self, coarse: Run, members: Sequence[Run]) -> dict[str, dict[str, Band]]:
        """Over the members; where the usual values themselves found no equilibrium there is nothing to band."""
        found = bands(self.numbers, coarse, members, self.most)
        for procedure, done in self.run.done.items():
            if done.unconverged:
                found[procedure] = {
                    name: Band(value=value, reason="the run at the usual values did not converge: last good state")
                    for name, value in self.numbers[procedure].items()
                }
        return found


def _ensemble(
    scene: RehearsalInput,
    settings: RehearsalSettings,
    accesses: dict[Procedure, Access],
    nominal: _Nominal,
    tell: Progress,
) -> _Ensemble:
    """All members, and the usual values once more where the members' voxels are larger."""
    open_ways = tuple(procedure for procedure in settings.run.procedures if accesses[procedure].paths)
    if not settings.members or not open_ways:
        return _Ensemble()
    signs, ends_of = _draws(settings, nominal.looseness)
    voxel_mm = max(settings.member_voxel_mm, settings.run.voxel_mm)
    coarse = voxel_mm != settings.run.voxel_mm
    draws = [settings.nominal] * coarse + ends_of
    strength = replace(settings.run.strength, keep_strain=False)
    run = replace(settings.run, voxel_mm=voxel_mm, procedures=open_ways, strength=strength, follow=False)
    plan = EnsemblePlan(scene=scene, settings=run, accesses=accesses)
    answers = run_members(plan, draws, lambda part, detail: tell("ensemble", part, detail), settings.processes)
    centre, members = (answers[0], answers[1:]) if coarse else (EnsembleMember(results=nominal.numbers), answers)
    failed = _failed(ends_of, members)
    if centre.reason:
        failed = (f"the usual values on voxels of {voxel_mm:g} mm: {centre.reason}", *failed)
    if centre.results is None:
        return _Ensemble(failed=failed, voxel_mm=voxel_mm)
    held = [member.results for member in members if member.results is not None]
    ended = sum(not member.reason for member in members)
    return _Ensemble(
        bands=nominal.bands(centre.results, held),
        drivers=drivers(signs, [member.results for member in members], nominal.numbers),
        ended=ended,
        failed=failed,
        partial=len(held) - ended,
        voxel_mm=voxel_mm,
    )


def _draws(
    settings: RehearsalSettings, looseness: tuple[Looseness, Looseness]
) -> tuple[NDArray[np.int8], list[ParameterSet]]:
    """The design and its draws; the two of a bracket have no design, and no main effects."""
    if settings.members == TWO_POINT:
        ends = two_point_design(settings.nominal, looseness, extended=settings.run.extension_deg > 0)
        return np.zeros((TWO_POINT, len(NAMES)), np.int8), list(ends)
    signs = balanced_design(settings.members, settings.seed)
    return signs, [corner(row, looseness) for row in signs]


def _failed(draws: Sequence[ParameterSet], members: Sequence[EnsembleMember]) -> tuple[str, ...]:
    return tuple(
        f"member {place + 1} of {len(members)} ({described(draw)}): {member.reason}"
        for place, (draw, member) in enumerate(zip(draws, members, strict=True))
        if member.reason
    )


def described(draw: ParameterSet) -> str:
    """One set of the unknowns in words."""
    return (
        f"density {draw.density_sd:+g} SD, permeability x {draw.permeability:.2g}, interface {draw.interface:g}, "
        f"{draw.mobility} fracture, preload {draw.preload_n:g} N, neighbours held by {draw.spring_n_per_mm:g} N/mm, "
        f"start viscosity x {draw.viscosity:.2g}"
    )


def single_run(numbers: Run, nominal: RunResult, scene: RehearsalInput) -> dict[str, dict[str, Band]]:
    """Values of a run without an ensemble; forces and their ratios have the bands of their own computation."""
    out = bands(numbers, {}, ())
    for done in (nominal.before, *nominal.done.values()):
        out[done.procedure] |= _strength_bands(done)
    for procedure, change in nominal.changes.items():
        out[procedure] |= {"stiffness_ratio": change.stiffness_ratio, "strength_ratio": change.failure_ratio}
        for margin in load_margins(scene.record, change):
            name = f"load_share_{margin.load_case}"
            for which, band in (("none", margin.before), (procedure, margin.after)):
                if name in out[which]:
                    out[which][name] = band
    return out


def _strength_bands(done: ProcedureResult) -> dict[str, Band]:
    strength, found = done.strength, {}
    if strength is None:
        return {}
    values = {"stiffness_n_per_mm": strength.stiffness_n_per_mm, "strength_n": strength.failure_load_n}
    for name, value in values.items():
        if value is not None:
            low, high = plain_band(value, value * strength.relative_sd)
            found[name] = Band(value=value, low=max(low, 0.0), high=high)
    return found
