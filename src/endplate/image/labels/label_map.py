"""One NIfTI label map: whole numbers, their meaning, and their translation to VerSe numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from endplate.errors import LabelError
from endplate.image.error_text import name_of
from endplate.image.labels.arrangement import SUBREGION_LABELS, guess_scheme
from endplate.image.labels.level_name import level_from_name
from endplate.image.labels.numbering import Scheme
from endplate.image.labels.scheme import scheme_by_name, scheme_from_names
from endplate.image.labels.upright import Standing, standing
from endplate.image.labels.whole import Whole, label_centroids, whole_labels
from endplate.image.limits import DEFAULT, ReadSettings
from endplate.image.nifti.extension import stored_names
from endplate.image.nifti.file import NiftiImage, read_nifti
from endplate.image.resample import SAME_GRID_VOXELS
from endplate.image.series_ref import SeriesRef
from endplate.image.volume import Grid, LabelMap


def labels_from_nifti(path: Path, scheme: str | Path | None = None, settings: ReadSettings = DEFAULT) -> LabelMap:
    """A LabelMap from one NIfTI label map, or from one binary mask whose file name is a level."""
    image = read_nifti(path, settings)
    found = whole_labels(image.values, name_of(path), settings.limits)
    notes = image.notes + found.notes
    level = level_from_name(bare_name(path))
    if level is not None and scheme is None and len(found.present) == 1:
        labels = (found.numbers > 0).astype(np.uint16) * np.uint16(level.verse_id)
        series = SeriesRef(path=str(path), notes=notes)
        return LabelMap(grid=image.grid, labels=labels, scheme="file name", series=series, notes=notes, axes=image.axes)
    chosen = _choose(image, found, scheme, name_of(path))
    labels, more = translate(found.numbers, chosen, found.present, name_of(path))
    series = SeriesRef(path=str(path), notes=notes)
    return LabelMap(
        grid=image.grid, labels=labels, scheme=chosen.name, series=series, notes=notes + more, axes=image.axes
    )


def bare_name(path: Path) -> str:
    """The file's name without .nii or .nii.gz."""
    return path.name.removesuffix(".gz").removesuffix(".nii")


def translate(
    numbers: NDArray[np.uint16], scheme: Scheme, present: list[int], name: str
) -> tuple[NDArray[np.uint16], tuple[str, ...]]:
    """VerSe numbers for the labels of a scheme; structures that are no vertebra become background.

    Raises
    ------
    LabelError : a label that the scheme does not have, or no vertebra at all.
    """
    levels = scheme.levels_of(present)
    unknown = [n for n in present if n not in levels and n not in scheme.others and n not in scheme.levels]
    if unknown and scheme.unlisted == "refused":
        raise LabelError(
            f"{name} has labels that the scheme {scheme.name} does not have: {', '.join(map(str, unknown[:12]))}",
            "a wrong scheme would name the wrong vertebra",
            "give the right one with --scheme, or list them under ignore in a scheme file",
        )
    if not levels:
        raise LabelError(f"{name} holds no vertebra under the scheme {scheme.name}", "", "give the right --scheme")
    table = np.zeros(max(present) + 1, np.uint16)
    for number, level in levels.items():
        table[number] = level.verse_id
    return table[numbers], _left_out([n for n in present if n not in levels], unknown, scheme)


def _left_out(dropped: list[int], unknown: list[int], scheme: Scheme) -> tuple[str, ...]:
    """What is said of labels that were left out; those that a scheme file does not name are listed."""
    listed = len(dropped) - len(unknown)
    notes = (f"{listed} labels of other structures were left out",) if listed else ()
    if not unknown:
        return notes
    names = ", ".join(map(str, unknown[:12])) + (f" and {len(unknown) - 12} more" if len(unknown) > 12 else "")
    return (
        *notes,
        f"labels that the {scheme.name} does not name were left out as other structures: {names}; a vertebra among "
        "them must be added to the file, other structures can be listed there under ignore",
    )


def _choose(image: NiftiImage, found: Whole, scheme: str | Path | None, name: str) -> Scheme:
    if scheme is not None:
        return scheme_by_name(scheme)
    named = scheme_from_names(stored_names(image.label_xml), "names in the file header") if image.label_xml else None
    if named is not None and named.knows(found.present):
        return named
    return guess(found, image.grid, name)


def guess(found: Whole, grid: Grid, name: str) -> Scheme:
    """The numbering that the arrangement and the shape of the labels show.

    Raises
    ------
    LabelError : none fits, several do, or it hangs on an orientation that nothing proves.
    """
    centroids = label_centroids(found)

    def look(labels: list[int]) -> Standing:
        return standing(found.numbers, {label: centroids[label] for label in labels}, grid)

    return guess_scheme(centroids, grid, name, look)


def subregions(image: NiftiImage, grid: Grid, name: str) -> NDArray[np.uint8]:
    """TPTBox sub-region codes 41-50 on the grid of the vertebra map; other codes become background.

    Raises
    ------
    LabelError : another grid, or no such code.
    """
    if not image.grid.matches(grid, same_grid_mm(grid)):
        raise LabelError(f"{name} lies on another grid than the vertebra map", "", "export both on one grid")
    numbers = whole_labels(image.values, name).numbers
    codes = np.where((numbers >= SUBREGION_LABELS[0]) & (numbers <= SUBREGION_LABELS[-1]), numbers, 0).astype(np.uint8)
    if not codes.any():
        raise LabelError(f"{name} holds no TPTBox sub-region code (41-50)", "", "leave it out or give the right file")
    return codes


def same_grid_mm(grid: Grid) -> float:
    """How far the corners of two grids may lie apart that are meant to be one: a tenth of the smallest voxel edge."""
    return float(SAME_GRID_VOXELS) * float(grid.spacing_mm.min())
