"""TotalSegmentator is run as a separate program, and its absence or failure is told in one line."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from tests.support.small_spine import save_nifti, spine

from endplate.errors import ImageError, LabelError, OptionError
from endplate.image.labels import read_labels
from endplate.image.labels.scheme import scheme_by_name
from endplate.image.labels.segment import segment
from endplate.level import FROM_VERSE_ID

VOLUME, LABELS = spine()

WRITES = f"""#!{sys.executable}
import shutil, sys
out = sys.argv[sys.argv.index("-o") + 1]
print("Resampling", flush=True)
print("Predicting\\r 100%", file=sys.stderr, flush=True)
assert "--ml" in sys.argv and "vertebrae_L1" in sys.argv and "total" in sys.argv
shutil.copy(sys.argv[sys.argv.index("-i") + 1].replace("ct.nii", "truth.nii"), out)
"""
FAILS = f"#!{sys.executable}\nimport sys\nprint('loading')\nprint('CUDA out of memory', file=sys.stderr)\nsys.exit(3)\n"
SILENT = f"#!{sys.executable}\n"
SLEEPS = f"#!{sys.executable}\nimport os, sys, time\nprint(os.getpid(), flush=True)\ntime.sleep(60)\n"


@pytest.fixture
def program(tmp_path, monkeypatch):
    """Put a stand-in for TotalSegmentator on the PATH."""

    def install(source):
        folder = tmp_path / "bin"
        folder.mkdir()
        path = folder / "TotalSegmentator"
        path.write_text(source)
        path.chmod(0o755)
        monkeypatch.setenv("PATH", str(folder))

    return install


@pytest.fixture
def ct(tmp_path) -> Path:
    total = {level: number for number, level in scheme_by_name("total").levels.items()}
    array = np.zeros_like(LABELS.labels)
    for label in np.unique(LABELS.labels)[1:]:
        array[LABELS.labels == label] = total[FROM_VERSE_ID[int(label)]]
    save_nifti(tmp_path / "truth.nii.gz", array, VOLUME.grid)
    return save_nifti(tmp_path / "ct.nii.gz", VOLUME.hu, VOLUME.grid)


def test_its_labels_arrive_and_its_lines_are_passed_on(tmp_path, program, ct):
    program(WRITES)
    lines = []
    path = segment(ct, tmp_path / "out", lines.append)
    assert path == tmp_path / "out" / "labels.nii.gz"
    assert np.array_equal(read_labels(path, "totalsegmentator").labels, LABELS.labels)
    assert lines[0] == "Resampling"
    assert any("100%" in line for line in lines)
    assert [p.name for p in (tmp_path / "out").iterdir()] == ["labels.nii.gz"]


def test_absent_it_says_how_to_install_it(tmp_path, monkeypatch, ct):
    monkeypatch.setenv("PATH", str(tmp_path / "nowhere"))
    with pytest.raises(OptionError, match="pip install TotalSegmentator") as caught:
        segment(ct, tmp_path / "out")
    assert caught.value.exit_code == 2
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("source", "words"),
    [(FAILS, "failed with code 3: loading / CUDA out of memory"), (SILENT, "without writing labels")],
)
def test_a_failure_is_told_with_its_last_lines_and_leaves_nothing(tmp_path, program, ct, source, words):
    program(source)
    with pytest.raises(LabelError, match=words):
        segment(ct, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []


def test_an_interrupt_ends_the_program_too(tmp_path, program, ct):
    program(SLEEPS)
    pids = []

    def interrupt(line):
        pids.append(int(line))
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        segment(ct, tmp_path / "out", interrupt)
    assert not Path(f"/proc/{pids[0]}").exists()
    assert list((tmp_path / "out").iterdir()) == []


def test_a_missing_scan_is_refused(tmp_path, program):
    program(WRITES)
    with pytest.raises(ImageError, match="does not exist"):
        segment(tmp_path / "none.nii.gz", tmp_path / "out")
