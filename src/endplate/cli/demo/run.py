"""What `endplate demo` does: build an intact digital spine, break it, and walk the whole path, all through files."""

from __future__ import annotations

from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endplate.cli.assess import Labels, left_alone, read_given, result_document
from endplate.cli.exit_codes import Output
from endplate.cli.fracture import CT, LABELS, crushed, fill_fracture, wanted, words
from endplate.cli.options.fracture import CollapseOptions
from endplate.cli.options.rehearse import RepairOptions, UnknownOptions
from endplate.cli.options.scan import InputOptions, ModelOptions
from endplate.cli.progress import progress_bars
from endplate.cli.terminal import say, say_lines
from endplate.progress import Progress

if TYPE_CHECKING:
    from endplate.case import Case
    from endplate.case.plan import PlanSettings
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


EVERYTHING = ("case", "decision", "pdf", "fracture", "demo")
"""What the demo writes and renews, in one step."""


def run_demo(out: Path, model: ModelOptions, talk: Output) -> dict[str, Any]:
    """Build the digital spine, crush its L1, write both with a record beside the results, and plan it.

    Raises
    ------
    OutputError : the folder cannot be written.
    """
    from endplate.cli.plan import plan_settings, print_plan
    from endplate.report.folder import check_writable, exchanged

    check_writable(out, EVERYTHING)
    model = replace(model, voxel_mm=model.voxel_mm or VOXEL_MM)
    settings = plan_settings(RepairOptions(), UnknownOptions(members=MEMBERS), model)
    with exchanged(out, EVERYTHING) as new:
        with progress_bars(talk.progress) as tell:
            case, paths, made = _filled(new, settings, tell)
        paths = {name: path.relative_to(new) for name, path in paths.items()}
    paths = {name: out / path for name, path in paths.items()}
    if talk.for_people:
        say_lines(words(made, out))
        print_plan(case, paths)
        _print_next(out)
    return result_document(case, paths, left_alone(out, talk))


def _filled(new: Path, settings: PlanSettings, tell: Progress) -> tuple[Case, dict[str, Path], dict[str, Any]]:
    """Everything of the demo written into an empty folder: the case, its paths there, and the truth of the fracture."""
    from endplate.case.plan import plan
    from endplate.case.read import read_case
    from endplate.cli.demo.check import broken_truth
    from endplate.report.write import fill_report

    tell("phantom", 0.0, "")
    intact = _write_phantom(new)
    tell("phantom", 1.0, "")
    here = new / INTACT
    collapse, crush = wanted(BREAK)
    whole = read_given(here / CT, Labels(path=here / LABELS), InputOptions(), tell)
    made, document = crushed(whole, collapse, crush, BREAK, tell)
    fill_fracture(made, document, here / CT, new)
    case = replace(read_case(new / CT, new / LABELS, record=new / RECORD), id=NAME)
    case = _beside(plan(case, settings, tell), broken_truth(intact, document))
    tell("report", 0.0, "")
    paths = fill_report(case, new)
    tell("report", 1.0, "")
    return case, paths, document


def _print_next(out: Path) -> None:
    given = f"{out / CT} --labels {out / LABELS} --record {out / RECORD}"
    say()
    say(f"Try it on files: endplate plan {given} --voxel-mm {VOXEL_MM:g} --members {MEMBERS} --out results")


def _beside(case: Case, truth: PhantomTruth) -> Case:
    from endplate.cli.demo.check import built_beside_measured

    return replace(case, cautions=(*built_beside_measured(case, truth), *case.cautions))


def _write_phantom(out: Path) -> PhantomTruth:
    from endplate.atomic import private_folder, write_text
    from endplate.image.nifti import HU, write_labels, write_volume
    from endplate.image.phantom import demo_spec, make_phantom

    phantom = make_phantom(demo_spec())
    here = out / INTACT
    private_folder(here)
    write_volume(here / CT, phantom.volume.grid, phantom.volume.hu, meaning=HU)
    write_labels(here / LABELS, phantom.labels)
    write_text(out / RECORD, files("endplate.cli.demo").joinpath("record.toml").read_text(encoding="utf-8"))
    return phantom.truth
