"""The front door of a rehearsal: one clear line for what cannot be rehearsed, and a whole run."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import jsonschema
import pytest
from tests.support.synthetic_rehearsal import rehearsed_case

from endplate.cli.app import main
from endplate.cli.options.injection import injection_plan
from endplate.cli.options.rehearse import RepairOptions, UnknownOptions
from endplate.cli.options.scan import NO_MODEL
from endplate.cli.rehearse import print_rehearsal, rehearse_settings
from endplate.errors import OptionError
from endplate.image.nifti import write_labels, write_volume
from endplate.image.phantom import Deformity, PhantomSpec, make_phantom
from endplate.level import Level
from endplate.repair.cement.injection_plan import InjectionPlan
from endplate.repair.rehearsal.findings import cautions
from endplate.report import schema

SPEC = PhantomSpec(
    levels=(Level.T12, Level.L1, Level.L2),
    deformities={Level.L1: Deformity(shape="wedge", loss=0.33, breach=True)},
    spacing_mm=(1.5, 1.5, 1.5),
    field_mm=(110.0, 130.0),
)


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scan")
    phantom = make_phantom(SPEC)
    write_volume(folder / "ct.nii.gz", phantom.volume.grid, phantom.volume.hu)
    write_labels(folder / "labels.nii.gz", phantom.labels)
    (folder / "patient.json").write_text('{"age_yr": 74, "sex": "female", "mass_kg": 61, "height_cm": 158}')
    return folder


def call(scan: Path, out: Path, *more: str) -> list[str]:
    return ["rehearse", str(scan / "ct.nii.gz"), "--labels", str(scan / "labels.nii.gz"), "--out", str(out), *more]


BAD = [
    ([], "give --level"),
    (["--level", "Q9"], "Q9"),
    (["--level", "L5"], "L5 is not in the labels"),
    (["--level", "L1", "--procedure", "surgery"], "--procedure"),
    (["--level", "L1", "--needle", "99G"], "choose 8G, 10G"),
    (["--level", "L1", "--cement", "glue"], "standard PMMA"),
    (["--level", "L1", "--balloon", "party"], "Xpander 15/3"),
    (["--level", "L1", "--procedure", "vertebroplasty", "--balloon", "Xpander 15/3"], "no balloon is used in it"),
    (["--level", "L1", "--cement-ml", "-1"], "--cement-ml -1"),
    (["--level", "L1", "--balloon-ml", "60"], "--balloon-ml 60"),
    (["--level", "L1", "--members", "7"], "8, 16, 32"),
    (["--level", "L1", "--members", "0", "--member-voxel-mm", "2"], "there are no members"),
    (["--level", "L1", "--preload", "9999"], "--preload 9999"),
    (["--level", "L1", "--no-mechanics"], "a rehearsal is mechanics"),
    (["--level", "L1", "--voxel-mm", "9"], "voxel size 9"),
    (["--level", "L1", "--cement-ml", "40"], "--cement-ml 40"),
    (["--level", "L1", "--portions", "0.5,0.6"], "shares that add up to 1"),
    (["--level", "L1", "--portions", "many"], "--portions 'many'"),
    (["--level", "L1", "--portions", "0"], "--portions '0'"),
    (["--level", "L1", "--portions", "21"], "1 to 20 even portions"),
    (["--level", "L1", "--portions", "nan"], "--portions 'nan'"),
    (["--level", "L1", "--portions", "1.5,-0.5"], "--portions '1.5,-0.5'"),
    (["--level", "L1", "--pause-s", "10"], "nothing to rest between"),
    (["--level", "L1", "--portions", "2", "--pause-s", "-1"], "--pause-s -1"),
    (["--level", "L1", "--flow-ml-s", "2"], "choose 0.005 to 1 mL/s"),
    (["--level", "L1", "--flow-ml-s", "nan"], "--flow-ml-s nan"),
    (["--level", "L1", "--max-pressure-mpa", "0"], "--max-pressure-mpa 0"),
    (["--level", "L1", "--max-time-s", "0.5"], "--max-time-s 0.5"),
    (["--level", "L1", "--needle-order", "backwards"], "--needle-order"),
    (["--level", "L1", "--sides", "left", "--needle-order", "in-turn"], "a single needle has no order"),
    (["--level", "L1", "--procedure", "kyphoplasty", "--needle", "15G"], "a balloon needs 8G or 10G"),
    (["--level", "L1", "--needle", "10G", "--balloon", "Xpander 15/3"], "Xpander 15/3 needs 8G"),
    (["--level", "L1", "--balloon-ml", "8", "--sides", "left"], "choose 0 to 4 mL"),
    (["--level", "L1", "--balloon", "Xpander 20/3", "--balloon-ml", "12"], "mL of balloon in a body of"),
    (["--level", "L1", "--procedure", "vertebroplasty", "--seed", "5"], "there are no members"),
    (["--level", "L1", "--procedure", "vertebroplasty", "--member-voxel-mm", "2"], "there are no members"),
    (["--level", "L1", "--procedure", "vertebroplasty", "--preload", "50"], "no balloon is used in it"),
    (["--level", "L1", "--procedure", "kyphoplasty", "--seed", "5"], "have no design"),
    (["--level", "L1", "--member-voxel-mm", "1", "--voxel-mm", "1.5"], "members never run finer"),
]


@pytest.mark.parametrize(("options", "told"), BAD, ids=lambda value: " ".join(value)[:50])
def test_what_cannot_be_rehearsed_is_one_line_and_exit_2(
    scan: Path, options: list[str], told: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert main(call(scan, tmp_path / "out", *options, "--quiet")) == 2
    printed = capsys.readouterr()
    assert printed.out == "" and printed.err.count("\n") == 1
    assert told in printed.err and "Traceback" not in printed.err
    assert list(tmp_path.iterdir()) == []


def test_a_vertebroplasty_from_files_to_a_report(
    scan: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out"
    options = ["--level", "l1", "--procedure", "vertebroplasty", "--voxel-mm", "2", "--cement-ml", "2", "--json"]
    options += ["--portions", "2", "--pause-s", "20", "--continue-on-leak"]
    assert main(call(scan, out, *options, "--record", str(scan / "patient.json"))) == 0
    document = json.loads(capsys.readouterr().out)["result"]["case"]
    jsonschema.Draft202012Validator(schema()).validate(document)
    found = {(item["code"], item["level"], item["condition"]): item for item in document["findings"]}
    plan = document["provenance"]["parameters"]["rehearsal"]["run"]["injection"]
    assert (plan["portions"], plan["pause_s"], plan["stop_at_opening"]) == ([0.5, 0.5], 20.0, False)
    cement = found["cement_volume", "L1", "vertebroplasty"]["value"]
    assert cement + found["cement_outside", "L1", "vertebroplasty"]["value"] <= 2.0 + 1e-6 and cement > 0.3
    ratio = found["repair_failure_load_ratio", "L1", "vertebroplasty"]
    assert ratio["value"] >= 0.99 and ratio["low"] < ratio["value"] < ratio["high"]
    assert found["repair_load_to_strength", "L1", "no repair, standing"]["value"] > 0
    assert {item["level"] for item in document["findings"] if item["code"] == "neighbour_load_ratio"} == {"T12", "L2"}
    names = {path.name for path in (out / "volumes").iterdir()}
    assert {"L1_vertebroplasty_cement.nii.gz", "L1_vertebroplasty_cement_LPS.stl"} <= names
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "Rehearsal of a repair: L1" in page and "It cannot tell" in page and len(page) < 5_000_000


def test_options_reach_the_settings() -> None:
    repair = RepairOptions(level="L1", needle="10", sides="left", cement="high viscosity pmma", cement_ml=3.0)
    unknown = UnknownOptions(members=8, seed=1879, preload=250.0, fracture_mobility="rigid")
    settings = rehearse_settings(repair, unknown, NO_MODEL)[1]
    assert settings.run.procedures == ("vertebroplasty", "kyphoplasty")
    assert settings.run.path.needle == "10G" and settings.run.path.sides == "left"
    assert settings.run.cement == "high viscosity PMMA" and settings.run.injection.volume_ml == 3.0
    assert (settings.members, settings.seed, settings.nominal.preload_n) == (8, 1879, 250.0)
    assert settings.nominal.mobility == "rigid"


def test_the_injection_asked_for_reaches_the_plan() -> None:
    repair = RepairOptions(
        level="L1", portions="0.5,0.3,0.2", pause_s=60.0, flow_ml_s=0.05, needle_order="in-turn",
        max_pressure_mpa=3.0, max_time_s=400.0, continue_on_leak=True, cement_ml=4.0,
    )  # fmt: skip
    plan = rehearse_settings(repair, UnknownOptions(), NO_MODEL)[1].run.injection
    assert plan == InjectionPlan(
        volume_ml=4.0, portions=(0.5, 0.3, 0.2), pause_s=60.0, flow_ml_s=0.05, order="in turn", max_mpa=3.0,
        max_s=400.0, stop_at_opening=False,
    )  # fmt: skip
    assert injection_plan(RepairOptions(level="L1")) == InjectionPlan()
    assert injection_plan(RepairOptions(needle_order="in-turn", pause_s=5.0)).pause_s == 5.0
    even = injection_plan(RepairOptions(portions="3")).portions
    assert len(even) == 3 and sum(even) == pytest.approx(1)


def test_both_has_an_ensemble_and_a_balloon_alone_is_bracketed() -> None:
    plain = UnknownOptions()
    asked = (("both", plain), ("kyphoplasty", plain), ("vertebroplasty", UnknownOptions(members=8)))
    members = [
        rehearse_settings(RepairOptions(level="L1", procedure=name), unknown, NO_MODEL)[1].members
        for name, unknown in asked
    ]
    assert members == [16, 2, 8]


def test_an_option_that_goes_with_nothing_is_refused() -> None:
    with pytest.raises(OptionError, match="no balloon"):
        rehearse_settings(
            RepairOptions(level="L1", procedure="vertebroplasty", balloon_ml=3.0), UnknownOptions(), NO_MODEL
        )


def test_what_did_not_converge_is_said_first_on_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    case = rehearsed_case()
    plasty, kypho = case.rehearsals[0].nominal
    failed = replace(kypho, inflation=replace(kypho.inflation, unconverged="no equilibrium beyond this volume"))
    done = replace(case.rehearsals[0], nominal=(plasty, failed))
    print_rehearsal(replace(case, rehearsals=(done,), cautions=cautions(done)), {})
    first = " ".join(capsys.readouterr().out.split())
    assert first.startswith("! L1: kyphoplasty did not converge") and "no equilibrium beyond this volume" in first
