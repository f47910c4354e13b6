"""What `endplate demo` does: build an intact digital spine, break it, and walk the whole path, all through files."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endplate.cli.assess import told
from endplate.cli.exit_codes import Output
from endplate.cli.fracture import CT, LABELS, run_fracture
from endplate.cli.fracture_options import CollapseOptions
from endplate.cli.options import InputOptions, ModelOptions
from endplate.cli.progress import progress_bars
from endplate.cli.rehearse_options import RepairOptions, UnknownOptions

if TYPE_CHECKING:
    from endplate.case import Case
    from endplate.image.phantom import PhantomTruth

RECORD = "patient.toml"
INTACT = "intact"
"""Folder of the spine before the fracture."""
BREAK = CollapseOptions(level="L1", shape="wedge", loss=0.32)
"""The middle of Genant grade 2, away from both cut-offs."""
NAME = "Digital spine (the built-in demo, no patient)"
VOXEL_MM = 2.0
"""Coarse, so that the demo ends in minutes; 1 mm is the default everywhere else."""
MEMBERS = 0
"""One run each: the ensemble over what is unknown takes minutes more; the printed command shows the option."""


def run_demo(out: Path, model: ModelOptions, talk: Output) -> dict[str, Any]:
    """Build the digital spine, crush its L1, write both with a record beside the results, and plan it.

    Raises
    ------
    OutputError : the folder cannot be written.
    """
    from endplate.cli.plan import plan_and_write, plan_settings, print_plan
    from endplate.report.folder import check_writable

    check_writable(out)
    model = replace(model, voxel_mm=model.voxel_mm or VOXEL_MM)
    settings = plan_settings(RepairOptions(), UnknownOptions(members=MEMBERS), model)
    with progress_bars(talk.progress) as tell:
        tell("phantom", 0.0, "")
        intact = _write_phantom(out)
        tell("phantom", 1.0, "")
    here = out / INTACT
    made = run_fracture(here / CT, out, InputOptions(labels=here / LABELS), BREAK, talk)
    with progress_bars(talk.progress) as tell:
        from endplate.case.read import read_case
        from endplate.cli.demo_check import broken_truth

        truth = broken_truth(intact, made["truth"])
        case = replace(read_case(out / CT, out / LABELS, record=out / RECORD), id=NAME)
        case, paths = plan_and_write(case, settings, out, tell, lambda seen: _beside(seen, truth))
    if talk.for_people:
        print_plan(case, paths)
        _print_next(out)
    return told(case, paths)


def _print_next(out: Path) -> None:
    from rich.console import Console

    given = f"{out / CT} --labels {out / LABELS} --record {out / RECORD}"
    Console(highlight=False).print(
        f"\nTry it on files: endplate plan {given} --voxel-mm {VOXEL_MM:g} --members {MEMBERS} --out results",
        markup=False,
        soft_wrap=True,
    )


def _beside(case: Case, truth: PhantomTruth) -> Case:
    from endplate.cli.demo_check import built_beside_measured

    return replace(case, cautions=(*built_beside_measured(case, truth), *case.cautions))


def _write_phantom(out: Path) -> PhantomTruth:
    from endplate.atomic import write_text
    from endplate.image.nifti import write_labels, write_volume
    from endplate.image.phantom import demo_spec, make_phantom

    phantom = make_phantom(demo_spec())
    here = out / INTACT
    here.mkdir(parents=True, exist_ok=True)
    write_volume(here / CT, phantom.volume.grid, phantom.volume.hu)
    write_labels(here / LABELS, phantom.labels)
    write_text(out / RECORD, files("endplate.cli").joinpath("demo_record.toml").read_text(encoding="utf-8"))
    return phantom.truth
