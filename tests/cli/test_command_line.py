"""The front door: help that teaches, one line for bad input, one JSON shape, and exit codes as documented."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from tests.support.synthetic_case import LEVELS, synthetic_case

from endplate.case.assess import NO_CT
from endplate.cli import assess as assess_module
from endplate.cli.app import main
from endplate.cli.options.scan import ModelOptions
from endplate.cli.settings import assess_settings
from endplate.errors import InputError, OptionError, SolverError
from endplate.finding import Gap
from endplate.report.manifest import MANIFEST

KEYS = {"ok", "version", "result", "error"}
ERROR_KEYS = {"kind", "exit_code", "message", "what", "why", "fix"}


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    program = "import sys; from endplate.cli.app import main; sys.exit(main())"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        env=os.environ | environment,
        check=False,
    )


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    """Two files that exist; their content never gets read, since the pipeline is replaced."""
    ct, labels = tmp_path / "ct.nii.gz", tmp_path / "labels.nii.gz"
    ct.write_bytes(b"")
    labels.write_bytes(b"")
    return ct, labels


@pytest.fixture
def pipeline(monkeypatch: pytest.MonkeyPatch) -> None:
    """The synthetic case in place of reading and measuring: here only the front door is tested."""
    import endplate.case.assess
    import endplate.case.read

    monkeypatch.setattr(endplate.case.read, "read_case", lambda *args, **kwargs: synthetic_case())
    monkeypatch.setattr(endplate.case.assess, "assess", lambda case, settings, tell: case)


def raising(error: BaseException):
    def measure_and_write(*args: object) -> None:
        raise error

    return measure_and_write


@pytest.mark.parametrize("command", [[], ["assess"], ["demo"], ["info"], ["schema"]])
def test_help_teaches_with_an_example(command: list[str]) -> None:
    done = run(*command, "--help")
    assert done.returncode == 0
    assert "Usage: endplate" in done.stdout
    if command in ([], ["assess"], ["demo"]):
        assert f"endplate {command[0] if command else 'assess'}" in done.stdout.split("Usage:", 1)[1].split("\n", 1)[1]


def test_help_and_info_import_nothing_heavy() -> None:
    heavy = "{'numba', 'scipy', 'SimpleITK', 'nibabel', 'matplotlib', 'pydicom', 'jinja2'}"
    program = (
        "import sys\nfrom endplate.cli.app import main\n"
        "try:\n    main(sys.argv[1:])\nexcept SystemExit:\n    pass\n"
        f"sys.stderr.write(' '.join(sorted({heavy} & set(sys.modules))))"
    )
    for arguments in (["--help"], ["assess", "--help"], ["info"]):
        done = subprocess.run([sys.executable, "-c", program, *arguments], capture_output=True, text=True, check=True)
        assert done.stderr == "", arguments


def test_info_as_json_names_versions_threads_and_schemes() -> None:
    answer = json.loads(run("info", "--json").stdout)
    assert set(answer) == KEYS and answer["ok"] is True and answer["error"] is None
    result = answer["result"]
    assert result["dependencies"]["core"]["numpy"]
    assert "verse" in result["label_schemes"]
    assert result["threads"]["used"] >= 1
    assert run("info", "--json", "--threads", "1").stdout.count('"used": 1') == 1


def test_the_schema_is_published() -> None:
    assert json.loads(run("schema").stdout)["$id"] == "urn:endplate:case:1"


BAD_CALLS = [
    (["assess"], "--out"),
    (["bogus"], "bogus"),
    (["assess", "--out", "o"], "no vertebra labels given"),
    (["assess", "nowhere.nii.gz", "--labels", "x", "--out", "o"], "nowhere.nii.gz does not exist"),
    (["assess", "--labels", "nowhere.nii.gz", "--out", "o"], "nowhere.nii.gz do not exist"),
    (["assess", "--segment", "totalsegmentator", "--out", "o"], "needs a CT"),
    (["assess", "--segment", "magic", "--out", "o"], "--segment"),
    (["assess", "--voxel-mm", "coarse", "--labels", "l", "--out", "o"], "--voxel-mm"),
    (["info", "--threads", "0"], "--threads 0"),
]


@pytest.mark.parametrize(("arguments", "told"), BAD_CALLS, ids=lambda value: " ".join(value)[:40])
def test_bad_input_is_one_clear_line_and_exit_2(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(arguments) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert told in printed.err
    assert printed.err.count("\n") == 1 and "Traceback" not in printed.err
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(("arguments", "told"), BAD_CALLS[:4], ids=lambda value: " ".join(value)[:40])
def test_json_has_one_shape_for_success_and_failure(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([*arguments, "--json"]) == 2
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == KEYS
    assert answer["ok"] is False and answer["result"] is None
    assert set(answer["error"]) == ERROR_KEYS
    assert told in answer["error"]["message"]


@pytest.mark.usefixtures("pipeline")
@pytest.mark.parametrize(
    ("option", "value"),
    [("--calibration", "abc"), ("--calibration", "0.8"), ("--calibration", "-1,0"), ("--kvp", "5"),
     ("--voxel-mm", "9"), ("--law", "magic")],
)  # fmt: skip
def test_a_setting_without_meaning_is_refused_before_work(
    files: tuple[Path, Path], tmp_path: Path, option: str, value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["assess", str(files[0]), "--labels", str(files[1]), "--out", str(tmp_path / "o"), f"{option}={value}"])
    assert code == 2, capsys.readouterr()
    assert value in capsys.readouterr().err
    assert not (tmp_path / "o").exists()


@pytest.mark.usefixtures("pipeline")
def test_results_and_summary(files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    assert main(["assess", str(files[0]), "--labels", str(files[1]), "--out", str(out)]) == 0
    printed = capsys.readouterr()
    assert {"report.html", "report.json", "case.json", "volumes", MANIFEST} == {path.name for path in out.iterdir()}
    assert "L1 is fractured" in printed.out
    assert str(out / "report.html") in printed.out
    assert [line.split("] ")[1] for line in printed.err.splitlines()] == ["Writing the report"], "a log gets lines"


def terminal_table(case, capsys: pytest.CaptureFixture[str]) -> str:
    from endplate.cli.summary import print_summary

    print_summary(case, {})
    return capsys.readouterr().out


def test_the_table_names_the_height_that_lost_most(capsys: pytest.CaptureFixture[str]) -> None:
    printed = terminal_table(synthetic_case(), capsys)
    assert "42.0 anterior" in printed and "Fails at" in printed and "Linear estimate" not in printed


def test_a_linear_run_keeps_a_strength_column_under_its_own_name(capsys: pytest.CaptureFixture[str]) -> None:
    case = synthetic_case()
    linear = replace(case, findings=tuple(f for f in case.findings if f.code != "failure_load"))
    printed = terminal_table(linear, capsys)
    assert "Linear estimate" in printed and "Fails at" not in printed and "2\u202f550" in printed


def test_labels_alone_are_told_to_need_a_ct_not_counted_as_failures(capsys: pytest.CaptureFixture[str]) -> None:
    case = synthetic_case(with_ct=False)
    gaps = tuple(Gap(code="trabecular_density", level=v.level, reason=NO_CT) for v in case.spine.vertebrae)
    printed = terminal_table(replace(case, gaps=gaps), capsys)
    assert "density and strength need a CT" in printed and "could not be measured" not in printed


def test_what_the_digital_spine_was_built_to_be_stands_beside_what_was_measured() -> None:
    from endplate.cli.demo.check import built_beside_measured
    from endplate.image.phantom import Deformity, PhantomSpec, make_phantom

    spec = PhantomSpec(
        levels=LEVELS[1:4],
        deformities={LEVELS[2]: Deformity(shape="wedge", loss=0.36, breach=True)},
        spacing_mm=(3.0, 3.0, 3.0),
        field_mm=(90.0, 90.0),
        core_mg_cm3=83.0,
    )
    truth = make_phantom(spec).truth
    texts = {note.level: note.text for note in built_beside_measured(synthetic_case(), truth)}
    built, measured = texts[LEVELS[2]].split("; measured: ")
    assert f"{100 * truth.levels[LEVELS[2]].loss:.1f} % anterior" in built and "grade 2" in built
    assert "wedge, 42.0 %" in measured and "grade 3" in measured and "fracture: yes" in measured
    whole = [note.text for note in built_beside_measured(synthetic_case(), truth) if note.level is None]
    assert whole[0] == "T12 and L2: built intact; measured: grade 0 at T12 and L2"
    assert "built: 83 mg/cm3; measured: T12 72, L1 70, L2 68" in whole[1]


@pytest.mark.usefixtures("pipeline")
def test_json_success_holds_the_document_and_quiet_says_nothing(
    files: tuple[Path, Path], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call = ["assess", str(files[0]), "--labels", str(files[1]), "--out", str(tmp_path / "out")]
    assert main([*call, "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer) == KEYS and answer["ok"] is True
    written = json.loads(Path(answer["result"]["paths"]["json"]).read_text(encoding="utf-8"))
    assert answer["result"]["case"] == written
    assert main([*call, "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


@pytest.mark.usefixtures("pipeline")
@pytest.mark.parametrize(
    ("error", "code", "told"),
    [
        (InputError("the CT is an MRI", "it has no HU", "give a CT"), 2, "the CT is an MRI"),
        (SolverError("no convergence at L1"), 1, "no convergence at L1"),
        (ZeroDivisionError("division by zero"), 1, "ENDPLATE_DEBUG=1"),
        (MemoryError(), 1, "out of memory"),
        (KeyboardInterrupt(), 130, "interrupted"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else "",
)
def test_whatever_fails_ends_in_one_line_and_leaves_nothing(
    files: tuple[Path, Path],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    error: BaseException,
    code: int,
    told: str,
) -> None:
    monkeypatch.delenv("ENDPLATE_DEBUG", raising=False)
    monkeypatch.setattr(assess_module, "measure_and_write", raising(error))
    out = tmp_path / "out"
    call = ["assess", str(files[0]), "--labels", str(files[1]), "--out", str(out)]
    assert main(call) == code
    printed = capsys.readouterr()
    assert told in printed.err and "Traceback" not in printed.err and printed.err.count("\n") == 1
    assert not out.exists()
    assert main([*call, "--json"]) == code
    assert json.loads(capsys.readouterr().out)["error"]["exit_code"] == code


@pytest.mark.usefixtures("pipeline")
def test_the_full_traceback_is_there_for_who_asks(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ENDPLATE_DEBUG", "1")
    monkeypatch.setattr(assess_module, "measure_and_write", raising(ZeroDivisionError()))
    with pytest.raises(ZeroDivisionError):
        main(["assess", str(files[0]), "--labels", str(files[1]), "--out", str(tmp_path / "out")])


@pytest.mark.usefixtures("pipeline")
def test_an_output_folder_that_cannot_be_is_refused_before_work(
    files: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(assess_module, "measure_and_write", raising(AssertionError("work was done")))
    call = ["assess", str(files[0]), "--labels", str(files[1]), "--out", str(files[0] / "out")]
    assert main(call) == 2
    assert "cannot write results" in capsys.readouterr().err


def test_a_closed_pipe_is_no_error() -> None:
    program = f"{sys.executable} -c 'import sys; from endplate.cli.app import main; sys.exit(main())' schema | head -1"
    done = subprocess.run(["bash", "-c", f"set -o pipefail; {program}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0 and done.stderr == ""


def test_a_missing_segmenter_tells_how_to_install_it(
    files: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["assess", str(files[0]), "--segment", "totalsegmentator", "--out", str(tmp_path / "out")]) == 2
    assert "pip install TotalSegmentator" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("text", ["0,50,100", "K2HPO4", "K2HPO4:", "CaCO3:0,100", "HA:100", "K2HPO4:a,b"])
def test_rods_without_mineral_or_numbers_are_refused(text):
    with pytest.raises(OptionError, match="rods"):
        assess_settings(ModelOptions(rods=text))


def test_options_reach_the_stage_they_name():
    options = ModelOptions(
        rods="HA:0,100,200", criterion="von_mises", load_case="flexed", layer="disc", kvp=100, linear_only=True
    )
    settings = assess_settings(options)
    assert settings.calibration.rods is not None and settings.calibration.rods.mineral == "HA"
    assert settings.calibration.rods.mg_cm3 == (0, 100, 200) and settings.calibration.kvp == 100
    assert (settings.strength.criterion, settings.strength.load_case) == ("von_mises", "flexed")
    assert settings.model.layer == "disc" and not settings.strength.nonlinear


def test_the_choice_of_shell_reaches_the_model() -> None:
    from endplate.cli.options.scan import ModelOptions
    from endplate.cli.settings import assess_settings

    assert assess_settings(ModelOptions()).model.cortex == "sampled"
    assert assess_settings(ModelOptions(cortex="kept")).model.cortex == "kept"
