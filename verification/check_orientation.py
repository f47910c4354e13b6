"""Row 3: every axis order and direction of one scan is the same patient, and left stays left."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
import SimpleITK as sitk  # noqa: N813
from nibabel.orientations import inv_ornt_aff

from endplate.image.ct import read_ct
from endplate.image.labels import read_labels
from endplate.image.resample import match_grids
from endplate.image.volume import LabelMap, Volume
from verification.check import Check
from verification.public_data import data_folder

CT = data_folder() / "verse014/sub-verse014_ct.nii.gz"
LABELS = data_folder() / "verse014/sub-verse014_seg-vert_msk.nii.gz"
SOURCE = "verse014 (VerSe'19, CC BY-SA 4.0)"
MAX_MM = 1e-3


def checks() -> Iterator[Check]:
    """The rows of this area."""
    if not CT.is_file():
        for number, title in (("3.1", _TITLE_SAME), ("3.2", _TITLE_LEFT)):
            yield _row(number, title, "", f"skipped: {CT} is absent", None, "exact")
        return
    volume = read_ct(CT)
    labels = match_grids(volume, read_labels(LABELS))
    same, worst = _all_orders(volume, labels)
    yield _row("3.1", _TITLE_SAME, "48 of 48", f"{same} of 48, grids within {worst:.1e} mm", same == 48, "exact")
    apart = _apart_from_itk(labels)
    expected = f"label centroids as SimpleITK places them, within {MAX_MM} mm"
    yield _row("3.2", _TITLE_LEFT, expected, f"{apart:.1e} mm apart", apart <= MAX_MM, "independent")


_TITLE_SAME = "all 48 axis orders and flips read as the same CT and labels"
_TITLE_LEFT = "left, back and head are where an independent reader puts them"


def _row(number: str, title: str, expected: str, got: str, passed: bool | None, rung: str) -> Check:
    return Check(number=number, title=title, expected=expected, got=got, source=SOURCE, rung=rung, passed=passed)


def _all_orders(volume: Volume, labels: LabelMap) -> tuple[int, float]:
    """How many of the 48 stored forms read back exactly, and how far the grids came apart at the corners, mm."""
    same, worst = 0, 0.0
    images = [nib.load(CT), nib.load(LABELS)]
    with tempfile.TemporaryDirectory() as folder:
        for order, flips in product(permutations(range(3)), product((1, -1), repeat=3)):
            paths = [Path(folder) / "ct.nii", Path(folder) / "labels.nii"]
            for image, path in zip(images, paths, strict=True):
                _save_reordered(image, np.array(list(zip(order, flips, strict=True))), path)
            ct = read_ct(paths[0])
            found = match_grids(ct, read_labels(paths[1]))
            same += np.array_equal(ct.hu, volume.hu) and np.array_equal(found.labels, labels.labels)
            far = np.array(volume.grid.shape) - 1
            worst = max(
                worst, *(float(np.abs(ct.grid.to_mm(p) - volume.grid.to_mm(p)).max()) for p in ((0, 0, 0), far))
            )
    return same, worst


def _save_reordered(image: nib.Nifti1Image, orientation: np.ndarray, path: Path) -> None:
    """Store the same voxels in another axis order, by nibabel's own reorientation."""
    array = nib.apply_orientation(np.asanyarray(image.dataobj), orientation)
    affine = image.affine @ inv_ornt_aff(orientation, image.shape)
    nib.save(nib.Nifti1Image(np.ascontiguousarray(array), affine), path)


def _apart_from_itk(labels: LabelMap) -> float:
    """The largest distance, mm, between our label centroids and SimpleITK's, whose world is LPS by definition."""
    statistics = sitk.LabelShapeStatisticsImageFilter()
    statistics.Execute(sitk.Cast(sitk.ReadImage(str(LABELS)), sitk.sitkUInt16))
    distances = []
    for label in statistics.GetLabels():
        ours = labels.grid.to_mm(np.argwhere(labels.labels == label)).mean(axis=0)
        distances.append(float(np.linalg.norm(ours - np.array(statistics.GetCentroid(label)))))
    return max(distances)
