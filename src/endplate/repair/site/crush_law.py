"""How bone crushes at large strain: the density law of the strength model, and what a break leaves of it."""

from __future__ import annotations

import math
from dataclasses import replace

from endplate.bone.material import (
    KOPPERDAHL_E,
    KOPPERDAHL_E_POWER,
    KOPPERDAHL_Y,
    KOPPERDAHL_Y_POWER,
    POISSON,
    TRANSVERSE_MODULUS,
)
from endplate.cited import cited
from endplate.numerics.mpm.foam import FoamLaw

CRUSH_FACTOR = cited(
    0.54,
    "1",
    "21 L3 compressed by 25 % of their height, 31 % of which recovered: failure load 11 +- 19 % lower (abstract). Bone "
    "1.21 times as dense is 1.30 times as strong, so 0.68 of its strength is left, 0.54 to 0.83 within one SD. The "
    "lower end is taken; bodies of young men took a pressure that a lower one would give (0.85 MPa)",
    "recomputed",
    cite=("wegrzyn_2011", "nan_fang_2006"),
)
COHESION = cited(
    0.9,
    "1",
    "tensile over compressive strength of sound bone: yield strains 0.70 and 0.77 %",
    "knowledge",
    cite="morgan_keaveny_2001",
)
LOST_COHESION = cited(0.03, "1", "Own trial: what holds crushed bone together along its axis; uncalibrated", "design")
LOSS_STRAIN = cited(0.04, "1", "Own trial: plastic strain over which cohesion goes; uncalibrated", "design")
STIFFNESS_LOSS = cited(0.5, "1", "Own trial: crushed bone unloads at half its modulus; uncalibrated", "design")
GAP_STRAIN = cited(
    0.0077,
    "1",
    "yield strain in compression: broken bone pulled apart by as much still touches, within as much again it lets go",
    "knowledge",
    cite="morgan_keaveny_2001",
)
GAP_FLOOR = cited(0.005, "1", "Own choice: what an open gap still carries, so that fragments have a place", "design")
BROKEN_STRAIN = cited(
    0.4,
    "1",
    "Own choice: ten times the strain over which cohesion goes; the zone of a loose fracture has none left",
    "design",
)


def with_gaps(law: FoamLaw, floor: float = GAP_FLOOR) -> FoamLaw:
    """The law for bone on its way down: gaps along the axis, opened by a lift, carry nothing until they are closed.

    On the way up nothing pushes across a gap that opens, and the solver finds its equilibrium without them.
    `floor` is the share of the strength that an open gap carries.
    """
    return replace(law, gap_strain=float(GAP_STRAIN), gap_free=float(GAP_STRAIN), gap_floor=float(floor))


def bone_foam() -> FoamLaw:
    """The crushable foam whose modulus and strength follow the density law of the strength model.

    It is weaker across the axis, and what was crushed has lost its cohesion along the axis alone: broken bone comes
    apart along planes across it and still holds round the body (decision 12).
    """
    return FoamLaw(
        modulus_mpa=float(KOPPERDAHL_E),
        modulus_power=float(KOPPERDAHL_E_POWER),
        strength_mpa=float(KOPPERDAHL_Y),
        strength_power=float(KOPPERDAHL_Y_POWER),
        poisson=float(POISSON),
        cohesion=float(COHESION),
        lost_cohesion=float(LOST_COHESION),
        cohesion_strain=float(LOSS_STRAIN),
        stiffness_loss=float(STIFFNESS_LOSS),
        crush_factor=float(CRUSH_FACTOR),
        weak_plane=True,
        across=math.sqrt(TRANSVERSE_MODULUS),
    )
