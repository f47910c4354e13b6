"""Rows 4 and 5 of the acceptance table: body and arch against labels made by others; a narrow real field."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from endplate.anatomy.locate import locate_vertebrae
from endplate.anatomy.vertebra import Vertebra
from endplate.image.ct import read_ct
from endplate.image.labels import read_labels
from endplate.image.nifti import read_nifti
from endplate.image.volume import Grid, LabelMap
from endplate.level import Level
from verification.check import Check
from verification.public_data import data_folder

LOWEST_DICE = 0.94
NARROW_LEVELS = ["L1", "L2", "L3", "L4", "L5"]


def checks() -> Iterator[Check]:
    """Measure rows 4 and 5 (the fracture part of row 5 is in check_fracture)."""
    data = data_folder()
    yield _subregions(data / "tptbox-l3")
    yield _finite_element_labels(data / "verse004-l2-fe")
    yield _narrow_field(data / "verse014")


def _row(number: str, title: str, expected: str, got: str, source: str, passed: bool | None) -> Check:
    return Check(
        number=number, title=title, expected=expected, got=got, source=source, rung="independent", passed=passed
    )


def _dice(first: np.ndarray, second: np.ndarray) -> float:
    return float(2 * (first & second).sum() / (first.sum() + second.sum()))


def _on_scan(mask: np.ndarray, vertebra: Vertebra, scan: Grid) -> np.ndarray:
    start = np.rint(scan.to_index(vertebra.grid.to_mm([0, 0, 0]))).astype(int)
    whole = np.zeros(scan.shape, bool)
    whole[tuple(slice(a, a + n) for a, n in zip(start, mask.shape, strict=True))] = mask
    return whole


def _split_row(title: str, source: str, vertebra: Vertebra, scan: Grid, body: np.ndarray, arch: np.ndarray) -> Check:
    found = (
        _dice(_on_scan(vertebra.body, vertebra, scan), body),
        _dice(_on_scan(vertebra.arch, vertebra, scan), arch),
    )
    got = f"body {found[0]:.4f}, arch {found[1]:.4f}"
    return _row("4", title, f"Dice >= {LOWEST_DICE}", got, source, min(found) >= LOWEST_DICE)


def _subregions(folder: Path) -> Check:
    title, source = "body / arch split, tptbox-l3 sub-regions", "TPTBox test data"
    if not folder.is_dir():
        return _row("4", title, f"Dice >= {LOWEST_DICE}", f"skipped: {folder} is absent", source, None)
    labels = read_labels(folder / "sub-ct_seg-vert_label-22_msk.nii.gz", "verse")
    regions = read_nifti(folder / "sub-ct_seg-subreg_label-22_msk.nii.gz").values
    mine = labels.labels == Level.L3.verse_id
    vertebra = locate_vertebrae(labels).at(Level.L3)
    if vertebra is None:
        return _row("4", title, f"Dice >= {LOWEST_DICE}", "L3 was not found", source, False)
    return _split_row(
        title, source, vertebra, labels.grid, mine & (regions >= 49), mine & (regions > 0) & (regions < 49)
    )


def _finite_element_labels(folder: Path) -> Check:
    title, source = "body / arch split, verse004-l2-fe labels", "Walle 2025"
    if not folder.is_dir():
        return _row("4", title, f"Dice >= {LOWEST_DICE}", f"skipped: {folder} is absent", source, None)
    image = read_nifti(folder / "sub-verse004_0000_vertebra_21_seg.nii.gz")
    # Front and back are exchanged in this file's header (see the data's README).
    codes = image.values[:, ::-1].astype(int)
    whole = np.isin(codes, (1, 2, 3, 4)) * Level.L2.verse_id
    labels = LabelMap(grid=image.grid, labels=whole.astype(np.uint16), scheme="verse")
    vertebra = locate_vertebrae(labels).at(Level.L2)
    if vertebra is None:
        return _row("4", title, f"Dice >= {LOWEST_DICE}", "L2 was not found", source, False)
    return _split_row(title, source, vertebra, image.grid, np.isin(codes, (1, 2)), np.isin(codes, (3, 4)))


def _narrow_field(folder: Path) -> Check:
    title, source = "verse014: five levels, processes cut, nothing invented", "VerSe'19, verse014"
    expected = "L1-L5, arches cut and bodies whole, both endplates, no level distrusted"
    if not folder.is_dir():
        return _row("5", title, expected, f"skipped: {folder} is absent", source, None)
    labels = read_labels(folder / "sub-verse014_seg-vert_msk.nii.gz", "verse")
    spine = locate_vertebrae(labels, read_ct(folder / "sub-verse014_ct.nii.gz"))
    levels = [str(vertebra.level) for vertebra in spine.vertebrae]
    arches = sum(vertebra.cut_arch for vertebra in spine.vertebrae)
    bodies = sum(vertebra.cut_by_field for vertebra in spine.vertebrae)
    plates = sum((v.superior is not None) + (v.inferior is not None) for v in spine.vertebrae)
    got = (
        f"{levels[0]}-{levels[-1]} ({len(levels)}), {arches} arches cut, {bodies} bodies cut, "
        f"{plates} endplates, {len(spine.distrusted)} distrusted"
    )
    passed = levels == NARROW_LEVELS and arches == 5 and bodies == 0 and plates == 10 and not spine.distrusted
    return _row("5", title, expected, got, source, passed)
