"""Stack DICOM images into one volume's geometry, or say by name why they are no volume."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from endplate.cited import cited
from endplate.errors import ImageError
from endplate.image.dicom.header import Found, ImagePlane
from endplate.image.error_text import name_of

SAME_DIRECTION = 1e-3  # orientation cosines are stored with few digits
SAME_PLACE_MM = cited(
    0.01, "mm", "positions are stored to about a micrometre; the thinnest slices are 0.1 mm", "design"
)
EVEN_FRACTION = cited(0.05, "1", "of the slice distance: an image farther from its place distorts by as much", "design")
EVEN_MM = cited(
    0.08, "mm", "positions rounded to 0.1 mm lie up to 0.05 mm off, and the line through them as well", "design"
)
MISSING_GAP = cited(1.5, "1", "of the usual slice distance: at least one image is missing", "design")
FEW_ODD_IMAGES = 3  # scouts and key images stored within a series; more is a second volume


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Stack:
    """Images in order, the affine (4, 4) from (column, row, slice) to LPS mm, and what was left out."""

    planes: list[ImagePlane]
    affine: NDArray[np.float64]
    notes: tuple[str, ...]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Columns, rows, slices."""
        rows, columns = self.planes[0].shape
        return columns, rows, len(self.planes)


SamePixels = Callable[[ImagePlane, ImagePlane], bool]
"""Whether two images hold the same values."""


def _never(one: ImagePlane, other: ImagePlane) -> bool:
    return False


def stack_images(found: Found, path: Path, same_pixels: SamePixels = _never) -> Stack:
    """The one CT volume among the images found.

    Parameters
    ----------
    found : the images. path : for messages.
    same_pixels : compares two images at one place whose UIDs differ; without it they are taken as different.

    Raises
    ------
    ImageError : no CT images, several series, mixed images, duplicates that differ, missing or uneven slices.
    """
    notes: list[str] = []
    planes = [plane for plane in found.planes if not plane.localizer]
    if len(planes) < len(found.planes):
        notes.append(f"{len(found.planes) - len(planes)} localizer images were left out")
    if not planes:
        raise _no_images(found, path)
    _one_series(planes)
    _one_patient(planes)
    planes = _one_geometry(planes, notes)
    planes = _without_duplicates(sorted(planes, key=lambda plane: plane.depth_mm), notes, same_pixels)
    if len(planes) < 2:
        raise ImageError(f"{path} holds a single CT image", "a volume is needed", "give the whole series")
    return Stack(planes=planes, affine=_affine(planes), notes=tuple(notes))


def _no_images(found: Found, path: Path) -> ImageError:
    seen = ", ".join(f"{count} {kind}" for kind, count in sorted(found.others.items()))
    if found.others.get("MR"):
        return ImageError(f"{path} holds MR images, not CT", "MRI has no Hounsfield units", "give the CT series")
    if found.planes:
        return ImageError(f"{path} holds only localizer images", "", "give the folder of the CT series")
    fix = "give the folder of the CT series, or a NIfTI file itself"
    return ImageError(f"{path} holds no CT images ({seen or 'it is empty'})", "", fix)


def _one_patient(planes: list[ImagePlane]) -> None:
    """Images of a series that name several patients were mixed up; absent names say nothing."""
    named = {plane.facts["PatientID"]: plane for plane in planes if "PatientID" in plane.facts}
    if len(named) > 1:
        files = ", ".join(name_of(plane.path) for plane in list(named.values())[:6])
        raise ImageError(
            f"the images of this series name {len(named)} different patients ({files})",
            "images of two patients must not be measured as one",
            "export the series again from the archive",
        )


def _one_series(planes: list[ImagePlane]) -> None:
    series: dict[str, list[ImagePlane]] = {}
    for plane in planes:
        series.setdefault(plane.series_uid, []).append(plane)
    if len(series) > 1:
        text = "; ".join(
            f"{_named(members[0])} ({len(members)} images, {name_of(members[0].path)})"
            for members in list(series.values())[:6]
        )
        raise ImageError(
            f"{len(series)} CT series lie in one folder: {text}",
            "only one can be assessed",
            "give one file of the wanted one",
        )


def _named(plane: ImagePlane) -> str:
    """The series' description on one line."""
    return plane.facts.get("SeriesDescription", "no description")


def _one_geometry(planes: list[ImagePlane], notes: list[str]) -> list[ImagePlane]:
    """The images that share size and direction; a few odd ones are left out with a note."""
    groups: list[list[ImagePlane]] = []
    for plane in planes:
        for group in groups:
            if _alike(plane, group[0]):
                group.append(plane)
                break
        else:
            groups.append([plane])
    groups.sort(key=len, reverse=True)
    odd = sum(len(group) for group in groups[1:])
    if odd > FEW_ODD_IMAGES or (odd and odd >= len(groups[0])):
        raise ImageError(
            f"the series mixes {len(groups)} kinds of images ({', '.join(str(len(g)) for g in groups[:6])} of each)",
            "they differ in size, spacing or direction and are no single volume",
            "export the axial images alone",
        )
    if odd:
        notes.append(f"{odd} images of another size or direction were left out")
    return groups[0]


def _alike(a: ImagePlane, b: ImagePlane) -> bool:
    return (
        a.shape == b.shape
        and np.allclose(a.spacing_mm, b.spacing_mm, rtol=SAME_DIRECTION)
        and np.allclose(a.row, b.row, atol=SAME_DIRECTION)
        and np.allclose(a.column, b.column, atol=SAME_DIRECTION)
    )


def _without_duplicates(planes: list[ImagePlane], notes: list[str], same_pixels: SamePixels) -> list[ImagePlane]:
    """One image per place: copies are dropped, also those under new UIDs; different images at one place are refused."""
    kept = [planes[0]]
    copies = 0
    for plane in planes[1:]:
        if plane.depth_mm - kept[-1].depth_mm > SAME_PLACE_MM:
            kept.append(plane)
        elif _same_object(plane, kept[-1]):
            continue
        elif _same_place(plane, kept[-1]) and same_pixels(plane, kept[-1]):
            copies += 1
        else:
            raise ImageError(
                f"two different images lie at the same place: {name_of(kept[-1].path)} and {name_of(plane.path)}",
                "the series holds several acquisitions or phases",
                "export one of them alone",
            )
    if len(kept) < len(planes):
        again = f", {copies} of them the same image under another UID" if copies else ""
        notes.append(f"{len(planes) - len(kept)} duplicate images were left out{again}")
    return kept


def _same_place(a: ImagePlane, b: ImagePlane) -> bool:
    """Whether two images share position and rescale to HU."""
    near = bool(np.abs(a.position_mm - b.position_mm).max() <= float(SAME_PLACE_MM))
    return near and (a.slope, a.intercept, a.padding) == (b.slope, b.intercept, b.padding)


def _same_object(a: ImagePlane, b: ImagePlane) -> bool:
    uids = [plane.facts.get("SOPInstanceUID", str(plane.path)) for plane in (a, b)]
    return uids[0] == uids[1] and a.frame == b.frame


def _affine(planes: list[ImagePlane]) -> NDArray[np.float64]:
    """Index (column, row, slice) to LPS mm; a tilted gantry shows as a slice axis that is not normal to the images."""
    depths = np.array([plane.depth_mm for plane in planes])
    _check_gaps(planes, np.diff(depths))
    positions = np.array([plane.position_mm for plane in planes])
    number = np.arange(len(planes), dtype=float)
    step, start = np.polyfit(number, positions, 1)
    off = positions - start - np.outer(number, step)
    along = off @ planes[0].normal
    _check_even(planes, along, float(np.linalg.norm(step)))
    across = float(np.abs(off - np.outer(along, planes[0].normal)).max())
    if across > _tolerance_mm(step) + min(planes[0].spacing_mm) / 2:
        raise ImageError(
            f"the images do not lie on a line (up to {across:.2f} mm off)",
            "they are no single volume",
            "export one volume",
        )
    affine = np.eye(4)
    affine[:3, 0] = planes[0].row * planes[0].spacing_mm[0]
    affine[:3, 1] = planes[0].column * planes[0].spacing_mm[1]
    affine[:3, 2] = step
    affine[:3, 3] = start
    return affine


def _tolerance_mm(step: NDArray[np.float64]) -> float:
    return max(float(EVEN_MM), float(EVEN_FRACTION) * float(np.linalg.norm(step)))


def _check_gaps(planes: list[ImagePlane], gaps_mm: NDArray[np.float64]) -> None:
    """Refuse missing images."""
    usual = float(np.median(gaps_mm))
    wide = np.flatnonzero(gaps_mm > MISSING_GAP * usual)
    if wide.size:
        at = int(wide[0])
        raise ImageError(
            f"{wide.size} gaps in the series, the first of {gaps_mm[at]:.2f} mm after {name_of(planes[at].path)}"
            f" where slices are {usual:.2f} mm apart",
            "slices are missing, or their positions were rounded",
            "export the complete series",
        )


def _check_even(planes: list[ImagePlane], off_mm: NDArray[np.float64], step_mm: float) -> None:
    """Refuse images that lie beside their place on the line through all: rounding does not add up, unevenness does."""
    worst = int(np.abs(off_mm).argmax())
    if abs(off_mm[worst]) > max(float(EVEN_MM), float(EVEN_FRACTION) * step_mm):
        raise ImageError(
            f"the slices are not evenly spaced: {name_of(planes[worst].path)} lies {abs(off_mm[worst]):.2f} mm beside "
            f"its place, where slices are {step_mm:.2f} mm apart",
            "lengths along the spine would be wrong",
            "export slices of one distance",
        )
