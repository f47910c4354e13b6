"""Row 3, to the end: every axis order and direction of one scan gives the same findings on the same side."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from itertools import permutations, product
from pathlib import Path

import nibabel as nib
import numpy as np
from nibabel.orientations import inv_ornt_aff

from endplate.case.assess import AssessSettings, assess
from endplate.case.model import Case
from endplate.case.read import read_case
from endplate.image.nifti import write_labels, write_volume
from endplate.image.phantom import Deformity, Phantom, PhantomSpec, make_phantom
from endplate.level import Level
from verification.check import Check

MAX = 1e-3
SPEC = PhantomSpec(
    levels=(Level.T12, Level.L1, Level.L2),
    spacing_mm=(2.0, 1.5, 2.0),
    field_mm=(90.0, 110.0),
    deformities={Level.L1: Deformity(shape="wedge", loss=0.3)},
    tilt_deg=(6.0, 5.0, -4.0),
    seed=4711,
)


def checks() -> Iterator[Check]:
    """One row."""
    phantom = make_phantom(SPEC)
    with tempfile.TemporaryDirectory() as folder:
        paths = written(phantom, Path(folder))
        first = assessed(paths)
        worst, same, sides = 0.0, 0, 0
        for order, flips in product(permutations(range(3)), product((1, -1), repeat=3)):
            stored = np.array(list(zip(order, flips, strict=True)))
            case = assessed([reordered(path, stored, Path(folder)) for path in paths])
            apart = furthest(first, case)
            worst, same = max(worst, apart), same + (apart <= MAX)
            sides += on_its_side(case, phantom)
    yield Check(
        number="3.3",
        title="all 48 axis orders and flips give the same findings; left pedicles stay left",
        expected=f"48 of 48 within {MAX:g} of a unit; 48 of 48 on their side",
        got=f"{same} of 48, furthest {worst:.1e}; {sides} of 48 on their side",
        source="digital spine T12-L2, oblique, 2 x 1.5 x 2 mm: its truth",
        rung="exact",
        passed=same == 48 and sides == 48,
    )


def written(phantom: Phantom, folder: Path) -> list[Path]:
    """CT and labels as NIfTI files."""
    paths = [folder / "ct.nii", folder / "labels.nii"]
    write_volume(paths[0], phantom.volume.grid, phantom.volume.hu)
    write_labels(paths[1], phantom.labels)
    return paths


def reordered(path: Path, orientation: np.ndarray, folder: Path) -> Path:
    """The same voxels stored in another axis order, by nibabel's own reorientation."""
    image = nib.load(path)
    array = nib.apply_orientation(np.asanyarray(image.dataobj), orientation)
    affine = image.affine @ inv_ornt_aff(orientation, image.shape)
    out = folder / f"turned_{path.name}"
    nib.save(nib.Nifti1Image(np.ascontiguousarray(array), affine), out)
    return out


def assessed(paths: list[Path]) -> Case:
    """CT and labels read and measured, without mechanics."""
    return assess(read_case(paths[0], paths[1], scheme="verse"), AssessSettings(mechanics=False))


def furthest(one: Case, other: Case) -> float:
    """Largest difference of any two findings of the same code and level; infinite where texts or codes differ."""
    if [(f.code, f.level) for f in one.findings] != [(f.code, f.level) for f in other.findings]:
        return np.inf
    apart = 0.0
    for a, b in zip(one.findings, other.findings, strict=True):
        if isinstance(a.value, str) or isinstance(b.value, str):
            apart = max(apart, 0.0 if a.value == b.value else np.inf)
        else:
            apart = max(apart, abs(float(a.value) - float(b.value)))
    return apart


def on_its_side(case: Case, phantom: Phantom) -> bool:
    """Whether every pedicle found lies nearer to the true pedicle of its own side than to the other's."""
    vertebrae = case.spine.vertebrae if case.spine else ()
    found = [(v, side, getattr(v, side)) for v in vertebrae for side in ("left", "right") if getattr(v, side)]
    for vertebra, side, pedicle in found:
        truth = phantom.truth.levels[vertebra.level]
        other = "right" if side == "left" else "left"
        near, far = (np.linalg.norm(pedicle.isthmus_mm - getattr(truth, s).isthmus_mm) for s in (side, other))
        if near >= far:
            return False
    return len(found) == 2 * len(vertebrae)
