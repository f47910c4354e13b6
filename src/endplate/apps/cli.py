"""The command line: `endplate assess`, `demo`, `info`, `schema`.

Only light modules are imported here, so that `--help` answers at once; the science is imported when it is needed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Group, Parameter

from endplate import __version__
from endplate.apps import outcome

HELP = """Vertebral compression fractures: from a spine CT with vertebra labels to what is broken, how dense, how strong.

Start with `endplate demo`, which measures a built-in digital spine and shows every output. Then, with your own scan:

    endplate assess ct.nii.gz --labels labels.nii.gz --out results

Exit codes: 0 done, 2 something given cannot be used (one line says what), 1 our fault, 130 interrupted.
Research software, not a medical device.
"""

app = App(
    name="endplate", help=HELP, help_format="markdown", version=__version__, version_flags=["--version"],
    result_action="return_value",
)  # fmt: skip

INPUT = Group("Input", sort_key=1)
MODEL = Group("Bone and mechanics", sort_key=2)
RUN = Group("Run", sort_key=3)

Out = Annotated[Path, Parameter(name="--out", group=RUN, help="Folder for report.html, case.json and volumes/.")]
Json = Annotated[bool, Parameter(name="--json", negative="", group=RUN, help="One JSON object on standard output.")]
Quiet = Annotated[bool, Parameter(name="--quiet", negative="", group=RUN, help="No progress, no summary.")]
Threads = Annotated[int | None, Parameter(name="--threads", group=RUN, help="Processor cores to use; default all.")]
LinearOnly = Annotated[
    bool,
    Parameter(name="--linear-only", negative="", group=MODEL, help="Stiffness and linear estimate only; much faster."),
]
NoMechanics = Annotated[
    bool, Parameter(name="--no-mechanics", negative="", group=MODEL, help="Shape and density only.")
]
VoxelMm = Annotated[
    float | None, Parameter(name="--voxel-mm", group=MODEL, help="Edge of the finite elements, 0.5 to 2 mm.")
]
Law = Annotated[str | None, Parameter(name="--law", group=MODEL, help="Density-to-modulus law; default kopperdahl.")]


@app.command
def assess(
    ct: Annotated[Path | None, Parameter(group=INPUT)] = None,
    /,
    *,
    labels: Annotated[Path | None, Parameter(group=INPUT)] = None,
    out: Out,
    scheme: Annotated[str | None, Parameter(group=INPUT)] = None,
    record: Annotated[Path | None, Parameter(group=INPUT)] = None,
    segment: Annotated[Literal["totalsegmentator"] | None, Parameter(group=INPUT)] = None,
    law: Law = None,
    voxel_mm: VoxelMm = None,
    linear_only: LinearOnly = False,
    no_mechanics: NoMechanics = False,
    calibration: Annotated[str | None, Parameter(group=MODEL)] = None,
    kvp: Annotated[float | None, Parameter(group=MODEL)] = None,
    threads: Threads = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Measure every vertebra of a spine CT: shape, fracture grade, density, stiffness and strength.

    Examples:

        endplate assess ct.nii.gz --labels labels.nii.gz --out results
        endplate assess dicom_folder/ --labels seg.dcm --record patient.json --out results
        endplate assess --labels labels.nii.gz --out results              (labels alone: shape and grades)
        endplate assess ct.nii.gz --segment totalsegmentator --out results
        endplate assess ct.nii.gz --labels l.nii.gz --linear-only --json --out results

    Parameters
    ----------
    ct
        NIfTI file or folder of one DICOM series; leave it out to measure labels alone.
    labels
        Label map (NIfTI), folder of vertebrae_L1.nii.gz masks, or DICOM SEG.
    scheme
        How labels are numbered where the file does not say: verse, totalsegmentator, ... (see `endplate info`), or a file.
    record
        Patient record, JSON or TOML: age_yr and sex; mass_kg and height_cm for the load on the spine.
    segment
        Make the labels with an installed TotalSegmentator, run as a separate process.
    calibration
        Scanner calibration SLOPE,OFFSET in mg/cm3 per HU and mg/cm3 (K2HPO4), e.g. 0.8,-2.5.
    kvp
        Tube voltage, where the file does not say.
    """
    from endplate.apps.assess import AssessRequest, run_assess

    request = AssessRequest(
        ct=ct, labels=labels, out=out, scheme=scheme, record=record, segment=segment, law=law, voxel_mm=voxel_mm,
        linear_only=linear_only, mechanics=not no_mechanics, calibration=calibration, kvp=kvp,
    )  # fmt: skip
    return outcome.answer(lambda talk: run_assess(request, talk), json=json, quiet=quiet, threads=threads)


@app.command
def demo(
    *,
    out: Out = Path("demo"),
    linear_only: LinearOnly = False,
    no_mechanics: NoMechanics = False,
    threads: Threads = None,
    json: Json = False,
    quiet: Quiet = False,
) -> int:
    """Measure the built-in digital spine, T10 to L5 with known fractures, and show every output.

    Its CT and labels are written beside the results, so that the printed `assess` command can be tried on them.

    Examples:

        endplate demo
        endplate demo --out /tmp/spine --linear-only
    """
    from endplate.apps.demo import run_demo

    return outcome.answer(
        lambda talk: run_demo(out, linear_only=linear_only, mechanics=not no_mechanics, talk=talk),
        json=json,
        quiet=quiet,
        threads=threads,
    )


@app.command
def info(*, json: Json = False) -> int:
    """Print the version, the libraries in use, the threads, and the label schemes that are known."""
    from endplate.apps.info import run_info

    return outcome.answer(run_info, json=json)


@app.command
def schema() -> int:
    """Print the JSON Schema of case.json."""
    from importlib.resources import files

    sys.stdout.write(files("endplate.report").joinpath("case.schema.json").read_text(encoding="utf-8"))
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code. The console script hands it to the shell."""
    tokens = sys.argv[1:] if arguments is None else arguments
    return outcome.guarded(lambda: app(tokens, exit_on_error=False, print_error=False), as_json="--json" in tokens)
