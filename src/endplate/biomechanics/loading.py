"""Estimated load on a level in daily activities, and its share of the level's failure load.

A transparent moment balance, not a patient model: the weight above the level and a lifted weight are balanced by the
erector muscles at one lever arm. An estimate with a wide band, to rank levels and activities of one person.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from endplate.biomechanics.result import LoadToStrength, Strength
from endplate.cited import cited, cited_table
from endplate.finding import band
from endplate.level import Level
from endplate.patient import PatientRecord

GRAVITY_M_S2 = cited(9.81, "m/s2", "Standard acceleration of free fall, rounded", "knowledge", cite="nist_sp811")
WEIGHT_ABOVE = cited_table(
    "WEIGHT_ABOVE",
    "1",
    "Share of body weight above a level, Schultz family of trunk models",
    "weak",
    {"T8": 0.33, "T10": 0.40, "T12": 0.46, "L1": 0.49, "L3": 0.56, "L5": 0.62},
    cite="schultz_1982",
)
ERECTOR_ARM_M = cited(
    0.055,
    "m",
    "Lever arm of the erector muscles 0.05-0.06 m, Schultz family of trunk models",
    "knowledge",
    cite="schultz_1982",
)
STANDING_ARM_M = cited(
    0.02,
    "m",
    "Upright: line of gravity 2 cm before the body, Schultz family of trunk models",
    "knowledge",
    cite="schultz_1982",
)
TRUNK_ARM_PER_STATURE = cited(
    0.15,
    "1",
    "Arm of the trunk's weight in a bend over stature, Schultz family of trunk models",
    "weak",
    cite="schultz_1982",
)
LOAD_ARM_PER_STATURE = cited(
    0.25,
    "1",
    "Arm of a weight in the hands in a bend over stature, Schultz family of trunk models",
    "weak",
    cite="schultz_1982",
)
BEND_DEG = cited(
    45.0, "deg", "Forward bend of the activity, as in Bouxsein, JBMR 2006 (bending)", "knowledge", cite="bouxsein_2006"
)
LIFTED_KG = cited(
    10.0, "kg", "Weight lifted, as in Bouxsein, JBMR 2006 (bending with 10 kg)", "verified", cite="bouxsein_2006"
)
RIB_CAGE_FLEXION = cited(
    0.67,
    "1",
    "rib cage and sternum take 33 % of the thoracic force in flexion (abstract)",
    "verified",
    cite="iyer_2010",
)
LOAD_SD = cited(
    0.25, "1", "Lever arm +-9 %, weight share and trunk arm about +-15 % each, muscle co-contraction left out", "design"
)


@dataclass(frozen=True, slots=True)
class Activity:
    """A posture and what is held: forward bend in degrees, lifted mass in kg."""

    name: str
    bend_deg: float
    lifted_kg: float


ACTIVITIES = (
    Activity("standing", 0.0, 0.0),
    Activity("bending forward 45 deg", BEND_DEG, 0.0),
    Activity("bending forward 45 deg with 10 kg", BEND_DEG, LIFTED_KG),
)


def estimate_loads(record: PatientRecord | None, level: Level, strength: Strength) -> tuple[LoadToStrength, ...]:
    """Load over failure load of every activity that the record allows; empty without body mass or outside T8-L5.

    Bending needs stature too. Without a 0.2 % offset load there is no ratio: the linear estimate runs higher and would
    make the same bone look safer.
    """
    failure = strength.failure_load_n
    if failure is None or failure <= 0:
        return ()
    loads = []
    for activity in ACTIVITIES:
        load = spinal_load(record, level, activity)
        if load is None:
            continue
        ratio = load / failure
        low, high = band(ratio, ratio * math.hypot(LOAD_SD, strength.relative_sd))
        loads.append(
            LoadToStrength(level=level, activity=activity.name, load_n=load, ratio=ratio, low=max(low, 0.0), high=high)
        )
    return tuple(loads)


def spinal_load(record: PatientRecord | None, level: Level, activity: Activity) -> float | None:
    """Compressive load on a level in N; None where mass, stature or the level's weight share is not known."""
    share = weight_above(level)
    if record is None or record.mass_kg is None or share is None:
        return None
    if activity.bend_deg and record.height_cm is None:
        return None
    stature_m = (record.height_cm or 0.0) / 100
    bend = math.radians(activity.bend_deg)
    trunk = share * record.mass_kg * GRAVITY_M_S2
    lifted = activity.lifted_kg * GRAVITY_M_S2
    arm = TRUNK_ARM_PER_STATURE * stature_m * math.sin(bend) if bend else STANDING_ARM_M
    moment = trunk * arm + lifted * LOAD_ARM_PER_STATURE * stature_m
    load = (trunk + lifted) * math.cos(bend) + moment / ERECTOR_ARM_M
    caged = bend > 0 and level.region == "thoracic" and level.order <= Level.T10.order
    return load * RIB_CAGE_FLEXION if caged else load


def weight_above(level: Level) -> float | None:
    """Share of body weight above a level, linear between the tabulated ones; None outside T8-L5."""
    known = {Level[name].order: float(value) for name, value in WEIGHT_ABOVE.items()}
    orders = sorted(known)
    if not orders[0] <= level.order <= orders[-1]:
        return None
    usual = [lv.order for lv in Level if lv.usual]
    place = [usual.index(order) for order in orders]
    own = usual.index(level.order) if level.usual else usual.index(level.order - 1) + 0.5
    return float(np.interp(own, place, [known[order] for order in orders]))
