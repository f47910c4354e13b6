"""One NIfTI label map: whole numbers, their meaning, and their translation to VerSe numbers."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.errors import LabelError
from endplate.image.labels.arrangement import SUBREGION_LABELS, guess_scheme
from endplate.image.labels.level_name import level_from_name
from endplate.image.labels.scheme import Scheme, scheme_by_name, scheme_from_names
from endplate.image.nifti.file import NiftiImage, read_nifti
from endplate.image.volume import Grid, LabelMap, SeriesRef

MAX_LABEL = 2**16 - 1
_TABLE_NAMES_MAX = 1000


def labels_from_nifti(path: Path, scheme: str | Path | None = None) -> LabelMap:
    """A LabelMap from one NIfTI label map, or from one binary mask whose file name is a level."""
    image = read_nifti(path)
    numbers = whole_labels(image.values, path.name)
    series = SeriesRef(path=str(path), notes=image.notes)
    level = level_from_name(bare_name(path))
    centroids = label_centroids(numbers)
    if level is not None and scheme is None and len(centroids) == 1:
        labels = (numbers > 0).astype(np.uint16) * np.uint16(level.verse_id)
        return LabelMap(grid=image.grid, labels=labels, scheme="file name", series=series, notes=image.notes)
    chosen = _choose(image, centroids, scheme, path.name)
    labels, notes = translate(numbers, chosen, sorted(centroids), path.name)
    return LabelMap(grid=image.grid, labels=labels, scheme=chosen.name, series=series, notes=image.notes + notes)


def bare_name(path: Path) -> str:
    """The file's name without .nii or .nii.gz."""
    return path.name.removesuffix(".gz").removesuffix(".nii")


def whole_labels(values: NDArray[Any], name: str) -> NDArray[np.uint16]:
    """Labels as uint16, or a LabelError that says why they are none: empty, NaN, fractions, negative, too large."""
    if values.dtype.kind == "f":
        if not np.isfinite(values).all():
            raise LabelError(f"{name} has labels that are NaN or infinite", "", "write whole numbers, 0 for background")
        if (values != np.rint(values)).any():
            raise LabelError(
                f"{name} has labels that are not whole numbers",
                "it is a probability map, or was resampled with interpolation",
                "resample labels with nearest neighbour",
            )
    if values.min() < 0 or values.max() > MAX_LABEL:
        raise LabelError(
            f"{name} has values from {values.min():g} to {values.max():g}",
            "these are no labels",
            "was the CT given twice?",
        )
    if values.max() == 0:
        raise LabelError(f"{name} is empty", "no voxel has a label", "give the map with the vertebrae")
    return values.astype(np.uint16, copy=False)


def label_centroids(numbers: NDArray[np.uint16]) -> dict[int, NDArray[np.float64]]:
    """Each label's centroid as a fractional index (3,)."""
    boxes = ndimage.find_objects(numbers)
    centroids = {}
    for label, box in enumerate(boxes, start=1):
        if box is not None:
            start = np.array([edge.start for edge in box], float)
            inside = np.argwhere(numbers[box] == label)
            centroids[label] = start + inside.mean(axis=0)
    return centroids


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
    if unknown:
        raise LabelError(
            f"{name} has labels that the scheme {scheme.name} does not have: {', '.join(map(str, unknown[:12]))}",
            "a wrong scheme would name the wrong vertebra",
            "give the right one with --scheme",
        )
    if not levels:
        raise LabelError(f"{name} holds no vertebra under the scheme {scheme.name}", "", "give the right --scheme")
    table = np.zeros(max(present) + 1, np.uint16)
    for number, level in levels.items():
        table[number] = level.verse_id
    dropped = [n for n in present if n not in levels]
    notes = (f"{len(dropped)} labels of other structures were left out",) if dropped else ()
    return table[numbers], notes


def _choose(
    image: NiftiImage, centroids: dict[int, NDArray[np.float64]], scheme: str | Path | None, name: str
) -> Scheme:
    if scheme is not None:
        return scheme_by_name(scheme)
    named = scheme_from_names(stored_names(image.label_xml), "names in the file header") if image.label_xml else None
    if named is not None and named.knows(sorted(centroids)):
        return named
    return guess_scheme(centroids, image.grid, name)


def stored_names(xml: str | None) -> dict[int, str]:
    """Label to name from the XML table in a NIfTI header extension; {} where it is not such a table."""
    if not xml or "<!DOCTYPE" in xml or "<!ENTITY" in xml:
        return {}
    try:
        root = ET.fromstring(xml[xml.index("<") : xml.rindex(">") + 1])
    except (ET.ParseError, ValueError):
        return {}
    names = {}
    for element in list(root.iter("Label"))[:_TABLE_NAMES_MAX]:
        key = (element.get("Key") or "").strip()
        if key.isdigit() and element.text and 0 < int(key) <= MAX_LABEL:
            names[int(key)] = element.text.strip()
    return names


def subregions(image: NiftiImage, grid: Grid, name: str) -> NDArray[np.uint8]:
    """TPTBox sub-region codes 41-50 on the grid of the vertebra map; other codes become background.

    Raises
    ------
    LabelError : another grid, or no such code.
    """
    if not image.grid.matches(grid):
        raise LabelError(f"{name} lies on another grid than the vertebra map", "", "export both on one grid")
    numbers = whole_labels(image.values, name)
    codes = np.where((numbers >= SUBREGION_LABELS[0]) & (numbers <= SUBREGION_LABELS[-1]), numbers, 0).astype(np.uint8)
    if not codes.any():
        raise LabelError(f"{name} holds no TPTBox sub-region code (41-50)", "", "leave it out or give the right file")
    return codes
