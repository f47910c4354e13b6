"""Read vertebra labels, whatever they are stored as."""

from __future__ import annotations

from pathlib import Path

from endplate.errors import LabelError
from endplate.image.error_text import name_of, one_line
from endplate.image.file_type import exists, is_dicom
from endplate.image.gantry_tilt import straighten_labels
from endplate.image.labels.label_folder import read_label_folder
from endplate.image.labels.label_map import labels_from_nifti
from endplate.image.labels.upright import check_upright
from endplate.image.limits import DEFAULT, ReadSettings
from endplate.image.volume import LabelMap


def read_labels(path: Path, scheme: str | Path | None = None, settings: ReadSettings = DEFAULT) -> LabelMap:
    """Vertebra labels on their own grid, in closest canonical LPS, translated to VerSe numbers.

    Parameters
    ----------
    path : a NIfTI label map; a folder of one mask per vertebra (vertebrae_L1.nii.gz, ...); a folder with a vertebra
        map and a TPTBox sub-region map; or a DICOM SEG object.
    scheme : name or file of the numbering (`known_schemes`). Without it the names stored in the file decide, else
        the arrangement of the labels along the spine.
    settings : what to trust in a header that contradicts itself, and the most that is read.

    Raises
    ------
    LabelError : empty, not whole numbers, unknown or ambiguous numbering, or vertebrae that stand on their heads.
    ImageError : a file that cannot be read.
    """
    path = Path(path)
    if not exists(path):
        raise LabelError(f"{path} does not exist", "", "check the path")
    try:
        return check_upright(straighten_labels(_read(path, scheme, settings)), name_of(path))
    except OSError as error:  # no permission, a broken disk or network
        raise LabelError(f"{path} cannot be read: {one_line(error)}", "", "check the disk and permissions") from error


def _read(path: Path, scheme: str | Path | None, settings: ReadSettings) -> LabelMap:
    if path.is_dir():
        return read_label_folder(path, scheme, settings)
    if is_dicom(path):
        from endplate.image.labels.dicom_seg import read_dicom_seg

        return read_dicom_seg(path, settings)
    return labels_from_nifti(path, scheme, settings)
