"""Arrays with a place in the patient, from memory: brought to the axis order closest to LPS, and handed back.

nibabel counts millimetres in RAS (right, anterior, superior positive), SimpleITK and DICOM in LPS. The flip between
the two happens here for images in memory, as in `nifti.file` for files.
"""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from endplate.cited import cited
from endplate.errors import ImageError, OptionError
from endplate.image.orient import LPS_RAS, StoredAxes, closest_lps, stored_axes

Frame = Literal["LPS", "RAS"]
"""The world frame of an affine: which directions are positive."""

MIN_MM = cited(0.02, "mm", "micro-CT has the smallest voxels of any scan of bone", "design")
MAX_MM = cited(20.0, "mm", "four times the thickest clinical slices", "design")
MIN_VOLUME = cited(0.01, "1", "axes closer to one plane than this volume fraction do not span space", "design")
_MM = {"mm": 1.0, "unknown": 1.0, "meter": 1000.0, "micron": 0.001}


class Placed(NamedTuple):
    """Voxels (I, J, K) in the axis order closest to LPS, the affine (4, 4) to LPS mm, and the axes as they were."""

    values: NDArray[Any]
    affine: NDArray[np.float64]
    axes: StoredAxes


def place_array(values: ArrayLike, affine: ArrayLike | None, frame: Frame | None) -> Placed:
    """An array with an affine.

    Parameters
    ----------
    values : (I, J, K) numbers, in the order of the affine's columns.
    affine : (4, 4) from index to mm at voxel centres.
    frame : "RAS" as nibabel has it, "LPS" as SimpleITK and DICOM have it; a wrong one would exchange left and right.

    Raises
    ------
    OptionError : no affine or no frame was given.
    ImageError : not three-dimensional, or an affine that no scan has.
    """
    if affine is None:
        raise OptionError("an array without affine=", "its voxels have no place in the patient", _HOW)
    if frame not in ("LPS", "RAS"):
        raise OptionError(f"an affine with frame={frame!r}", "a wrong frame exchanges left and right", _HOW)
    matrix = np.asarray(affine, dtype=np.float64)
    array = np.asarray(values)
    _check(array, matrix)
    to_lps = matrix if frame == "LPS" else LPS_RAS @ matrix
    return Placed(*closest_lps(array, to_lps), stored_axes(to_lps))


_HOW = 'give affine= (4 x 4, index to mm) and frame="RAS" (nibabel) or frame="LPS" (SimpleITK, DICOM)'


def place_nibabel(image: Any) -> Placed:
    """A nibabel image of one volume; its affine is RAS.

    Raises
    ------
    ImageError : not three-dimensional, an affine that no scan has, or a header that contradicts itself.
    """
    from nibabel import Nifti1Header

    from endplate.image.nifti.affine import check_agreement

    if isinstance(image.header, Nifti1Header):
        check_agreement(image.header, "the nibabel image")
    units = getattr(image.header, "get_xyzt_units", lambda: ("mm", ""))()[0]
    scale = np.diag([_MM.get(units, 1.0)] * 3 + [1.0])
    values = np.asanyarray(image.dataobj)
    while values.ndim > 3 and values.shape[-1] == 1:
        values = values[..., 0]
    return place_array(values, scale @ image.affine, "RAS")


def place_sitk(image: Any) -> Placed:
    """A SimpleITK image of one volume; its frame is LPS.

    Raises
    ------
    ImageError : not three-dimensional, or several numbers in a voxel.
    """
    import SimpleITK as sitk  # noqa: N813

    if image.GetDimension() != 3 or image.GetNumberOfComponentsPerPixel() != 1:
        raise ImageError(
            f"a SimpleITK image of {image.GetDimension()} dimensions with {image.GetNumberOfComponentsPerPixel()} "
            "numbers in a voxel",
            "one three-dimensional volume is needed",
            "extract a single volume from it",
        )
    return place_array(sitk.GetArrayFromImage(image).T, sitk_affine(image), "LPS")


def sitk_affine(image: Any) -> NDArray[np.float64]:
    """The affine (4, 4) of a SimpleITK image of three dimensions, index to LPS mm."""
    affine = np.eye(4)
    affine[:3, :3] = np.array(image.GetDirection()).reshape(3, 3) * np.array(image.GetSpacing())
    affine[:3, 3] = image.GetOrigin()
    return affine


def nibabel_image(values: NDArray[Any], affine: NDArray[np.float64]) -> Any:
    """A nibabel image (NIfTI-1) of voxels (I, J, K) with an affine in LPS mm; its own affine is RAS."""
    import nibabel

    image = nibabel.Nifti1Image(np.array(values), LPS_RAS @ affine)
    image.header.set_xyzt_units("mm")
    return image


def sitk_image(values: NDArray[Any], affine: NDArray[np.float64]) -> Any:
    """A SimpleITK image of voxels (I, J, K) with an affine in LPS mm.

    Raises
    ------
    ImageError : the axes are not at right angles, as SimpleITK has none; or it is not installed.
    """
    try:
        import SimpleITK as sitk  # noqa: N813
    except ImportError as error:
        raise ImageError("SimpleITK is not installed", "its images are made by it", "pip install SimpleITK") from error

    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    direction = affine[:3, :3] / spacing
    if np.abs(direction.T @ direction - np.eye(3)).max() > 1e-4:
        raise ImageError("a sheared grid", "SimpleITK images have right angles", "resample it, or use to_nibabel()")
    image = sitk.GetImageFromArray(np.ascontiguousarray(np.asarray(values).T))
    image.SetSpacing(spacing.tolist())
    image.SetDirection(direction.ravel().tolist())
    image.SetOrigin(affine[:3, 3].tolist())
    return image


def as_hu(values: NDArray[Any]) -> NDArray[Any]:
    """int16 where the whole numbers fit, else float32: the two types that later stages are compiled for."""
    if values.dtype.kind == "f":
        return values.astype(np.float32, copy=False)
    limits = np.iinfo(np.int16)
    fits = values.min() >= limits.min and values.max() <= limits.max
    return values.astype(np.int16 if fits else np.float32, copy=False)


def _check(values: NDArray[Any], affine: NDArray[np.float64]) -> None:
    if values.ndim != 3 or min(values.shape) < 2:
        raise ImageError(
            f"an array of shape {values.shape}", "one three-dimensional volume is needed", "give (I, J, K)"
        )
    if values.dtype.kind not in "biuf":
        raise ImageError(f"an array of {values.dtype}", "voxels are whole or decimal numbers", "convert it")
    if affine.shape != (4, 4) or not np.isfinite(affine).all() or not np.allclose(affine[3], (0, 0, 0, 1)):
        raise ImageError(f"an affine of shape {affine.shape}", "it takes an index to mm", "give 4 x 4 finite numbers")
    spacing = np.linalg.norm(affine[:3, :3], axis=0)
    edges = " x ".join(f"{edge:g}" for edge in spacing)
    spans = (spacing > 0).all() and abs(np.linalg.det(affine[:3, :3] / np.where(spacing > 0, spacing, 1)))
    if (spacing < MIN_MM).any() or (spacing > MAX_MM).any() or spans < MIN_VOLUME:
        raise ImageError(f"an affine with voxels of {edges} mm", "no spine CT has such voxels", "check the affine")
