"""`endplate fracture`: a crushed vertebra with its truth, or one clear line and nothing written."""

from __future__ import annotations

import json
import re
from pathlib import Path

import numpy as np
import pytest

from endplate.cli.app import main
from endplate.errors import SolverError
from endplate.image.ct import read_ct
from endplate.image.labels import read_labels
from endplate.image.nifti import write_labels, write_volume
from endplate.image.phantom import Deformity, PhantomSpec, make_phantom
from endplate.level import Level
from endplate.numerics.mpm.engine import Engine, Step
from endplate.numerics.mpm.load import Load

SMALL = PhantomSpec(
    levels=(Level.T12, Level.L1, Level.L2, Level.L3),
    deformities={Level.L3: Deformity(shape="wedge", loss=0.35, breach=True)},
    spacing_mm=(1.5, 1.5, 1.5),
    field_mm=(90.0, 110.0),
)


@pytest.fixture(scope="module")
def scan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("scan")
    phantom = make_phantom(SMALL)
    write_volume(folder / "ct.nii.gz", phantom.volume.grid, phantom.volume.hu)
    write_labels(folder / "labels.nii.gz", phantom.labels)
    return folder


def command(scan: Path, out: Path, *options: str) -> list[str]:
    given = [str(scan / "ct.nii.gz"), "--labels", str(scan / "labels.nii.gz"), "--out", str(out), "--quiet"]
    return ["fracture", *given, *options]


@pytest.fixture(scope="module")
def crushed(scan: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("crushed")
    asked = ("--level", "L1", "--shape", "wedge", "--loss", "0.25", "--voxel-mm", "3", "--calibration", "0.67,0")
    assert main(command(scan, out, *asked)) == 0
    return out


def test_the_truth_says_that_the_loss_was_reached_and_no_bone_was_lost(crushed: Path) -> None:
    truth = json.loads((crushed / "truth.json").read_text())
    assert truth["loss"] == pytest.approx(0.25, abs=0.03)
    assert truth["losses"]["anterior"] > truth["losses"]["middle"] > truth["losses"]["posterior"]
    assert truth["mass"]["points_after_mg"] == pytest.approx(truth["mass"]["points_before_mg"], rel=1e-9)
    assert abs(truth["mass"]["ct_change"]) < 0.01
    assert truth["mass"]["density_factor"] == pytest.approx(1, abs=0.05)
    assert len(truth["inputs"]) == 2


def test_the_new_scan_is_lower_in_front_and_keeps_its_grid(scan: Path, crushed: Path) -> None:
    before, after = read_ct(scan / "ct.nii.gz"), read_ct(crushed / "ct.nii.gz")
    assert before.grid.matches(after.grid)
    old, new = (read_labels(folder / "labels.nii.gz").labels for folder in (scan, crushed))
    assert set(np.unique(new)) == set(np.unique(old))
    body = Level.L1.verse_id
    assert 0.6 < (new == body).sum() / (old == body).sum() < 0.98
    measured = json.loads((crushed / "truth.json").read_text())["measured_after"]
    assert measured["worst"] == "anterior"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ((), "no level given"),
        (("--level", "X9"), "'X9' is no vertebra"),
        (("--level", "L1", "--shape", "flat"), "wedge, biconcave, crush"),
        (("--level", "L1", "--loss", "0.9"), "0.05 to 0.6"),
        (("--level", "L1", "--voxel-mm", "9"), "1 to 3"),
    ],
)
def test_what_has_no_meaning_is_refused_before_the_scan_is_read(scan, tmp_path, capsys, options, told) -> None:
    out = tmp_path / "out"
    assert main(command(scan, out, *options)) == 2
    assert told in (line := capsys.readouterr().err)
    assert line.count("\n") == 1
    assert not out.exists()


@pytest.mark.parametrize(("level", "told"), [("L5", "is not in the labels"), ("L3", "already deformed")])
def test_a_level_that_is_absent_or_broken_is_refused(scan, tmp_path, capsys, level, told) -> None:
    out = tmp_path / "out"
    assert main(command(scan, out, "--level", level, "--calibration", "0.67,0")) == 2
    assert told in capsys.readouterr().err
    assert not out.exists()


def test_files_that_are_not_ours_are_kept(scan, tmp_path, capsys) -> None:
    assert main(command(scan, scan, "--level", "L1")) == 2
    assert "is an input of this run" in capsys.readouterr().err
    for name in ("ct.nii.gz", "ct.json", "truth.json"):
        (tmp_path / name).write_text("mine")
        assert main(command(scan, tmp_path, "--level", "L1")) == 2
        assert f"{name} that endplate did not write" in capsys.readouterr().err
        (tmp_path / name).rename(tmp_path / "kept")
    (tmp_path / "kept").rename(tmp_path / "ct.nii.gz")
    assert (tmp_path / "ct.nii.gz").read_text() == "mine"


def test_a_crush_that_fails_says_how_far_it_came_and_leaves_nothing(scan, tmp_path, capsys, monkeypatch) -> None:
    steps = Engine.step

    def two_steps_and_no_more(engine: Engine, load: Load) -> Step:
        if engine.energy_balance.steps >= 2:
            raise SolverError("no equilibrium was found")
        return steps(engine, load)

    monkeypatch.setattr(Engine, "step", two_steps_and_no_more)
    out = tmp_path / "out"
    assert main(command(scan, out, "--level", "L1", "--voxel-mm", "3", "--calibration", "0.67,0")) == 2
    line = capsys.readouterr().err
    assert "did not converge (no equilibrium was found)" in line
    assert re.search(r"the last good state is a loss of 0\.\d\d under load", line)
    assert line.count("\n") == 1
    assert not list(tmp_path.rglob("*.*"))
