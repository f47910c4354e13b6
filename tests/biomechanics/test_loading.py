"""Loads in daily life: the reference's sanity cases, and silence where the record is silent."""

from __future__ import annotations

import numpy as np
import pytest

from endplate.biomechanics.findings import CODES, findings, gaps, unsolved
from endplate.biomechanics.loading import ACTIVITIES, estimate_loads, spinal_load, weight_above
from endplate.biomechanics.result import SolverSummary, Strength
from endplate.finding import catalogue
from endplate.image.volume import Grid
from endplate.level import Level
from endplate.patient import PatientRecord

RECORD = PatientRecord(age_yr=70, sex="female", mass_kg=65, height_cm=162)
STANDING, BENDING, LIFTING = ACTIVITIES


def a_strength(level: Level = Level.L1, failure_n: float | None = 2500.0) -> Strength:
    return Strength(
        level=level,
        load_case="axial",
        law="kopperdahl",
        voxel_mm=1.0,
        height_mm=36.0,
        stiffness_n_per_mm=15000.0,
        displacement_mm=np.zeros(0),
        force_n=np.zeros(0),
        failure_load_n=failure_n,
        plateau_load_n=None,
        failure_load_linear_n=3672.0,
        relative_sd=0.25,
        grid=Grid(shape=(1, 1, 1), affine=np.eye(4)),
        strain=None,
        plastic_strain=None,
        solver=SolverSummary(
            unknowns=1,
            elements=1,
            iterations=1,
            increments=0,
            residual=0.0,
            seconds=0.0,
            memory_bytes=0,
            converged=True,
        ),
        reason="" if failure_n else "no equilibrium at 0.2 mm",
    )


def test_reference_sanity_cases_at_l1() -> None:
    assert 400 <= spinal_load(RECORD, Level.L1, STANDING) <= 500
    assert 1800 <= spinal_load(RECORD, Level.L1, LIFTING) <= 2400


def test_load_rises_down_the_lumbar_spine_and_the_rib_cage_spares_the_thorax_in_flexion() -> None:
    lumbar = [spinal_load(RECORD, level, BENDING) for level in (Level.L1, Level.L2, Level.L3, Level.L4, Level.L5)]
    assert lumbar == sorted(lumbar)
    assert spinal_load(RECORD, Level.T10, BENDING) < 0.75 * spinal_load(RECORD, Level.T11, BENDING)


def test_weight_share_is_not_made_up_beyond_its_table() -> None:
    assert weight_above(Level.T7) is None and weight_above(Level.S1) is None
    assert weight_above(Level.L2) == pytest.approx(0.525)
    assert weight_above(Level.T12) < weight_above(Level.T13) < weight_above(Level.L1)


def test_missing_mass_or_stature_leaves_gaps_not_guesses() -> None:
    strength = a_strength()
    assert estimate_loads(None, Level.L1, strength) == ()
    without_mass = PatientRecord(age_yr=70, sex="male", height_cm=170)
    assert estimate_loads(without_mass, Level.L1, strength) == ()
    without_height = PatientRecord(age_yr=70, sex="male", mass_kg=80)
    assert [load.activity for load in estimate_loads(without_height, Level.L1, strength)] == ["standing"]
    (gap,) = [g for g in gaps([strength], (), without_mass) if g.code == "load_to_strength"]
    assert "mass" in gap.reason


def test_ratio_has_a_band_wider_than_the_strengths() -> None:
    load = estimate_loads(RECORD, Level.L1, a_strength())[0]
    assert load.ratio == pytest.approx(load.load_n / 2500)
    assert load.low < load.ratio * 0.75 and load.high > load.ratio * 1.25


def test_every_finding_is_in_the_catalogue_with_its_unit_band_and_source() -> None:
    strength = a_strength()
    found = findings([strength], estimate_loads(RECORD, Level.L1, strength))
    assert {f.code for f in found} == {"stiffness", "failure_load", "failure_load_linear", "load_to_strength"}
    for finding in found:
        assert finding.unit == catalogue()[finding.code].unit
        assert finding.low < finding.value < finding.high
        assert finding.method and finding.source


def test_load_that_was_never_reached_is_a_gap_with_the_solvers_reason() -> None:
    by_code = {g.code: g.reason for g in gaps([a_strength(failure_n=None)], (), RECORD)}
    assert by_code["failure_load"] == "no equilibrium at 0.2 mm"
    assert {g.code for g in unsolved(Level.L5, "cut")} == set(CODES)
