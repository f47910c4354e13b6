"""The whole job through the front door on a small digital spine: files in, results out, and no debris when stopped."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest

from endplate.cli.app import main
from endplate.cli.demo.run import BREAK
from endplate.image.nifti import write_labels, write_volume
from endplate.image.phantom import Deformity, PhantomSpec, make_phantom
from endplate.level import Level
from endplate.report import schema
from endplate.report.manifest import MANIFEST

SMALL = PhantomSpec(
    levels=(Level.T12, Level.L1, Level.L2),
    deformities={Level.L1: Deformity(shape="wedge", loss=0.33, breach=True)},
    spacing_mm=(1.5, 1.5, 1.5),
    field_mm=(110.0, 130.0),
)

MADE = {"intact", "truth.json", MANIFEST}
CARE = {"decision.json", "decision-aid.html", "fhir.json", "after-procedure.html"}

ANNOUNCED = """
import signal
signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored where tests run in the background
import sys
import endplate.case.assess as stage
from endplate.cli.app import main
original = stage.assess
def assess(*arguments):
    print("measuring", flush=True)
    return original(*arguments)
stage.assess = assess
sys.exit(main())
"""


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scan")
    phantom = make_phantom(SMALL)
    write_volume(folder / "ct.nii.gz", phantom.volume.grid, phantom.volume.hu)
    write_labels(folder / "labels.nii.gz", phantom.labels)
    (folder / "patient.json").write_text('{"age_yr": 74, "sex": "female", "mass_kg": 61, "height_cm": 158}')
    return folder


def test_from_files_to_a_report(scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "out"
    call = ["assess", str(scan / "ct.nii.gz"), "--labels", str(scan / "labels.nii.gz"), "--out", str(out), "--json"]
    assert main([*call, "--linear-only", "--voxel-mm", "2", "--record", str(scan / "patient.json")]) == 0
    document = json.loads(capsys.readouterr().out)["result"]["case"]
    jsonschema.Draft202012Validator(schema()).validate(document)
    found = {(item["code"], item["level"]): item for item in document["findings"]}
    assert document["levels"] == ["T12", "L1", "L2"]
    assert found[("genant_grade", "L1")]["value"] == 2
    assert found[("deformity_shape", "L1")]["value"] == "wedge"
    assert found[("stiffness", "L2")]["value"] > 1000
    assert all(len(digest) == 64 for digest in document["provenance"]["inputs"].values())
    assert {"anatomy", "fracture", "bone", "mechanics"} <= set(document["provenance"]["seconds"])
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "L1" in page and len(page) < 5_000_000
    assert (out / "volumes" / "L1_strain.nii.gz").exists()


def test_the_demo_is_the_same_job(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    import endplate.image.phantom

    monkeypatch.setattr(endplate.image.phantom, "demo_spec", lambda: replace(SMALL, deformities={}))
    monkeypatch.setattr("endplate.cli.demo.run.BREAK", replace(BREAK, voxel_mm=2.5))
    assert main(["demo", "--out", str(tmp_path / "demo"), "--no-mechanics"]) == 0
    printed = capsys.readouterr().out
    assert "endplate plan" in printed and "report.html" in printed and "NICE TA279" in printed
    names = {path.name for path in (tmp_path / "demo").iterdir()}
    assert (
        names
        == {"ct.nii.gz", "labels.nii.gz", "patient.toml", "report.html", "report.json", "case.json", "volumes"}
        | MADE
        | CARE
    )
    made = json.loads((tmp_path / "demo" / "truth.json").read_text(encoding="utf-8"))
    case = json.loads((tmp_path / "demo" / "case.json").read_text(encoding="utf-8"))
    found = {(item["code"], item["level"]): item for item in case["findings"]}
    loss = found[("height_loss", "L1")]
    assert made["level"] == "L1" and abs(made["loss"] - BREAK.loss) < 0.03
    assert loss["value"] == pytest.approx(made["losses"]["anterior"], abs=0.06), "on three levels and coarse voxels"
    assert any(
        f"built: wedge, {100 * made['losses']['anterior']:.1f} % anterior" in note["text"] for note in case["cautions"]
    )
    assert main(["demo", "--out", str(tmp_path / "demo"), "--no-mechanics", "--quiet"]) == 0, "a second run replaces"


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)], ids=["ctrl-c", "kill"])
def test_a_run_that_is_stopped_leaves_nothing(scan: Path, tmp_path: Path, number: signal.Signals, code: int) -> None:
    out = tmp_path / "results"
    call = ["assess", str(scan / "ct.nii.gz"), "--labels", str(scan / "labels.nii.gz"), "--out", str(out)]
    process = subprocess.Popen(
        [sys.executable, "-c", ANNOUNCED, *call], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "measuring\n"
    process.send_signal(number)
    _, told = process.communicate(timeout=120)
    assert process.returncode == code
    assert "Traceback" not in told
    assert list(tmp_path.iterdir()) == []
