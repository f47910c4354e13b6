"""Levels that cannot be rehearsed, told in one line each before any work is done."""

from __future__ import annotations

import numpy as np

from endplate.anatomy.label.present import absent
from endplate.anatomy.vertebra import Spine, Vertebra
from endplate.biomechanics.sampling import hu_on
from endplate.bone.inclusion import inclusion_ml
from endplate.cited import cited
from endplate.errors import LabelError
from endplate.image.volume import Volume
from endplate.level import Level
from endplate.repair.cement.leak_routes import GAP_MG_CM3_MM
from endplate.repair.site.bone import Bone
from endplate.repair.site.cortex import find_shell

MAX_OPEN = cited(
    0.5, "1", "Half of the surface without a shell holds no cement; at most 2 % in six real lumbar bodies", "design"
)


def eligible_vertebra(spine: Spine, level: Level, volume: Volume) -> Vertebra:
    """The vertebra of a level, if a repair of it can be rehearsed.

    Raises
    ------
    LabelError : the level is absent, cut by the scan's border, or holds cement or metal.
    """
    vertebra = spine.at(level)
    if vertebra is None:
        raise absent(level, [other.level for other in spine.vertebrae])
    if vertebra.cut_by_field:
        raise LabelError(
            f"the border of the scan cuts the body of {level}",
            "a repair of a part is not that of the whole",
            "use a scan that holds the whole body",
        )
    dense_ml = inclusion_ml(vertebra, hu_on(vertebra.grid, volume))
    if dense_ml > 0:
        raise LabelError(
            f"{level} holds {dense_ml:.1f} mL of cement or metal",
            "it has been treated, and the CT does not show the bone about it",
            "choose an untreated level",
        )
    return vertebra


def check_shell(bone: Bone) -> None:
    """Refuse a body without a shell to hold cement.

    Raises
    ------
    LabelError : most of its surface has no cortex.
    """
    open_share = shell_open_share(bone)
    if open_share > MAX_OPEN:
        raise LabelError(
            f"{open_share:.0%} of the surface of {bone.level} shows no cortex",
            "the bone is destroyed, or the mask does not follow it",
            "check the mask; cement is not an option for a destroyed body",
        )


def shell_open_share(bone: Bone) -> float:
    """Share of the body's surface whose shell is too thin to count."""
    return float(np.mean(find_shell(bone).excess < GAP_MG_CM3_MM))
