"""Members in processes of their own: failures are named and counted, and a stop leaves no process behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.synthetic_case import synthetic_case
from tests.support.synthetic_rehearsal import solved, synthetic_rehearsal

import endplate.repair.rehearsal.ensemble as ensemble
from endplate.errors import SolverError
from endplate.repair.rehearsal.design import ParameterSet
from endplate.repair.rehearsal.ensemble import EnsembleMember, EnsemblePlan, one_member, run_members
from endplate.repair.rehearsal.rehearsal_input import PreparedBone
from endplate.repair.rehearsal.result import ProcedureResult
from endplate.repair.rehearsal.run_settings import RunSettings
from endplate.repair.rehearsal.single_run import RunResult

BROKEN = EnsemblePlan(scene=None, settings=RunSettings(), accesses={})  # type: ignore[arg-type]
"""A plan on which every member fails at once."""


class _Scene:
    loads_n: dict[str, float] = {}  # noqa: RUF012


def _ended(stopped: str) -> RunResult:
    strength = solved(synthetic_case(), 1.0)
    rows = [
        ProcedureResult(
            procedure=name, access=None, inflation=None, fill=None, strength=strength, after_cement=None, stopped=why
        )
        for name, why in (("none", ""), ("vertebroplasty", ""), ("kyphoplasty", stopped))
    ]
    return RunResult(before=rows[0], done={row.procedure: row for row in rows[1:]}, changes={})


def test_a_procedure_that_stops_leaves_the_member_its_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble, "prepare_bone", lambda *given: PreparedBone(bone=None, calibration=None, intact=None))
    monkeypatch.setattr(ensemble, "run_once", lambda *given: _ended("balloon: no equilibrium"))
    member = one_member(EnsemblePlan(scene=_Scene(), settings=RunSettings(), accesses={}), ParameterSet())
    assert member.reason == "kyphoplasty: balloon: no equilibrium"
    assert set(member.results or {}) == {"none", "vertebroplasty"}


def test_a_solver_that_gave_up_is_no_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    blown = replace(synthetic_rehearsal(synthetic_case()).nominal[1], stopped="")
    assert blown.inflation is not None
    failed = replace(blown, inflation=replace(blown.inflation, unconverged="no equilibrium beyond this volume"))

    def ended(*given: object) -> RunResult:
        plain = _ended("")
        return replace(plain, done={"vertebroplasty": plain.done["vertebroplasty"], "kyphoplasty": failed})

    monkeypatch.setattr(ensemble, "prepare_bone", lambda *given: PreparedBone(bone=None, calibration=None, intact=None))
    monkeypatch.setattr(ensemble, "run_once", ended)
    member = one_member(EnsemblePlan(scene=_Scene(), settings=RunSettings(), accesses={}), ParameterSet())
    assert member.reason == "kyphoplasty: balloon: no equilibrium beyond this volume"
    assert set(member.results or {}) == {"none", "vertebroplasty"}


def test_what_cannot_be_computed_is_a_reason_and_never_an_exception(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*given: object) -> None:
        raise SolverError("no solution", "at step 7", "")

    monkeypatch.setattr(ensemble, "prepare_bone", fail)
    assert one_member(BROKEN, ParameterSet()) == EnsembleMember(results=None, reason="no solution; at step 7.")


def test_a_process_that_meets_a_fault_names_it_and_the_order_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ensemble, "cropped", lambda scene: scene)
    told: list[str] = []
    members = run_members(BROKEN, [ParameterSet()] * 3, lambda part, words: told.append(words), processes=2)
    assert [member.results for member in members] == [None] * 3
    assert all(member.reason.startswith("AttributeError") for member in members)
    assert told[0] == "0 of 3" and told[-1] == "3 of 3"


STOPPED = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in the background
import sys
import numpy as np
import endplate.repair.rehearsal.ensemble as ensemble
from endplate.repair.rehearsal.design import ParameterSet
ensemble.cropped = lambda scene: scene
original = ensemble.ProcessPoolExecutor.submit
def submit(pool, *arguments):
    future = original(pool, *arguments)
    print(*pool._processes, flush=True)
    return future
ensemble.ProcessPoolExecutor.submit = submit
large = np.zeros(2_000_000)
plan = ensemble.EnsemblePlan(scene=None, settings=large, accesses={})
try:
    ensemble.run_members(plan, [ParameterSet()] * 4, lambda part, words: None, processes=2)
except KeyboardInterrupt:
    sys.exit(130)
"""


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_a_stop_while_processes_begin_leaves_none_of_them() -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", STOPPED], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    first = ""
    while len(first.split()) < 2 and (line := process.stdout.readline()):  # both have begun, neither is ready yet
        first = line
    process.send_signal(signal.SIGINT)
    rest, told = process.communicate(timeout=120)
    workers = [int(word) for word in (first + rest).splitlines()[-1].split()]
    assert process.returncode == 130, told
    assert "Traceback" not in told
    deadline = time.monotonic() + 10
    while any(_alive(worker) for worker in workers) and time.monotonic() < deadline:
        time.sleep(0.1)
    assert len(workers) == 2 and not any(_alive(worker) for worker in workers)


def _alive(worker: int) -> bool:
    try:
        os.kill(worker, 0)
    except ProcessLookupError:
        return False
    return "\nState:\tZ" not in Path(f"/proc/{worker}/status").read_text()
