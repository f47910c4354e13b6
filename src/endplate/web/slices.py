"""Slices of a scan as pictures, from arrays that a job left: for browsers without WebGL."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.report.view.crop import CT_ARRAY, LABEL_ARRAY
from endplate.web.access import RefusedError

AXES = ("sagittal", "coronal", "axial")
"""Axis of the array that a slice is across."""
WINDOWS = {"bone": (-450.0, 1050.0), "soft": (-160.0, 240.0)}
"""Display ranges, HU, black to white: the usual bone (C 300, W 1500) and soft tissue (C 40, W 400) windows."""
TINTS = np.array([[230, 126, 34], [52, 152, 219], [46, 204, 113], [241, 196, 15], [155, 89, 182]], float)
OPACITY = 0.28


def slice_png(folder: Path, axis: str, index: int, window: str, *, labels: bool) -> bytes:
    """A slice, the patient's right at the left of the picture, the front at the top or at the left.

    Raises
    ------
    RefusedError : an axis, a window or a slice that there is not.
    """
    if axis not in AXES or window not in WINDOWS:
        raise RefusedError(404, f"no {axis} slice in a {window} window", "", "use the controls of the page")
    across = AXES.index(axis)
    label_slice = _cut(folder / LABEL_ARRAY, across, index)
    if label_slice is None:
        raise RefusedError(404, f"there is no {axis} slice {index}", "", "use the controls of the page")
    hu = _cut(folder / CT_ARRAY, across, index)
    low, high = WINDOWS[window]
    grey = np.zeros(label_slice.shape) if hu is None else np.clip((hu - low) / (high - low), 0, 1) * 255
    rgb = np.repeat(grey[..., None], 3, axis=2)
    if labels or hu is None:
        inside = label_slice > 0
        rgb[inside] = (1 - OPACITY) * rgb[inside] + OPACITY * TINTS[label_slice[inside] % len(TINTS)]
    # Arrays run to the left, the back and the head; pictures run to the right and down.
    shown = rgb.transpose(1, 0, 2)
    if axis != "axial":
        shown = shown[::-1]
    return _png(shown.astype(np.uint8))


def _cut(path: Path, axis: int, index: int) -> NDArray[Any] | None:
    """One slice of a stored array; only its part of the file is read."""
    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except OSError:
        return None
    return np.asarray(np.take(array, index, axis=axis)) if 0 <= index < array.shape[axis] else None


def _png(rgb: NDArray[np.uint8]) -> bytes:
    from PIL import Image

    stream = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(rgb)).save(stream, "PNG", compress_level=1)
    return stream.getvalue()
