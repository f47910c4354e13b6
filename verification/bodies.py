"""The bodies that checks of mechanics run on: real vertebrae where the public data lies, digital ones everywhere."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from endplate.anatomy.locate import locate_vertebrae
from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.bone.calibration import calibrate
from endplate.bone.result import Calibration
from endplate.image.ct import read_ct
from endplate.image.labels import read_labels
from endplate.image.phantom import PhantomSpec, make_phantom
from endplate.image.volume import LabelMap, Volume
from endplate.level import Level
from endplate.repair.site.bone import Bone, repair_bone
from verification.public_data import data_folder

UPPER_LEVELS = (Level.T10, Level.T11, Level.T12, Level.L1, Level.L2)
"""Levels of the digital spines."""


@dataclass(frozen=True, slots=True, eq=False)
class Scan:
    """A spine with the scan behind it."""

    name: str
    volume: Volume
    spine: Spine
    calibration: Calibration
    labels: LabelMap

    def at(self, level: Level) -> Vertebra:
        """The vertebra of a level that is known to be there."""
        found = self.spine.at(level)
        if found is None:
            raise LookupError(f"{self.name} has no {level}")
        return found

    def bone(self, level: Level, voxel_mm: float) -> Bone:
        """Its bone on cubes along its own axes."""
        return repair_bone(self.at(level), self.volume, self.calibration, voxel_mm)


def _scan(name: str, volume: Volume, labels: LabelMap) -> Scan:
    spine = locate_vertebrae(labels, volume)
    return Scan(name, volume, spine, calibrate(volume, spine)[0], labels)


@cache
def real_scan(folder: Literal["verse014", "tptbox-l3"]) -> Scan | None:
    """A public scan, or None where the data is absent."""
    here = data_folder() / folder
    if not here.is_dir():
        return None
    labels = "*_seg-vert*_msk.nii.gz"
    return _scan(folder, read_ct(next(here.glob("*_ct.nii.gz"))), read_labels(next(here.glob(labels)), "verse"))


@cache
def digital_scan(sex: Literal["female", "male"], levels: tuple[Level, ...], core_mg_cm3: float = 95.0) -> Scan:
    """Levels of the digital spine in a narrow field."""
    spec = PhantomSpec(levels=levels, sex=sex, core_mg_cm3=core_mg_cm3, field_mm=(100.0, 110.0), seed=4711)
    phantom = make_phantom(spec)
    spine = locate_vertebrae(phantom.labels, phantom.volume)
    line = Calibration(
        slope_mg_cm3_per_hu=spec.mg_cm3_per_hu,
        offset_mg_cm3=spec.offset_mg_cm3,
        route="given",
        sd_mg_cm3=0.0,
        source="the true line of the digital scanner",
    )
    return Scan(f"digital {sex}", phantom.volume, spine, line, phantom.labels)


def local_mm(vertebra: Vertebra, bone: Bone) -> NDArray[np.float64]:
    """(I, J, K, 3) right, anterior, superior mm of the bone's voxels from the body's middle."""
    return vertebra.to_local_mm(bone.field.grid.to_mm(np.moveaxis(np.indices(bone.field.grid.shape), 0, -1)))
