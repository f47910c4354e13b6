"""What `endplate compile` does: every kernel compiled into the cache, so that no later run waits for it."""

from __future__ import annotations

import os
import time
from typing import Any

from endplate.cli.exit_codes import Output
from endplate.cli.progress import progress_bars
from endplate.cli.terminal import say

PARTS = ("measuring", "repair")
COARSE_MM = 2.9
"""Voxels of the small spine on which everything is run once: what matters is that it is run, not what comes out."""


def run_compile(talk: Output) -> dict[str, Any]:
    """Compile what measuring needs, then what rehearsals need; returns what `--json` prints."""
    from endplate.numerics import precompile

    begun = time.perf_counter()
    with progress_bars(talk.progress) as tell:
        tell("compile", 0.0, PARTS[0])
        compilers = precompile.begin()
        compilers.wait()
        tell("compile", 0.4, PARTS[1])
        _rehearse_once()
        tell("compile", 1.0, "")
    seconds, place = time.perf_counter() - begun, str(precompile.stamp().parent)
    whole = precompile.stamp().exists()
    if talk.for_people:
        say(f"Compiled in {seconds:.0f} s, kept in {place}" if whole else f"{place} cannot be written: nothing is kept")
    return {"seconds": round(seconds, 1), "cache": place, "kept": whole, "processor": os.uname().machine}


def _rehearse_once() -> None:
    """Both repairs on a coarse digital vertebra: every kernel of needle, balloon, cement and load is called."""
    from dataclasses import replace

    from endplate.case.assess import AssessSettings, assess
    from endplate.case.read import read_case
    from endplate.case.rehearse import rehearse
    from endplate.image.phantom import Deformity, PhantomSpec, make_phantom
    from endplate.level import Level
    from endplate.repair.rehearsal.rehearse import RehearsalSettings

    levels = (Level.T12, Level.L1, Level.L2)
    wedge = {Level.L1: Deformity(shape="wedge", loss=0.35)}
    spec = PhantomSpec(levels=levels, spacing_mm=(1.5, 1.5, 1.5), field_mm=(110.0, 130.0), deformities=wedge)
    made = make_phantom(spec)
    usual = AssessSettings()
    measuring = replace(usual, model=replace(usual.model, voxel_mm=COARSE_MM))
    case = assess(read_case(made.volume, made.labels), measuring)
    settings = RehearsalSettings(members=0)
    run = replace(settings.run, voxel_mm=COARSE_MM, model=measuring.model, strength=measuring.strength)
    rehearse(case, Level.L1, replace(settings, run=run), None, measuring)
