"""Make vertebra labels with an installed TotalSegmentator, run as a separate process."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path

from endplate.atomic import atomic_path
from endplate.errors import ImageError, LabelError, OptionError
from endplate.image.file_type import exists
from endplate.image.labels.scheme import scheme_by_name

PROGRAM = "TotalSegmentator"
_LAST_LINES = 3


def segment(volume_path: Path, out_dir: Path, progress: Callable[[str], None] | None = None) -> Path:
    """Label the vertebrae of a CT with TotalSegmentator's task `total`.

    Parameters
    ----------
    volume_path : a NIfTI file or DICOM folder.
    out_dir : where `labels.nii.gz` is written, whole or not at all.
    progress : called with each line that the program prints.

    Returns
    -------
    Path of the label map; its header names the labels, so `read_labels` needs no scheme.

    Raises
    ------
    OptionError : TotalSegmentator is not installed.
    LabelError : it failed, or wrote no labels.
    OutputError : `out_dir` cannot be written.
    """
    program = shutil.which(PROGRAM)
    if program is None:
        raise OptionError(
            f"{PROGRAM} is not on the PATH",
            "--segment totalsegmentator runs it as a separate program",
            "install it with: pip install TotalSegmentator (about 2 GB with its weights), or give --labels",
        )
    if not exists(volume_path):
        raise ImageError(f"{volume_path} does not exist", "", "check the path")
    labels = out_dir / "labels.nii.gz"
    with atomic_path(labels) as temporary, tempfile.TemporaryDirectory(dir=out_dir, prefix=".segmenting-") as folder:
        made = Path(folder) / "labels.nii.gz"
        _run(_command(program, volume_path, made), progress or (lambda line: None))
        if not made.is_file():
            raise LabelError(f"{PROGRAM} ended without writing labels", "", "run it by hand to see why")
        made.replace(temporary)
    return labels


def _command(program: str, volume_path: Path, labels: Path) -> list[str]:
    names = [f"vertebrae_{level}" for level in scheme_by_name("totalsegmentator").levels.values()]
    return [
        program, "-i", str(volume_path), "-o", str(labels), "--ml", "--task", "total", "--roi_subset", *names,
    ]  # fmt: skip


def _run(command: list[str], progress: Callable[[str], None]) -> None:
    """Run to the end, passing its lines on; the process never outlives this call."""
    last: deque[str] = deque(maxlen=_LAST_LINES)
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        try:
            for line in process.stdout or ():
                if text := line.strip():
                    last.append(text)
                    progress(text)
        except BaseException:  # an interrupt must not leave a segmentation running
            process.kill()
            raise
    if process.returncode:
        raise LabelError(
            f"{PROGRAM} failed with code {process.returncode}: {' / '.join(last)}", "", "run it by hand to see why"
        )
