"""The patient's part of a rehearsal: a level in its scan, and its bone under one set of the unknowns."""

from __future__ import annotations

from dataclasses import dataclass, replace

from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.biomechanics.loading import ACTIVITIES, spinal_load
from endplate.biomechanics.shell_mineral import shell_mineral
from endplate.bone.result import Calibration
from endplate.cited import cited
from endplate.fracture.height.extent import body_extent
from endplate.fracture.result import Fracture
from endplate.image.volume import Volume
from endplate.patient import PatientRecord
from endplate.repair.augmented.load_margin import ACTIVITY
from endplate.repair.rehearsal.design import ParameterSet
from endplate.repair.site.bone import COARSE_MM, Bone, halved, halves, repair_bone
from endplate.repair.site.crushed_bone import STATE_MM, BrokenState, broken_state, laid_on
from endplate.repair.site.fracture_zone import LOSS_LOOKED_FOR, find_zone, soften
from endplate.repair.site.prefracture_shape import PrefractureShape, estimate_prefracture_shape, intact_beside

FRONT_ERROR_MM = cited(
    0.3,
    "mm",
    "Own measurement (row R26.8), worst of four: a dense digital L1, 0.03 against 0.30 mm at 2 x 1 mL",
    "design",
)
MEAN_ERROR_MM = cited(
    0.6,
    "mm",
    "Own measurement (row R26.8), worst of four: L3 of verse014, 0.99 against 1.56 mm at 2 x 1 mL; too low in all four",
    "design",
)
READ_BACK = (
    f"how well that is read: in four made fractures front gains were within {FRONT_ERROR_MM:g} mm of those in the "
    f"true state and the mean of the three heights within {MEAN_ERROR_MM:g} mm, always too low; where the crushed "
    "layers lie decides whether front or back rises, and in a dense one it was read wrongly"
)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class RehearsalInput:
    """The patient's part of a rehearsal: what the scan holds of one level and its surroundings.

    `fracture` is the reading of the level, `others` those of the other levels; the record tells the load on the spine.
    `state` is what the fracture did to the bone, read once for all runs; None to read it for each.
    """

    vertebra: Vertebra
    spine: Spine
    volume: Volume
    calibration: Calibration
    fracture: Fracture | None
    others: tuple[Fracture, ...] = ()
    record: PatientRecord | None = None
    state: BrokenState | None = None

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
    readings = (*scene.others, *(() if scene.fracture is None else (scene.fracture,)))
    intact = estimate_prefracture_shape(scene.vertebra, scene.spine, readings, found.bone.field)
    crushed = scene.state or crushed_state(scene)
    state = laid_on(crushed, found.bone)
    shell = shell_mineral(scene.vertebra, scene.volume, calibration, sound.field)
    bone = replace(found.bone, crushed=state.strain, shell=shell)
    bone = replace(bone, finer=_finer(scene, calibration, bone, crushed))
    bone = replace(bone, softening=sound.softening) if draw.mobility == "rigid" else soften(bone)
    notes: tuple[str, ...] = (found.reason,) if found.reason else ()
    if state.loose_share is not None:
        notes += (
            f"{state.loose_share:.0%} of the body was crushed beyond its cohesion, read from {state.basis}",
            READ_BACK,
        )
    return PreparedBone(bone=bone, calibration=calibration, intact=intact, notes=notes)


def _finer(scene: RehearsalInput, calibration: Calibration, bone: Bone, state: BrokenState) -> Bone | None:
    """Where voxels are coarse, the body on cubes of half the edge, for the points of the large-strain model.

    What the fracture did is read there from its own grid, so that it is the same on every grid of a rehearsal.
    """
    edge_mm = float(bone.field.grid.spacing_mm[0])
    if edge_mm <= float(COARSE_MM) + 1e-6:
        return None
    zone = bone.zone
    if zone is not None:
        zone = replace(zone, band=halves(zone.band), cleft=halves(zone.cleft), gap=halves(zone.gap))
    fine = repair_bone(scene.vertebra, scene.volume, calibration, edge_mm / 2, zone, grid=halved(bone.field.grid))
    shell = shell_mineral(scene.vertebra, scene.volume, calibration, fine.field)
    return replace(fine, shell=shell, crushed=laid_on(state, fine).strain)


def crushed_state(scene: RehearsalInput) -> BrokenState:
    """What the fracture did to every point, or nothing where no endplate came down; on a grid of its own."""
    reading, calibration, voxel_mm = scene.fracture, scene.calibration, float(STATE_MM)
    bone = repair_bone(scene.vertebra, scene.volume, calibration, voxel_mm)
    readings = (*scene.others, *(() if reading is None else (reading,)))
    loss = None if reading is None else reading.height_loss.value
    down = reading is not None and (reading.fracture == "yes" or (loss is not None and loss >= LOSS_LOOKED_FOR))
    if not down:
        nothing = PrefractureShape(level=scene.vertebra.level, reason="no endplate came down")
        return broken_state(scene.vertebra, bone, nothing, ())
    intact = estimate_prefracture_shape(scene.vertebra, scene.spine, readings, bone.field)
    beside = intact_beside(scene.spine, readings, scene.vertebra.level)
    whole = [other for other in beside if not other.cut_by_field and body_extent(other) is not None]
    neighbours = [(other, repair_bone(other, scene.volume, calibration, voxel_mm)) for other in whole]
    return broken_state(scene.vertebra, bone, intact, neighbours)
