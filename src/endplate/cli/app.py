"""The command line: `endplate assess`, `rehearse`, `demo`, `info`, `schema` and their kin.

Only light modules are imported here, so that `--help` answers at once; the science is imported when it is needed.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from endplate import __version__
from endplate.cli import exit_codes as outcome
from endplate.cli.cohort.commands import cohort
from endplate.cli.config import config_of, split_config
from endplate.cli.decide.commands import decide, rules
from endplate.cli.deprecated import current_spelling
from endplate.cli.dicom_options import NO_OBJECT, NO_WRITTEN, ObjectOptions, WrittenOptions
from endplate.cli.fhir import app as fhir_app
from endplate.cli.follow.commands import app as follow_app
from endplate.cli.fracture_options import NO_COLLAPSE, CollapseOptions
from endplate.cli.options import (
    INPUT,
    NO_FILES,
    NO_INPUT,
    NO_MODEL,
    NO_RUN,
    RUN,
    FileOptions,
    InputOptions,
    ModelOptions,
    Out,
    RunOptions,
)
from endplate.cli.pacs.commands import app as pacs_app
from endplate.cli.record.commands import app as record_app
from endplate.cli.rehearse_options import NO_REPAIR, NO_UNKNOWN, RepairOptions, UnknownOptions
from endplate.cli.serve_options import NO_SERVE, ServeChoices
from endplate.cli.terminal import say_json, say_script
from endplate.cli.tokens import checked

HELP = """From a spine CT with vertebra labels and a patient record to what is broken, how weak the bone is, what each
repair would do in it, whether one is indicated and by which rule, and how to prevent the next fracture.

Start with the built-in digital spine, which shows every output:

    endplate demo

Then your own scan, the whole path or the measurements alone:

    endplate plan ct.nii.gz --labels labels.nii.gz --record patient.json --out results
    endplate assess ct.nii.gz --labels labels.nii.gz --out results

`endplate assess --help` has more examples. Exit codes: 0 done; 2 something given cannot be used, one line says what;
1 our fault; 130 interrupted. Research software, not a medical device.
"""

app = App(
    name="endplate",
    help=HELP,
    help_format="markdown",
    version=__version__,
    result_action="return_value",
    suppress_keyboard_interrupt=False,
)


@app.command
def assess(
    ct: Annotated[
        Path | None,
        Parameter(
            group=INPUT,
            show_default=False,
            help="NIfTI file or folder of one DICOM series; leave it out to measure labels alone.",
        ),
    ] = None,
    /,
    *,
    out: Out,
    given: InputOptions = NO_INPUT,
    model: ModelOptions = NO_MODEL,
    files: WrittenOptions = NO_WRITTEN,
    run: RunOptions = NO_RUN,
) -> int:
    """Measure every vertebra of a spine CT: shape, fracture grade, density, stiffness and strength.

    A scan with its labels; a DICOM series with a patient record, for the load on the spine:

        endplate assess ct.nii.gz --labels labels.nii.gz --out results
        endplate assess dicom_folder --labels seg.dcm --record patient.json --out results

    Labels alone, for shape and grades:

        endplate assess --labels labels.nii.gz --out results

    A quick look, and an answer for a program:

        endplate assess ct.nii.gz --labels labels.nii.gz --linear-only --json --out results

    Labels made by an installed TotalSegmentator:

        endplate assess ct.nii.gz --segment totalsegmentator --out results

    A DICOM series, with the results as DICOM too (SEG, SR, PDF) for the archive:

        endplate assess dicom_folder --labels seg.dcm --dicom --out results
    """
    from endplate.cli.assess import run_assess

    return outcome.answer(lambda talk: run_assess(ct, out, given, model, files, talk), run)


@app.command
def plan(
    ct: Annotated[Path, Parameter(group=INPUT, show_default=False, help="NIfTI file or folder of one DICOM series.")],
    /,
    *,
    out: Out,
    given: InputOptions = NO_INPUT,
    repair: RepairOptions = NO_REPAIR,
    unknown: UnknownOptions = NO_UNKNOWN,
    model: ModelOptions = NO_MODEL,
    files: WrittenOptions = NO_WRITTEN,
    run: RunOptions = NO_RUN,
) -> int:
    """The whole path for one patient: measure the spine, rehearse the fractured levels, ask every rule, one report.

        endplate plan ct.nii.gz --labels labels.nii.gz --record patient.json --out results

    Both repairs are rehearsed at every fractured level (at most three), with a band over what the scan does not hold;
    that takes minutes a level. A quick look, or one level only:

        endplate plan ct.nii.gz --labels labels.nii.gz --record patient.json --level L1 --members 0 --out results
    """
    from endplate.cli.plan import run_plan

    return outcome.answer(lambda talk: run_plan(ct, out, given, repair, unknown, model, files, talk), run)


@app.command
def rehearse(
    ct: Annotated[Path, Parameter(group=INPUT, show_default=False, help="NIfTI file or folder of one DICOM series.")],
    /,
    *,
    out: Out,
    given: InputOptions = NO_INPUT,
    repair: RepairOptions = NO_REPAIR,
    unknown: UnknownOptions = NO_UNKNOWN,
    model: ModelOptions = NO_MODEL,
    files: FileOptions = NO_FILES,
    run: RunOptions = NO_RUN,
) -> int:
    """Rehearse the repair of one vertebra in the bone that its CT shows: needle, balloon, cement, load.

    Both procedures beside no repair, with a band over what the scan does not hold; it takes some minutes:

        endplate rehearse ct.nii.gz --labels labels.nii.gz --level L1 --out rehearsal

    One procedure, once, as a quick look:

        endplate rehearse ct.nii.gz --labels labels.nii.gz --level L1 --procedure vertebroplasty --out rehearsal

    A computation, not a forecast: the report says what it can and cannot tell.
    """
    from endplate.cli.rehearse import run_rehearse

    return outcome.answer(lambda talk: run_rehearse(ct, out, given, repair, unknown, model, files, talk), run)


@app.command
def fracture(
    ct: Annotated[Path, Parameter(group=INPUT, show_default=False, help="NIfTI file or folder of one DICOM series.")],
    /,
    *,
    out: Annotated[Path, Parameter(name="--out", group=RUN, help="Folder for ct.nii.gz, labels.nii.gz, truth.json.")],
    given: InputOptions = NO_INPUT,
    collapse: CollapseOptions = NO_COLLAPSE,
    run: RunOptions = NO_RUN,
) -> int:
    """Crush an intact vertebra of a real CT, mass conserved, and write the new CT with its truth.

    The bone is crushed at large strain; what stands above moves along. The intact state is known, so that a
    rehearsal on the result can be judged:

        endplate fracture ct.nii.gz --labels labels.nii.gz --level L1 --shape wedge --loss 0.4 --out broken
        endplate assess broken/ct.nii.gz --labels broken/labels.nii.gz --out results
    """
    from endplate.cli.fracture import run_fracture

    return outcome.answer(lambda talk: run_fracture(ct, out, given, collapse, talk), run)


@app.command
def report(
    results: Annotated[Path, Parameter(group=INPUT, show_default=False, help="Folder that an earlier run wrote.")],
    /,
    *,
    pdf: Annotated[
        bool, Parameter(negative="", group=RUN, show_default=False, help="Write report.pdf and decision-aid.pdf too.")
    ] = False,
    run: RunOptions = NO_RUN,
) -> int:
    """Render the report of a results folder again, without the scan; as PDF too when asked.

    endplate report results

    endplate report results --pdf

    Numbers, pictures and decision stay those of the run that wrote the folder. PDF needs `pip install 'endplate[pdf]'`.
    """
    from endplate.cli.report import run_report

    return outcome.answer(lambda talk: run_report(results, pdf, talk), run)


@app.command
def demo(*, out: Out = Path("demo"), model: ModelOptions = NO_MODEL, run: RunOptions = NO_RUN) -> int:
    """The whole path on the built-in digital spine, T10 to L5, whose L1 is crushed to a wedge, with a record beside it.

    CT, labels and record are written beside the results, so that the `plan` command it prints can be tried on them; the
    spine before the fracture is in `intact`.

        endplate demo
        endplate demo --out spine --linear-only
    """
    from endplate.cli.demo import run_demo

    return outcome.answer(lambda talk: run_demo(out, model, talk), run)


@app.command
def serve(
    results: Annotated[
        list[Path] | None, Parameter(group=INPUT, show_default=False, help="Results folders to open.")
    ] = None,
    /,
    *,
    bench: ServeChoices = NO_SERVE,
) -> int:
    """The workbench in the browser: a worklist of cases, measured, looked at and weighed in one place.

    It listens on this computer alone and opens an address with a token that works once:

        endplate serve
        endplate serve demo --port 8421 --no-browser

    For others on a network, users first, then a host to listen on (docs/howto/workbench.md has TLS):

        endplate serve --add-user ada --role admin
        endplate serve --host 10.0.0.5 --no-browser
    """
    from endplate.cli.serve import check_extra, run_add_user, run_serve

    check_extra()
    options = bench.options(results or [])
    return (
        run_add_user(options, bench.add_user, bench.role)
        if bench.add_user
        else run_serve(options, not bench.no_browser)
    )


app.command(cohort)
app.command(decide)
app.command(rules)
app.command(record_app)
app.command(follow_app)
app.command(pacs_app)
app.command(fhir_app)


@app.command(name="dicom")
def dicom_(
    results: Annotated[Path, Parameter(group=INPUT, show_default=False, help="Folder of an `assess` or `plan` run.")],
    /,
    *,
    series: Annotated[Path, Parameter(group=INPUT, help="Folder of the CT series that was measured.")],
    out: Annotated[Path, Parameter(name="--out", group=RUN, help="Folder for the objects (.dcm).")],
    objects: ObjectOptions = NO_OBJECT,
    run: RunOptions = NO_RUN,
) -> int:
    """Write results as DICOM beside the CT series they were measured in: segmentation, measurements, report, pictures.

        endplate dicom results --series dicom_folder --out objects

    Every object is of the series' patient and study and says that it is for research. Written twice, the same results
    give the same objects. A scan that was read as NIfTI has no DICOM to refer to, so that nothing is written.
    """
    from endplate.cli.dicom import run_dicom

    return outcome.answer(lambda talk: run_dicom(results, series, out, objects, talk), run)


@app.command
def info(*, run: RunOptions = NO_RUN) -> int:
    """Print the version, the libraries in use, the threads, and the label schemes that are known."""
    from endplate.cli.info import run_info

    return outcome.answer(run_info, run)


@app.command(name="compile")
def compile_kernels(*, run: RunOptions = NO_RUN) -> int:
    """Compile every kernel now, so that no later run waits for it: for containers and the nodes of a cluster.

    What is compiled is kept beside the installed sources, or in the folder that NUMBA_CACHE_DIR names.
    """
    from endplate.cli.kernels import run_compile

    return outcome.answer(run_compile, run)


@app.command
def completion(shell: Literal["bash", "zsh", "fish"], /) -> int:
    """Print the script by which a shell completes commands and options.

    endplate completion bash > ~/.local/share/bash-completion/completions/endplate
    """
    say_script(app.generate_completion(prog_name="endplate", shell=shell))
    return 0


@app.command
def schema(of: Literal["case", "record"] = "case", /) -> int:
    """Print the JSON Schema of case.json, or of the patient record."""
    from importlib.resources import files

    if of == "record":
        from endplate.patient import PatientRecord

        say_json(PatientRecord.model_json_schema())
        return 0
    say_json(json.loads(files("endplate.report").joinpath("case.schema.json").read_text(encoding="utf-8")))
    return 0


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code, which the console script hands to the shell."""
    tokens = current_spelling(sys.argv[1:] if arguments is None else arguments)

    def run() -> int | None:
        words, path = split_config(checked(tokens))
        app.config = config_of(path, [name for name in app if not name.startswith("-")])
        code: int | None = app(words, exit_on_error=False, print_error=False)
        return code

    return outcome.guarded(run, as_json="--json" in tokens)
