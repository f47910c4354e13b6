"""Segmenters as plug-ins: what is passed on, what is recorded, and that none outlives endplate, however it is ended."""

from __future__ import annotations

import importlib.metadata
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from tests.support.small_spine import dicom_slices, save_nifti, save_series, spine

from endplate.errors import LabelError, OptionError
from endplate.image.labels import read_labels
from endplate.image.labels.segmenter import SegmenterChoice, check_choice, known_segmenters, registry, run_segmenter
from endplate.image.labels.segmenter.command import of_command
from endplate.image.labels.segmenter.plugin import Request
from endplate.image.labels.segmenter.registry import KNOWN
from endplate.image.labels.segmenter.version import version_of

PACKAGES = os.environ.get("ENDPLATE_SEGMENTER_PACKAGES", "")
"""A folder with the packages TotalSegmentator and spine-segment unpacked in it, for their own command-line parsers.

The `site-packages` of an environment with both installed serves too: its own interpreter is used then, and nothing is
stood in for.
"""
VOLUME, LABELS = spine()
ECHO = f"""#!{sys.executable}
import json, pathlib, shutil, sys
pathlib.Path({{said!r}}).write_text(json.dumps(sys.argv[1:]))
at = sys.argv.index
out = pathlib.Path(sys.argv[at("-o") + 1]) if "-o" in sys.argv else (
    pathlib.Path(sys.argv[at("--output") + 1]) / (pathlib.Path(sys.argv[1]).name[:-7] + "_vertebral-level.nii.gz")
    if "--output" in sys.argv else pathlib.Path(sys.argv[-1]))
shutil.copy({{labels!r}}, out)
"""


@pytest.fixture
def stand_in(tmp_path, monkeypatch):
    """Put a program of a name on the PATH that writes VerSe labels; returns where it notes its command line."""

    def install(name: str) -> Path:
        said, labels = tmp_path / "said.json", save_nifti(tmp_path / "truth.nii.gz", LABELS.labels, VOLUME.grid)
        path = tmp_path / "bin" / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(ECHO.format(said=str(said), labels=str(labels)))
        path.chmod(0o755)
        monkeypatch.setenv("PATH", f"{path.parent}{os.pathsep}{os.environ['PATH']}")
        return said

    return install


@pytest.fixture
def ct(tmp_path) -> Path:
    return save_nifti(tmp_path / "ct.nii.gz", VOLUME.hu, VOLUME.grid)


def words(said: Path) -> list[str]:
    import json

    return json.loads(said.read_text())


def test_task_speed_and_device_are_passed_on_and_recorded(tmp_path, stand_in, ct):
    said = stand_in("TotalSegmentator")
    choice = SegmenterChoice(name="totalsegmentator", task="vertebrae_pp_refined", device="cpu")
    made = run_segmenter(choice, ct, tmp_path / "out")
    assert words(said)[4:] == ["--ml", "--task", "vertebrae_pp_refined", "--device", "cpu"]
    assert made.scheme == "vertebrae_pp" and np.array_equal(read_labels(made.path, made.scheme).labels, LABELS.labels)
    assert made.facts["task"] == "vertebrae_pp_refined" and made.facts["licence"].startswith("Apache-2.0")
    run_segmenter(SegmenterChoice(name="totalsegmentator", fast=True), ct, tmp_path / "out")
    assert "--fast" in words(said) and "vertebrae_L1" in words(said)


def test_spine_segment_gets_nifti_and_downloads_nothing(tmp_path, stand_in):
    said = stand_in("spine-segment")
    series = save_series(tmp_path / "series", dicom_slices(VOLUME))
    made = run_segmenter(SegmenterChoice(name="spine-segment"), series, tmp_path / "out")
    assert words(said)[0].endswith(".nii.gz") and {"--level-only", "--no-model-download"} <= set(words(said))
    assert made.scheme == "spine-segment" and np.array_equal(read_labels(made.path, made.scheme).labels, LABELS.labels)


def test_number_28_of_spine_segment_is_no_vertebra(tmp_path):
    array = np.where(LABELS.labels == 20, 28, LABELS.labels).astype(np.uint16)
    path = save_nifti(tmp_path / "l.nii.gz", array, VOLUME.grid)
    assert 28 not in np.unique(read_labels(path, "spine-segment").labels)


def test_any_command_line_fills_its_places_without_a_shell(tmp_path, stand_in):
    said = stand_in("mine")
    scan = save_nifti(tmp_path / "a b;{out}.nii.gz", VOLUME.hu, VOLUME.grid)
    made = run_segmenter(SegmenterChoice(command="mine --quick 'x y' -i={ct} {out}"), scan, tmp_path / "out")
    assert words(said)[:2] == ["--quick", "x y"] and words(said)[2] == f"-i={scan}"
    assert made.scheme is None and made.facts["command"].startswith("mine")


@pytest.mark.parametrize(
    ("choice", "said"),
    [
        (SegmenterChoice(name="nobody"), "no segmenter has that name"),
        (SegmenterChoice(command="mine {ct}"), "has no {out}"),
        (SegmenterChoice(command="mine '{ct} {out}"), "cannot be split"),
        (SegmenterChoice(command=""), "has no"),
        (SegmenterChoice(command="absent-program {ct} {out}"), "is not on the PATH"),
        (SegmenterChoice(name="totalsegmentator", task="lung"), "its tasks are: total, vertebrae_pp_refined"),
        (SegmenterChoice(name="totalsegmentator", task="vertebrae_pp_refined", fast=True), "no quick variant"),
        (SegmenterChoice(name="spine-segment", task="total"), "it has no tasks"),
        (SegmenterChoice(name="spine-segment", fast=True), "no quick variant"),
        (SegmenterChoice(command="mine {ct} {out}", device="cpu"), "takes no device"),
    ],
)
def test_what_cannot_be_run_is_refused_before_any_work(choice, said):
    with pytest.raises(OptionError, match=said):
        check_choice(choice)


def test_a_plug_in_is_known_by_its_name(monkeypatch, tmp_path, stand_in, ct):
    """An entry point as an installed package has it; one that is broken is refused in a line."""
    stand_in("theirs")
    (tmp_path / "their_plugin.py").write_text(
        "from dataclasses import replace\nfrom endplate.image.labels.segmenter.command import of_command\n"
        "def make():\n    mine = of_command('theirs {ct} {out}')\n"
        "    return replace(mine, name='theirs', schemes={'': 'verse'})\nbad = 7\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    points = [importlib.metadata.EntryPoint(name, f"their_plugin:{value}", registry.GROUP)
              for name, value in (("theirs", "make"), ("broken", "bad"), ("absent", "none"))]  # fmt: skip
    monkeypatch.setattr(registry, "entry_points", lambda group: points if group == registry.GROUP else [])
    registry._plugins.cache_clear()
    try:
        assert known_segmenters() == ("totalsegmentator", "spine-segment", "theirs", "broken", "absent")
        assert run_segmenter(SegmenterChoice(name="theirs"), ct, tmp_path / "out").scheme == "verse"
        for name in ("broken", "absent"):
            with pytest.raises(OptionError, match=f"{name} .*cannot be loaded"):
                check_choice(SegmenterChoice(name=name))
    finally:
        registry._plugins.cache_clear()


FORKS = """#!{python}
import os, subprocess, sys, time
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
print(os.getpid(), child.pid, flush=True)
time.sleep(600)
"""
RUNS = """
import sys
from pathlib import Path
from endplate.image.labels.segmenter import SegmenterChoice, run_segmenter
run_segmenter(SegmenterChoice(command="forks {ct} {out}"), Path(sys.argv[1]), Path(sys.argv[2]),
              lambda line: print(line, flush=True))
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_segmenter_and_its_children_end_with_the_process_that_ran_them(tmp_path, monkeypatch, ct, number):
    program = tmp_path / "bin" / "forks"
    program.parent.mkdir()
    program.write_text(FORKS.format(python=sys.executable))
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}{os.pathsep}{os.environ['PATH']}")
    with subprocess.Popen(
        [sys.executable, "-c", RUNS, str(ct), str(tmp_path / "out")], stdout=subprocess.PIPE, text=True
    ) as parent:
        pids = [int(word) for word in parent.stdout.readline().split()]
        assert len(pids) == 2 and all(alive(pid) for pid in pids)
        parent.send_signal(number)
        parent.wait()
    until = time.monotonic() + 30
    while any(alive(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.1)
    assert not any(alive(pid) for pid in pids)


def alive(pid: int) -> bool:
    """Whether a process still runs; one that only waits to be taken note of does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except OSError:
        return False


def test_the_version_is_that_of_the_environment_of_the_command(tmp_path):
    program = tmp_path / "p"
    program.write_text(f"#!{sys.executable}\n")
    assert version_of(str(program), "numpy") == importlib.metadata.version("numpy")
    assert version_of(str(program), "no-such-package-here") is None and version_of(str(program), "") is None


STUBBED = """
import importlib.abc, importlib.machinery, importlib.metadata, runpy, sys, types
from unittest import mock

class Missing(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    # Stands in for heavy libraries that no parser needs; whatever is installed is imported as it is.
    HEAVY = ("torch nnunetv2 dicom2nifti xvfbwrapper blosc imgkit xmltodict fury dipy skimage sklearn matplotlib "
             "networkx tqdm vtk batchgenerators acvl_utils p_tqdm xgboost cc3d").split()

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in self.HEAVY:
            return None
        return importlib.machinery.ModuleSpec(name, self, is_package=True)

    def create_module(self, spec):
        module = mock.MagicMock(name=spec.name)
        module.__path__, module.__spec__, module.__name__ = [], spec, spec.name
        return module

    def exec_module(self, module):
        pass

sys.path.insert(0, {folder!r})
sys.meta_path.append(Missing())
"""


def parsed(tmp_path: Path, code: str, command: list[str]) -> subprocess.CompletedProcess[str]:
    script, whole = tmp_path / "parse.py", Path(PACKAGES).name == "site-packages"
    python = str(Path(PACKAGES).parents[2] / "bin" / "python") if whole else sys.executable
    script.write_text(code if whole else STUBBED.format(folder=PACKAGES) + code)
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH" or not whole}
    return subprocess.run([python, str(script), *command], capture_output=True, text=True, check=False, env=environment)


@pytest.mark.skipif(not PACKAGES, reason="set ENDPLATE_SEGMENTER_PACKAGES to a folder with both packages unpacked")
@pytest.mark.parametrize(("task", "fast"), [("total", False), ("total", True), ("vertebrae_pp_refined", False)])
def test_totalsegmentators_own_parser_takes_the_command(tmp_path, task, fast):
    code = """
import totalsegmentator.bin.TotalSegmentator as cli
from totalsegmentator.python_api import get_task_config
def run(input, output, ml, nr, ns, fast, nora, preview, task, rois, *rest, **more):
    get_task_config(task, fast=fast, quiet=True)
    assert ml and (rois is None or task.startswith("total")), (ml, rois)
    print(task, fast, more["device"], len(rois or ()))
cli.totalsegmentator = run
cli.main()
"""
    request = Request(
        program="TotalSegmentator", ct=tmp_path / "ct.nii.gz", folder=tmp_path, task=task, fast=fast, device="cpu"
    )
    done = parsed(tmp_path, code, KNOWN["totalsegmentator"].command(request)[1:])
    assert done.returncode == 0, done.stderr[-600:]
    assert done.stdout.split() == [task, str(fast), "cpu", "25" if task == "total" else "0"]


@pytest.mark.skipif(not PACKAGES, reason="set ENDPLATE_SEGMENTER_PACKAGES to a folder with both packages unpacked")
def test_totalsegmentator_refuses_what_is_refused_here_too(tmp_path):
    code = """
from totalsegmentator.python_api import get_task_config
try:
    get_task_config("vertebrae_pp_refined", fast=True, quiet=True)
except Exception as error:
    print("refused", error)
"""
    done = parsed(tmp_path, code, [])
    assert done.returncode == 0 and done.stdout.startswith("refused"), done.stderr[-600:]


@pytest.mark.skipif(not PACKAGES, reason="set ENDPLATE_SEGMENTER_PACKAGES to a folder with both packages unpacked")
def test_spine_segments_own_parser_takes_the_command(tmp_path):
    code = """
from spine_segment.cli import build_parser
from spine_segment.outputs import build_output_paths
args = build_parser().parse_args()
made = build_output_paths(args.inputs[0], args.output).vertebral_level
print(args.level_only, args.no_model_download, args.device, made)
"""
    request = Request(program="spine-segment", ct=tmp_path / "a.b.nii.gz", folder=tmp_path / "out", device="cpu")
    segmenter = KNOWN["spine-segment"]
    done = parsed(tmp_path, code, segmenter.command(request)[1:])
    assert done.returncode == 0, done.stderr[-600:]
    assert done.stdout.split() == ["True", "True", "cpu", str(segmenter.labels(request))]


def test_a_command_that_fails_is_told_with_its_last_lines(tmp_path, ct):
    command = f"{sys.executable} -c 'import sys; print(\"no weights\"); sys.exit(4)' {{ct}} {{out}}"
    assert of_command(command).program == sys.executable
    with pytest.raises(LabelError, match="failed with code 4: no weights"):
        run_segmenter(SegmenterChoice(command=command), ct, tmp_path / "out")
    assert list((tmp_path / "out").iterdir()) == []
