"""A vertebra of a digital spine is crushed: mass kept, loss reached, neighbours rigid, mirror images alike."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np

from endplate.case.assess import AssessSettings, assess
from endplate.case.model import Case
from endplate.image.phantom import PhantomSpec, make_phantom
from endplate.image.volume import LabelMap, Volume
from endplate.level import Level
from endplate.synthetic_fracture.crush import CrushSettings
from endplate.synthetic_fracture.generate import SyntheticFracture, make_fracture
from endplate.synthetic_fracture.plan import Collapse
from verification.check import Check

LEVELS = (Level.L1, Level.L2, Level.L3)
LOSS = 0.3
MASS_WITHIN = 0.01
FACTOR_WITHIN = 0.05
LOSS_WITHIN = 0.03
RIGID_WITHIN_MM = 0.5
MIRROR_WITHIN_MM = 0.2
SETTINGS = CrushSettings(voxel_mm=3.0)


def checks() -> Iterator[Check]:
    """Measure the rows of the made fracture."""
    case = _measured(_phantom())
    made = _crush(case)
    yield _mass(made)
    yield _loss(made)
    yield _neighbours(case, made)
    yield _mirror(made)


def _phantom() -> tuple[Volume, LabelMap]:
    phantom = make_phantom(PhantomSpec(levels=LEVELS, spacing_mm=(1.5, 1.5, 1.5), field_mm=(90.0, 110.0)))
    return phantom.volume, phantom.labels


def _measured(scan: tuple[Volume, LabelMap]) -> Case:
    case = Case(id="collapse", volume=scan[0], labels=scan[1], record=None)
    return assess(case, AssessSettings(mechanics=False))


def _crush(case: Case) -> SyntheticFracture:
    if case.volume is None or case.spine is None or case.calibration is None:
        raise RuntimeError("the digital spine was not measured")
    collapse = Collapse(level=Level.L2, shape="wedge", loss=LOSS)
    return make_fracture(case.volume, case.labels, case.spine, case.calibration, collapse, SETTINGS)


def _row(letter: str, title: str, expected: str, got: str, passed: bool) -> Check:
    return Check(
        number=f"R{letter}", title=title, expected=expected, got=got, source="built-in digital spine", rung="exact",
        passed=passed,
    )  # fmt: skip


def _mass(made: SyntheticFracture) -> Check:
    points = made.body.mass_after_mg / made.body.mass_before_mg - 1
    before, _, after = made.warped.mass_mg
    scan, factor = after / before - 1, made.warped.density_factor
    return _row(
        "26a",
        "made fracture: mass of bone",
        f"points 0, CT within {100 * MASS_WITHIN:g} %, factor on density within {100 * FACTOR_WITHIN:g} % of 1",
        f"points {points:+.1e}, CT {100 * scan:+.2f} %, factor {factor:.4f}",
        abs(points) < 1e-9 and abs(scan) < MASS_WITHIN and abs(factor - 1) < FACTOR_WITHIN,
    )


def _loss(made: SyntheticFracture) -> Check:
    front, middle, back = made.body.losses
    return _row(
        "26b",
        "made fracture: asked anterior loss after unloading",
        f"{LOSS:g} within {LOSS_WITHIN:g}, less behind",
        f"{front:.3f} in front, {middle:.3f} middle, {back:.3f} behind",
        abs(front - LOSS) <= LOSS_WITHIN and front > middle > back,
    )


def _neighbours(case: Case, made: SyntheticFracture) -> Check:
    """Bodies above follow the rigid motion of the upper endplate; those below do not move."""
    rest = {}
    for vertebra in case.spine.vertebrae if case.spine else ():
        if vertebra.level is not Level.L2:
            places = vertebra.grid.to_mm(np.argwhere(vertebra.body))
            moved = made.field.at(places)
            rigid = made.upper.displacement(places) if vertebra.level < Level.L2 else np.zeros_like(moved)
            rest[vertebra.level] = float(np.linalg.norm(moved - rigid, axis=1).max())
    got = ", ".join(f"{level} {size:.3f} mm" for level, size in rest.items()) + f", turn {made.upper.angle_deg:.1f} deg"
    return _row(
        "26c",
        "made fracture: neighbours rigid, above moved, below still",
        f"departure at most {RIGID_WITHIN_MM:g} mm, a turn",
        got,
        max(rest.values()) <= RIGID_WITHIN_MM and made.upper.angle_deg > 1,
    )


def _mirror(made: SyntheticFracture) -> Check:
    """The same scan with left and right exchanged gives the same heights."""
    volume, labels = _phantom()
    flipped = (
        replace(volume, hu=np.ascontiguousarray(volume.hu[::-1])),
        replace(labels, labels=np.ascontiguousarray(labels.labels[::-1])),
    )
    other = _crush(_measured(flipped))
    apart = [abs(a - b) for a, b in zip(made.body.after_mm, other.body.after_mm, strict=True)]
    return _row(
        "26d",
        "made fracture: mirrored scan, same heights",
        f"within {MIRROR_WITHIN_MM:g} mm",
        f"at most {max(apart):.3f} mm apart",
        max(apart) <= MIRROR_WITHIN_MM,
    )
