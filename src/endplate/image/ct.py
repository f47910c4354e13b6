"""Read a CT, whatever it is stored as."""

from __future__ import annotations

from pathlib import Path

from endplate.errors import ImageError
from endplate.image.error_text import name_of, one_line
from endplate.image.file_type import exists, is_dicom
from endplate.image.gantry_tilt import straighten_volume
from endplate.image.hounsfield import check_hounsfield
from endplate.image.limits import DEFAULT, ReadSettings
from endplate.image.nifti.file import read_nifti
from endplate.image.nifti.sidecar import with_sidecar
from endplate.image.padding import fill_padding
from endplate.image.placed import as_hu
from endplate.image.series_ref import SeriesRef
from endplate.image.volume import Volume


def read_ct(path: Path, settings: ReadSettings = DEFAULT) -> Volume:
    """A CT in Hounsfield units on a grid in closest canonical LPS.

    Parameters
    ----------
    path : a NIfTI file (.nii, .nii.gz), a folder with one DICOM CT series, or one file of such a series.
    settings : what to trust in a header that contradicts itself, and the most that is read.

    Raises
    ------
    ImageError : it cannot be read, is not one CT volume, or its values are not Hounsfield units.
    """
    path = Path(path)
    if not exists(path):
        raise ImageError(f"{path} does not exist", "", "check the path")
    try:
        if path.is_dir() or path.name == "DICOMDIR" or is_dicom(path):
            from endplate.image.dicom.series import read_series

            return read_series(path, settings)
        return _read_nifti_ct(path, settings)
    except OSError as error:  # no permission, a broken disk or network
        raise ImageError(f"{path} cannot be read: {one_line(error)}", "", "check the disk and permissions") from error


def _read_nifti_ct(path: Path, settings: ReadSettings) -> Volume:
    image = read_nifti(path, settings)
    hu = as_hu(image.values)
    notes = image.notes + fill_padding(hu)
    check_hounsfield(hu, image.grid, name_of(path))
    series = with_sidecar(SeriesRef(path=str(path), notes=notes), path)
    return straighten_volume(Volume(grid=image.grid, hu=hu, series=series, axes=image.axes))
