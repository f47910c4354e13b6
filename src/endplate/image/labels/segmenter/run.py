"""Label the vertebrae of a scan with the chosen segmenter."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from endplate.atomic import atomic_path
from endplate.errors import ImageError, LabelError, OptionError
from endplate.image.file_type import exists, is_dicom
from endplate.image.labels.segmenter.choice import SegmenterChoice
from endplate.image.labels.segmenter.plugin import Request, Segmenter
from endplate.image.labels.segmenter.process import run_program
from endplate.image.labels.segmenter.registry import segmenter_of
from endplate.image.labels.segmenter.version import version_of
from endplate.image.limits import DEFAULT, ReadSettings

LABELS = "labels.nii.gz"


@dataclass(frozen=True, slots=True, kw_only=True)
class Segmented:
    """Labels that a segmenter made.

    Parameters
    ----------
    path : Path
        The label map.
    scheme : str or None
        Name of its numbering; None where the segmenter declares none.
    facts : dict of str to str
        For the provenance: name, version, task, device, licence and numbering.
    """

    path: Path
    scheme: str | None
    facts: dict[str, str]


def check_choice(choice: SegmenterChoice) -> tuple[Segmenter, str]:
    """The segmenter of a choice and the path of its program, before anything is read.

    Raises
    ------
    OptionError : it is not known, not installed, or has no such task, quick variant or device.
    """
    segmenter = segmenter_of(choice)
    option = "--segment-command" if choice.command is not None else f"--segment {segmenter.name}"
    if choice.task is not None and choice.task not in segmenter.schemes:
        known = ", ".join(task for task in segmenter.schemes if task)
        why = f"its tasks are: {known}" if known else "it has no tasks"
        raise OptionError(f"--segment-task {choice.task} with {option}", why, "leave it out or choose another")
    task = choice.task or segmenter.usual_task
    if choice.fast and task not in segmenter.fast_tasks:
        what = f"task {task} of {segmenter.title}" if task else segmenter.title
        raise OptionError(f"--segment-fast with {option}", f"{what} has no quick variant", "leave it out")
    if choice.device is not None and not segmenter.takes_device:
        raise OptionError(f"--segment-device with {option}", "it takes no device", "write it into the command")
    program = shutil.which(segmenter.program)
    if program is None:
        raise OptionError(
            f"{segmenter.program} is not on the PATH", f"{option} runs it as a separate program",
            f"install it with: {segmenter.install}; or give --labels",
        )  # fmt: skip
    return segmenter, program


def run_segmenter(
    choice: SegmenterChoice,
    ct: Path,
    out_dir: Path,
    progress: Callable[[str], None] | None = None,
    reading: ReadSettings = DEFAULT,
    longest_s: float | None = None,
) -> Segmented:
    """Label the vertebrae of a CT.

    Parameters
    ----------
    choice : SegmenterChoice
        Which segmenter, and what is passed on to it.
    ct : Path
        A NIfTI file or DICOM folder.
    out_dir : Path
        Where `labels.nii.gz` is written, whole or not at all.
    progress : callable, optional
        Called with each line that the program prints.
    reading : ReadSettings, optional
        How the scan is read where the segmenter needs a NIfTI copy of it.
    longest_s : float, optional
        Seconds after which it is ended; None waits as long as it takes.

    Returns
    -------
    Segmented

    Raises
    ------
    OptionError : the segmenter is not known or not installed, or cannot do what is asked.
    LabelError : it failed, wrote no labels, or ran too long.
    ImageError, OutputError : the scan cannot be read, or `out_dir` not be written.
    """
    segmenter, program = check_choice(choice)
    if not exists(ct):
        raise ImageError(f"{ct} does not exist", "", "check the path")
    task = choice.task or segmenter.usual_task
    labels = out_dir / LABELS
    with atomic_path(labels) as temporary, tempfile.TemporaryDirectory(dir=out_dir, prefix=".segmenting-") as hidden:
        room = Path(hidden)
        (room / "out").mkdir()
        request = Request(
            program=program, ct=_readable(ct, segmenter, room, reading), folder=room / "out",
            task=task, fast=choice.fast, device=choice.device,
        )  # fmt: skip
        run_program(segmenter.command(request), segmenter.title, progress or (lambda line: None), longest_s)
        made = segmenter.labels(request)
        if not made.is_file():
            raise LabelError(f"{segmenter.title} ended without writing labels", "", "run it by hand to see why")
        made.replace(temporary)
    scheme = segmenter.schemes[task] or None
    return Segmented(path=labels, scheme=scheme, facts=_facts(segmenter, program, choice, task))


def _readable(ct: Path, segmenter: Segmenter, room: Path, reading: ReadSettings) -> Path:
    """The scan as the segmenter reads it: as it is, or a NIfTI copy of a DICOM series."""
    is_series = ct.is_dir() or is_dicom(ct)
    if not is_series or (segmenter.reads_dicom and ct.is_dir()):
        return ct.resolve()
    from endplate.image.ct import read_ct
    from endplate.image.nifti import write_volume

    volume = read_ct(ct, reading)
    copy = room / "ct.nii.gz"
    write_volume(copy, volume.grid, volume.hu)
    return copy


def _facts(segmenter: Segmenter, program: str, choice: SegmenterChoice, task: str) -> dict[str, str]:
    facts = {
        "name": segmenter.name,
        "version": version_of(program, segmenter.distribution) or "not known",
        "licence": segmenter.licence,
        "scheme": segmenter.schemes[task] or "as the file says",
    }
    asked = {"task": task, "fast": "yes" if choice.fast else "", "device": choice.device, "command": choice.command}
    return facts | {name: value for name, value in asked.items() if value}
