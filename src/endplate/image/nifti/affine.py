"""Where a NIfTI image lies: sform, qform and voxel sizes, which must not contradict one another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.errors import ImageError
from endplate.image.error_text import name_of
from endplate.image.limits import Affine
from endplate.image.orient import LPS_RAS

SAME_SIZE = cited(
    0.01, "1", "header sizes are rounded to a millionth; 1 % of a height is less than its repeatability", "design"
)
SAME_PLACE_VOXELS = cited(0.5, "1", "corners nearer than half a voxel: rounding of quaternions, not a place", "design")
_MM_PER_UNIT = {0: 1.0, 1: 1000.0, 2: 1.0, 3: 0.001}
_SAY = "say which is right with --trust-affine sform, qform or pixdim"


def lps_affine(path: Path, raw: Any, trust: Affine | None) -> tuple[NDArray[np.float64], tuple[str, ...]]:
    """The affine (4, 4) to LPS mm, and what had to be said about it.

    Parameters
    ----------
    path : for messages. raw : nibabel's header as stored.
    trust : which statement to use where they contradict one another; None refuses a contradiction.

    Raises
    ------
    ImageError : no usable sizes, a contradiction, or the trusted statement is missing.
    """
    sizes = np.array([float(v) for v in raw["pixdim"][1:4]])
    sform, qform = _usable_sform(raw), _usable_qform(raw)
    if not (trust == "sform" and sform is not None):
        _check_sizes(path, sizes)
    notes: list[str] = []
    if trust is not None:
        affine = _trusted(path, trust, sform, qform, sizes)
        if any(other is not None and not _agree(affine, other, raw) for other in (sform, qform)):
            notes.append(f"the header contradicts itself; its {trust} is used, as asked")
    elif sform is not None:
        _check_agreement(name_of(path), sform, qform, sizes, raw)
        affine = sform
    elif qform is not None:
        affine = qform
        if int(raw["sform_code"]) > 0:
            notes.append("the sform is unusable; the qform is used")
    else:
        affine = np.asarray(raw.get_base_affine(), float)
        notes.append("the file states no orientation (no sform, no qform): left and right are assumed, not known")
    factor = _MM_PER_UNIT.get(int(raw["xyzt_units"]) & 7)
    if factor is None:
        raise ImageError(f"{name_of(path)} has an unknown unit of length", "", "convert it again, with lengths in mm")
    if factor != 1:
        notes.append(f"lengths converted to mm by {factor:g}")
        affine = np.diag([factor, factor, factor, 1.0]) @ affine
    return LPS_RAS @ affine, tuple(notes)


def is_invertible(affine: NDArray[np.float64]) -> bool:
    """Whether the three axes span space."""
    if not np.isfinite(affine).all():
        return False
    columns = np.linalg.norm(affine[:3, :3], axis=0)
    # Axes closer to one plane than this volume fraction do not span space.
    return bool((columns > 0).all() and abs(np.linalg.det(affine[:3, :3] / columns)) > 1e-2)


def _check_sizes(path: Path, sizes: NDArray[np.float64]) -> None:
    if not np.isfinite(sizes).all() or (sizes <= 0).any():
        raise ImageError(
            f"{name_of(path)} has the voxel size {_by(sizes)}",
            "zero, negative or undefined spacing gives no lengths",
            "convert it again, or give the DICOM series; --trust-affine sform uses the sform alone where it has one",
        )


def _trusted(
    path: Path,
    trust: Affine,
    sform: NDArray[np.float64] | None,
    qform: NDArray[np.float64] | None,
    sizes: NDArray[np.float64],
) -> NDArray[np.float64]:
    """The statement that the user trusts; `pixdim` gives the sizes, with the directions of qform or sform."""
    found = {"sform": sform, "qform": qform, "pixdim": qform if qform is not None else sform}[trust]
    if found is None:
        raise ImageError(f"{name_of(path)} has no usable {trust}", "--trust-affine asks for it", "leave the option out")
    if trust != "pixdim":
        return found
    scaled = found.copy()
    scaled[:3, :3] *= sizes / np.linalg.norm(found[:3, :3], axis=0)
    return scaled


def check_agreement(raw: Any, name: str) -> None:
    """Refuse a NIfTI header whose sform contradicts its voxel sizes or its qform.

    Parameters
    ----------
    raw : nibabel's header. name : what to call the image.

    Raises
    ------
    ImageError : naming both statements.
    """
    sform = _usable_sform(raw)
    if sform is not None:
        _check_agreement(name, sform, _usable_qform(raw), np.array([float(v) for v in raw["pixdim"][1:4]]), raw)


def _check_agreement(
    name: str,
    sform: NDArray[np.float64],
    qform: NDArray[np.float64] | None,
    sizes: NDArray[np.float64],
    raw: Any,
) -> None:
    """Refuse an sform that contradicts the voxel sizes or the qform."""
    stated = np.linalg.norm(sform[:3, :3], axis=0)
    if not np.allclose(stated, sizes, rtol=float(SAME_SIZE)):
        ratio = float(np.max(np.maximum(stated / sizes, sizes / stated)))
        raise ImageError(
            f"{name} contradicts itself: voxels of {_by(stated)} mm by sform, of {_by(sizes)} mm by pixdim",
            f"lengths would differ by up to {100 * (ratio - 1):.0f} %",
            _SAY,
        )
    if qform is not None and not _agree(sform, qform, raw):
        raise ImageError(
            f"{name} contradicts itself: sform and qform place its corners up to "
            f"{_apart(sform, qform, raw):.1f} mm apart ({_axes(sform)} and {_axes(qform)})",
            "left, right, head and foot, or the place of the labels, depend on it",
            _SAY,
        )


def _by(sizes: NDArray[np.float64]) -> str:
    return " x ".join(f"{size:g}" for size in sizes)


def _axes(affine: NDArray[np.float64]) -> str:
    """The directions of growing index, such as `L P S`."""
    letters = (("L", "R"), ("P", "A"), ("I", "S"))
    rows = [int(np.abs(affine[:3, axis]).argmax()) for axis in range(3)]
    return " ".join(letters[row][int(affine[row, axis] > 0)] for axis, row in enumerate(rows))


def _usable_sform(raw: Any) -> NDArray[np.float64] | None:
    if int(raw["sform_code"]) <= 0:
        return None
    with np.errstate(all="ignore"):  # broken numbers are judged below
        affine = np.asarray(raw.get_sform(), float)
    return affine if is_invertible(affine) else None


def _usable_qform(raw: Any) -> NDArray[np.float64] | None:
    if int(raw["qform_code"]) <= 0:
        return None
    try:
        with np.errstate(all="ignore"):
            affine = np.asarray(raw.get_qform(), float)
    except Exception:  # an impossible quaternion or qfac is the same as none
        return None
    return affine if is_invertible(affine) else None


def _apart(a: NDArray[np.float64], b: NDArray[np.float64], raw: Any) -> float:
    """The largest distance between where two affines place a corner, along one axis."""
    corners = np.array([[i, j, k, 1] for i in (0, 1) for j in (0, 1) for k in (0, 1)], float)
    corners[:, :3] *= np.array(raw["dim"][1:4], float) - 1
    return float(np.abs(corners @ (a - b).T).max())


def _agree(a: NDArray[np.float64], b: NDArray[np.float64], raw: Any) -> bool:
    """Whether two affines place the far corners within half a voxel of each other."""
    return _apart(a, b, raw) <= float(SAME_PLACE_VOXELS) * float(np.linalg.norm(a[:3, :3], axis=0).min())
