"""Read a CT, whatever it is stored as."""

from __future__ import annotations

from pathlib import Path

from endplate.errors import ImageError
from endplate.image.dicom.series import read_series
from endplate.image.error_text import one_line
from endplate.image.file_type import is_dicom
from endplate.image.gantry_tilt import straighten_volume
from endplate.image.hounsfield import check_hounsfield
from endplate.image.nifti.file import read_nifti
from endplate.image.nifti.sidecar import with_sidecar
from endplate.image.placed import as_hu
from endplate.image.volume import SeriesRef, Volume


def read_ct(path: Path) -> Volume:
    """A CT in Hounsfield units on a grid in closest canonical LPS.

    Parameters
    ----------
    path : a NIfTI file (.nii, .nii.gz), a folder with one DICOM CT series, or one file of such a series.

    Raises
    ------
    ImageError : it cannot be read, is not one CT volume, or its values are not Hounsfield units.
    """
    path = Path(path)
    if not path.exists():
        raise ImageError(f"{path} does not exist", "", "check the path")
    try:
        return read_series(path) if path.is_dir() or is_dicom(path) else _read_nifti_ct(path)
    except OSError as error:  # no permission, a broken disk or network
        raise ImageError(f"{path} cannot be read: {one_line(error)}", "", "check the disk and permissions") from error


def _read_nifti_ct(path: Path) -> Volume:
    image = read_nifti(path)
    check_hounsfield(image.values, image.grid, path.name)
    series = with_sidecar(SeriesRef(path=str(path), notes=image.notes), path)
    return straighten_volume(Volume(grid=image.grid, hu=as_hu(image.values), series=series))
