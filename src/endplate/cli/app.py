"""The command line: `endplate assess`, `rehearse`, `demo`, `info`, `schema` and their kin.

Only light modules are imported here, so that `--help` answers at once; the science is imported when it is needed.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from endplate import __version__
from endplate.cli import exit_codes as outcome
from endplate.cli.about import compile_kernels, info, schema
from endplate.cli.cohort.commands import cohort
from endplate.cli.config import config_of, split_config
from endplate.cli.decide.commands import decide, rules
from endplate.cli.deprecated import current_spelling
from endplate.cli.fhir import app as fhir_app
from endplate.cli.follow.commands import app as follow_app
from endplate.cli.options.dicom import NO_WRITTEN, WrittenOptions
from endplate.cli.options.fracture import NO_COLLAPSE, CollapseOptions
from endplate.cli.options.rehearse import NO_REPAIR, NO_UNKNOWN, RepairOptions, UnknownOptions
from endplate.cli.options.run import INPUT, NO_FILES, NO_RUN, RUN, FileOptions, Out, RunOptions
from endplate.cli.options.scan import NO_INPUT, NO_MODEL, InputOptions, ModelOptions
from endplate.cli.options.serve import NO_SERVE, ServeChoices
from endplate.cli.pacs.commands import app as pacs_app
from endplate.cli.record.commands import app as record_app
from endplate.cli.results import dicom_, report
from endplate.cli.terminal import say_script
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
def demo(*, out: Out = Path("demo"), model: ModelOptions = NO_MODEL, run: RunOptions = NO_RUN) -> int:
    """The whole path on the built-in digital spine, T10 to L5, whose L1 is crushed to a wedge, with a record beside it.

    CT, labels and record are written beside the results, so that the `plan` command it prints can be tried on them; the
    spine before the fracture is in `intact`.

        endplate demo
        endplate demo --out spine --linear-only
    """
    from endplate.cli.demo.run import run_demo

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


app.command(report)
app.command(dicom_, name="dicom")
app.command(info)
app.command(compile_kernels, name="compile")


@app.command
def completion(shell: Literal["bash", "zsh", "fish"], /) -> int:
    """Print the script by which a shell completes commands and options.

    endplate completion bash > ~/.local/share/bash-completion/completions/endplate
    """
    say_script(app.generate_completion(prog_name="endplate", shell=shell))
    return 0


app.command(schema)


def main(arguments: list[str] | None = None) -> int:
    """Run a command; returns the exit code, which the console script hands to the shell."""
    tokens = current_spelling(sys.argv[1:] if arguments is None else arguments)

    def run() -> int | None:
        words, path = split_config(checked(tokens))
        app.config = config_of(path, [name for name in app if not name.startswith("-")])
        code: int | None = app(words, exit_on_error=False, print_error=False)
        return code

    return outcome.guarded(run, as_json="--json" in tokens)
