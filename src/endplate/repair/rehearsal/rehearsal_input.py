"""The patient's part of a rehearsal: a level in its scan, and its bone under one set of the unknowns."""

from __future__ import annotations

from dataclasses import dataclass, replace

from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.biomechanics.loading import ACTIVITIES, spinal_load
from endplate.bone.result import Calibration
from endplate.fracture.result import Fracture
from endplate.image.volume import Volume
from endplate.patient import PatientRecord
from endplate.repair.augmented.load_margin import ACTIVITY
from endplate.repair.rehearsal.design import ParameterSet
from endplate.repair.site.bone import Bone, repair_bone
from endplate.repair.site.fracture_zone import find_zone
from endplate.repair.site.prefracture_shape import PrefractureShape, estimate_prefracture_shape


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RehearsalInput:
    """The patient's part of a rehearsal: what the scan holds of one level and its surroundings.

    `fracture` is the reading of the level, `others` those of the other levels; the record tells the load on the spine.
    """

    vertebra: Vertebra
    spine: Spine
    volume: Volume
    calibration: Calibration
    fracture: Fracture | None
    others: tuple[Fracture, ...] = ()
    record: PatientRecord | None = None

    @property
    def loads_n(self) -> dict[str, float]:
        """Estimated load on the level, N, in the load cases where it is known."""
        found: dict[str, float] = {}
        for case, name in ACTIVITY.items():
            activity = next(item for item in ACTIVITIES if item.name == name)
            load = spinal_load(self.record, self.vertebra.level, activity)
            if load is not None:
                found[case] = load
        return found


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class PreparedBone:
    """The bone under one set of the unknowns, the shape it had before it broke, and what is to be said of its zone.

    `calibration` holds the shift of the density, which the neighbours share.
    """

    bone: Bone
    calibration: Calibration
    intact: PrefractureShape
    notes: tuple[str, ...] = ()


def prepare_bone(scene: RehearsalInput, voxel_mm: float, draw: ParameterSet) -> PreparedBone:
    """The bone with its density shifted and its fracture zone softened; a rigid fracture has healed and is not soft.

    Raises
    ------
    LabelError, OptionError : the level has no bone to work on.
    """
    shift = draw.density_sd * scene.calibration.sd_mg_cm3
    calibration = replace(scene.calibration, offset_mg_cm3=scene.calibration.offset_mg_cm3 + shift)
    sound = repair_bone(scene.vertebra, scene.volume, calibration, voxel_mm)
    found = find_zone(scene.vertebra, scene.volume, sound, scene.fracture)
    bone = replace(found.bone, softening=sound.softening) if draw.mobility == "rigid" else found.bone
    readings = (*scene.others, *(() if scene.fracture is None else (scene.fracture,)))
    intact = estimate_prefracture_shape(scene.vertebra, scene.spine, readings, bone.field)
    notes = (found.reason,) if found.reason else ()
    return PreparedBone(bone=bone, calibration=calibration, intact=intact, notes=notes)
