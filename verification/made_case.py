"""Made fractures for checks of the lift: crushed, scanned, read back as a patient's, beside what is true of them."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.anatomy.locate import locate_vertebrae
from endplate.anatomy.vertebra import Vertebra
from endplate.fracture.reading import grade_fractures
from endplate.level import Level
from endplate.repair.kyphoplasty.placement import BalloonSite, site_at
from endplate.repair.rehearsal.design import ParameterSet
from endplate.repair.rehearsal.rehearsal_input import PreparedBone, RehearsalInput, prepare_bone
from endplate.synthetic_fracture.crush import CrushedBody, CrushSettings
from endplate.synthetic_fracture.generate import make_fracture
from endplate.synthetic_fracture.plan import Collapse
from verification.bodies import UPPER_LEVELS, Scan, digital_scan, real_scan
from verification.box_body import XPANDER

CASES: tuple[tuple[str, Level, float], ...] = (
    ("verse014", Level.L2, 0.4),
    ("verse014", Level.L3, 0.4),
    ("soft", Level.L1, 0.32),
    ("dense", Level.L1, 0.32),
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class MadeCase:
    """A made fracture, read back from its own scan."""

    scene: RehearsalInput
    prepared: PreparedBone
    crushed: CrushedBody


@cache
def made_case(name: str, level: Level, loss: float, voxel_mm: float = 2.0) -> MadeCase | None:
    """Crush a level, make its scan, read that as a patient's; None where the public data is absent."""
    scan = _scan(name)
    if scan is None:
        return None
    made = make_fracture(
        scan.volume,
        scan.labels,
        scan.spine,
        scan.calibration,
        Collapse(level=level, shape="wedge", loss=loss),
        CrushSettings(voxel_mm=voxel_mm),
    )
    spine = locate_vertebrae(made.warped.labels, made.warped.volume)
    vertebra = spine.at(level)
    if vertebra is None:
        return None
    readings = grade_fractures(spine)
    scene = RehearsalInput(
        vertebra=vertebra,
        spine=spine,
        volume=made.warped.volume,
        calibration=scan.calibration,
        fracture=next(reading for reading in readings if reading.level is level),
        others=tuple(reading for reading in readings if reading.level is not level),
    )
    return MadeCase(scene=scene, prepared=prepare_bone(scene, voxel_mm, ParameterSet()), crushed=made.body)


def _scan(name: str) -> Scan | None:
    if name == "verse014":
        return real_scan("verse014")
    return digital_scan("female", UPPER_LEVELS, 60.0 if name == "soft" else 160.0)


def true_strain(case: MadeCase) -> NDArray[np.float32]:
    """The plastic strain of the crushed points, on the grid of the bone read back."""
    points, grid = case.crushed.points, case.prepared.bone.field.grid
    source = case.crushed.grid
    lps = source.to_mm(points.position / float(source.spacing_mm[0]) - 0.5)
    at = np.floor(grid.to_index(lps) + 0.5).astype(int)
    inside = ((at >= 0) & (at < grid.shape)).all(axis=1)
    volume, strain = np.zeros(grid.shape), np.zeros(grid.shape)
    where = tuple(at[inside].T)
    np.add.at(volume, where, points.volume[inside])
    np.add.at(strain, where, (points.volume * points.hardening)[inside])
    near = tuple(ndimage.distance_transform_edt(volume <= 0, return_distances=False, return_indices=True))
    return np.asarray((strain / np.maximum(volume, 1e-9))[near], np.float32)


def sites_in(vertebra: Vertebra) -> list[BalloonSite]:
    """Two balloons by formula: front ends at a fifth of the depth, centres in the middle of each half, level."""
    local = vertebra.to_local_mm(vertebra.grid.to_mm(np.argwhere(vertebra.body)))
    middle = local[np.abs(local[:, 2]) < 3]
    front, back = np.percentile(middle[np.abs(middle[:, 0]) < 5, 1], [99, 1])
    half = float(np.percentile(np.abs(middle[:, 0]), 99))
    end = front - 0.2 * (front - back) - 3.0
    places = [np.array([side * 0.42 * half, end, 0.0]) for side in (-1, 1)]
    return [site_at(XPANDER, vertebra.to_world_mm(one), vertebra.axes[1]) for one in places]
