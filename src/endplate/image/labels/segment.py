"""Make vertebra labels with an installed TotalSegmentator: the short form of `segmenter.run_segmenter`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from endplate.image.labels.segmenter import SegmenterChoice, run_segmenter


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
    return run_segmenter(SegmenterChoice(name="totalsegmentator"), volume_path, out_dir, progress).path
