"""May this vertebra be crushed? It must be there, whole, trusted, and intact."""

from __future__ import annotations

from collections.abc import Sequence

from endplate.anatomy.label.present import absent
from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.bone.result import BoneDensity
from endplate.bone.voids import void_reason
from endplate.errors import LabelError
from endplate.finding import Caution
from endplate.fracture.result import Fracture
from endplate.level import Level

OTHER = "choose an intact level that is wholly in view"


def intact_vertebra(
    level: Level,
    spine: Spine,
    fractures: Sequence[Fracture],
    densities: Sequence[BoneDensity],
    cautions: Sequence[Caution] = (),
) -> Vertebra:
    """The vertebra of a level, if its intact state is there to be crushed.

    Parameters
    ----------
    spine, fractures, densities : of the scan as it was measured. cautions : what was found in it; see `bone.voids`.

    Raises
    ------
    LabelError : absent, cut by the field, not trusted, already deformed, with cement or metal in it or beside it, or
        with anything else that voids a computation in its bone.
    """
    vertebra = spine.at(level)
    if vertebra is None:
        raise absent(level, [other.level for other in spine.vertebrae])
    if vertebra.cut_by_field or vertebra.superior is None or vertebra.inferior is None:
        raise LabelError(f"the border of the scan cuts the body of {level}", "its heights are not known", OTHER)
    if level in spine.distrusted:
        raise LabelError(f"the labels of {level} are not trusted", "the label check says why", "correct the labels")
    reading = next((fracture for fracture in fractures if fracture.level is level), None)
    if reading is None or reading.genant_grade is None:
        why = reading.reason if reading else "it was not measured"
        raise LabelError(f"{level} cannot be told to be intact", why, OTHER)
    if reading.genant_grade > 0 or reading.fracture == "yes":
        raise LabelError(
            f"{level} is already deformed (grade {reading.genant_grade}, fracture: {reading.fracture})",
            "its intact state would not be known",
            OTHER,
        )
    foreign_ml = next((density.inclusion_ml for density in densities if density.level is level), 0.0)
    if foreign_ml > 0:
        raise LabelError(f"{level} holds {foreign_ml:.1f} mL of cement or metal", "no bone law is true of it", OTHER)
    spoilt = void_reason(cautions, level, "rehearsal")
    if spoilt:
        raise LabelError(f"{level} cannot be crushed", spoilt, OTHER)
    return vertebra
