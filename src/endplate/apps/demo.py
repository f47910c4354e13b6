"""What `endplate demo` does: the main job on the built-in digital spine, through files, as a user's scan would go."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endplate.apps.assess import measure_and_write, told
from endplate.apps.options import ModelOptions
from endplate.apps.outcome import Talk
from endplate.apps.progress import progress_bars

if TYPE_CHECKING:
    from endplate.case import Case
    from endplate.image.phantom import PhantomTruth

CT, LABELS, RECORD = "ct.nii.gz", "labels.nii.gz", "patient.json"
NAME = "Digital spine (the built-in demo, no patient)"
PATIENT = {"age_yr": 74, "sex": "female", "mass_kg": 62, "height_cm": 160}
"""An invented record, so that the load on the spine is shown too."""


def run_demo(out: Path, model: ModelOptions, talk: Talk) -> dict[str, Any]:
    """Build the digital spine, write it as NIfTI beside the results, and assess it.

    Raises
    ------
    OutputError : the folder cannot be written.
    """
    from endplate.apps.settings import assess_settings
    from endplate.report.folder import check_writable

    check_writable(out)
    settings = assess_settings(model)
    with progress_bars(talk.progress) as tell:
        tell("phantom", 0.0, "")
        truth = _write_phantom(out)
        tell("phantom", 1.0, "")
        from endplate.case.read import read_case

        case = replace(read_case(out / CT, out / LABELS, record=out / RECORD), id=NAME)
        case, paths = measure_and_write(case, settings, out, tell, lambda measured: _beside(measured, truth))
    if talk.for_people:
        from endplate.apps.summary import print_summary

        given = f"{out / CT} --labels {out / LABELS} --record {out / RECORD}"
        print_summary(case, paths, again=f"endplate assess {given} --out results")
    return told(case, paths)


def _beside(case: Case, truth: PhantomTruth) -> Case:
    from endplate.apps.truth_told import built_beside_measured

    return replace(case, cautions=(*built_beside_measured(case, truth), *case.cautions))


def _write_phantom(out: Path) -> PhantomTruth:
    from endplate.atomic import write_text
    from endplate.image.nifti import write_labels, write_volume
    from endplate.image.phantom import demo_spec, make_phantom

    phantom = make_phantom(demo_spec())
    write_volume(out / CT, phantom.volume.grid, phantom.volume.hu)
    write_labels(out / LABELS, phantom.labels)
    write_text(out / RECORD, json.dumps(PATIENT))
    return phantom.truth
