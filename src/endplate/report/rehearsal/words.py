"""A rehearsal in plain sentences, and what the simulation can and cannot tell."""

from __future__ import annotations

from endplate.repair.band import Band
from endplate.repair.cement.cement_fill import CementFill
from endplate.repair.cement.sphere_baseline import agreement
from endplate.repair.kyphoplasty.observed_gains import (
    BALLOON_DEG,
    KEPT_PERCENT,
    KEPT_SD_PERCENT,
    LOST_PERCENT,
    LOST_SD_PERCENT,
    LYING_ACUTE_MM,
    LYING_MM,
    MOBILE_MM,
    MOBILE_SHARE,
    POSTURE_DEG,
    POSTURE_MM,
    POSTURE_SD_DEG,
    SHARE_LOST,
    STANDING_CLEFT_MM,
    STANDING_WHOLE_MM,
)
from endplate.repair.kyphoplasty.until_cured import creep_band_mm
from endplate.repair.rehearsal.design import SIZES, TWO_POINT
from endplate.repair.rehearsal.findings import PROCEDURE_WORDS
from endplate.repair.rehearsal.result import ProcedureResult, Rehearsal
from endplate.report.figure.height_steps import opens
from endplate.report.phrase import listed, number
from endplate.report.rehearsal.table import UNKNOWN_WORDS, UNSETTLED

MIN_GAIN_MM = 0.1
"""A share of less than what is printed as a gain would be noise."""
CAN = (
    "Whether forces balance: how the load runs through cement and bone, and how much stiffer and stronger the body "
    "becomes for a given cement.",
    "Where the mass goes: bone is only moved and pressed together, cement is only in pores, cavity or openings, and "
    "the amounts add up.",
    "Room: the cavity that a balloon leaves is its volume less what the bone springs back; and how much of the "
    "pressure on the cement is lost in the cannula.",
)
PLAUSIBLE = (
    "Which balloon place, size or needle side does more in this body.",
    "Where pressed bone ends.",
    f"How high the pressure in the balloon rises, and how much of the gain is lost when it is emptied: {UNSETTLED}, so "
    "both are orders of magnitude.",
    "Where cement goes first, and which leakage route it reaches first. A plain sphere of the same volume at the "
    "tip may do nearly as well; that is why it is drawn beside.",
)
CANNOT = (
    "How many millimetres this patient gains or keeps: how loose the fracture is, how far it has healed, posture and "
    "muscle tone are not in the scan. Of a gain, lying down for the scan may already have given a part.",
    "The true shape of the cement in this patient: no public scans before and after with a record of the injection "
    "exist to test against, and mixing, temperature and the operator's hand decide with.",
    "Whether cement will leak. A leakage route that was reached is a place to watch, not a probability; one that was "
    "not reached is no assurance.",
    "Whether a neighbour will break. Only ratios of load are given.",
    "The strength of living, healing bone in the fracture, or the load in daily life.",
    "Whether to treat, or how. That is for the physician and the patient.",
)


def sentences(rehearsal: Rehearsal) -> list[str]:
    """The rehearsal in short, one sentence or two a procedure."""
    return [_sentence(rehearsal, done) for done in rehearsal.nominal]


def _sentence(rehearsal: Rehearsal, done: ProcedureResult) -> str:
    of = rehearsal.bands.get(done.procedure, {})
    start = f"{rehearsal.level}, rehearsed {PROCEDURE_WORDS[done.procedure]}"
    if done.access is not None and not done.access.paths:
        return f"{start}: no safe needle path ({done.access.reason.rstrip('.')})."
    parts = [_balloon(done), _height(of), _cement(done), _strength(of)]
    text = "; ".join(part for part in parts if part) or "nothing was computed"
    ended = f" It ended early: {done.stopped.rstrip('.')}." if done.stopped else ""
    return f"{start}: {text}.{ended}"


def _balloon(done: ProcedureResult) -> str:
    """How much the balloons took, and what ended it: that decides everything after."""
    blown = done.inflation
    if blown is None or not blown.volume_ml.size:
        return ""
    many = "balloon" if len(blown.balloons) == 1 else f"{len(blown.balloons)} balloons"
    return f"volume of the {many} {number(float(blown.volume_ml.max()), 1)} mL ({blown.stop})"


def _height(of: dict[str, Band]) -> str:
    band = of.get("cured_anterior_mm")
    if band is None or band.value is None or "cavity_ml" not in of:
        return ""
    return f"anterior height gain {_banded(band, 1)} mm when the cement has set"


def _cement(done: ProcedureResult) -> str:
    fill = done.fill
    if fill is None:
        return ""
    words = f"{number(fill.volume_ml, 1)} mL of cement fills {number(100 * fill.fill_fraction, 0)} % of the body"
    reached = list(dict.fromkeys(_the(item.opening.name) for item in fill.reached))
    return f"{words}; leakage routes reached: {listed(reached)}" if reached else f"{words}; no leakage route reached"


def posture_words(rehearsal: Rehearsal) -> str:
    """Gain by posture and by the balloon apart, each beside what was measured; empty where it was not rehearsed."""
    of = rehearsal.bands.get("kyphoplasty", {})
    placed, angle = of.get("posture_anterior_mm"), of.get("posture_wedge_deg")
    if placed is None or placed.value is None or angle is None or angle.value is None:
        return ""
    limit = (
        ""
        if opens(rehearsal)
        else " The scan shows no cleft, and without one the model has no line along which a fracture could open: its "
        "figure is a lower end, and the picture shows what was measured instead."
    )
    return (
        f"{_upright_words(of)}Placed on the table with its neighbours extended, the front of the body gains "
        f"{_banded(placed, 1)} mm and "
        f"the wedge changes by {number(angle.value, 1)}° before the balloon; patients gained "
        f"{number(POSTURE_DEG, 1)} ± {number(POSTURE_SD_DEG, 1)}° by prone position and "
        f"{number(BALLOON_DEG, 1)}° more by the balloon "
        f"(Voggenreiter 2005), acute ones {number(POSTURE_MM, 1)} mm by posture (Liu 2014); where posture moved the "
        f"fracture, in {number(100 * MOBILE_SHARE, 0)} % and all with clefts, {number(MOBILE_MM, 1)} mm (McKiernan "
        f"2003).{limit}"
    )


def _upright_words(of: dict[str, Band]) -> str:
    """What a CT taken lying down holds already: what standing takes, by the model and in patients."""
    band = of.get("upright_anterior_mm")
    ours = (
        "the model does not tell it here"
        if band is None or band.value is None
        else f"{number(-band.value, 1)} mm in the model, under the estimated load of standing alone, without a stoop"
    )
    return (
        "A CT is taken lying down, so it holds a part of what posture gains already. What standing takes from the "
        f"front height: {ours}; {number(STANDING_WHOLE_MM, 1)} mm in patients without a fluid cleft and "
        f"{number(STANDING_CLEFT_MM, 1)} mm with one (Hutchins 2016), {number(LYING_MM, 1)} mm in 94 fractures of "
        f"grade 2 (J Orthop Surg Res 2023), {number(LYING_ACUTE_MM, 1)} mm in 15 of at most three weeks (J Orthop "
        "Surg Res 2020). "
    )


def cured_words(rehearsal: Rehearsal) -> str:
    """What is lost until the cement has cured and after, with its source; empty without a gain."""
    of = rehearsal.bands.get("kyphoplasty", {})
    blown = next((one.inflation for one in rehearsal.nominal if one.inflation is not None), None)
    before = None if rehearsal.intact is None else rehearsal.intact.heights_mm
    if blown is None or before is None or "cured_anterior_mm" not in of or "cavity_ml" not in of:
        return ""
    # of the height before the fracture, which is more than there is: the strain is taken over a whole body
    mean, most = creep_band_mm(before[0], blown.preload_n)
    return (
        f"Until the cement has cured, creep of the broken bone under the {number(blown.preload_n, 0)} N of the table "
        f"takes {number(mean, 2)} mm (0 to {number(most, 2)}) of the front height: creep of old vertebrae (J Bone "
        "Joint Surg Br 2008;90-B) times nine for broken ones (Luo 2012), in proportion to the load. Standing again "
        "is what the cured body then gives elastically; in 252 treated bodies the gain was no longer there six weeks "
        "later (Winkelmann 2018), which is not in the figure."
    )


def beyond_words(rehearsal: Rehearsal) -> str:
    """What would follow beyond a wall that ended the inflation; empty where nothing was followed."""
    done = next((one for one in rehearsal.nominal if one.inflation is not None), None)
    beyond = None if done is None or done.inflation is None else done.inflation.beyond
    if beyond is None or len(beyond.volume_ml) < 2:
        return ""
    gained = float(beyond.gain_mm[-1, 0] - beyond.gain_mm[0, 0])
    walls = [
        f"the {name} {number(value, 1)} mm"
        for name, value in (("back wall", beyond.pushed_mm.back), ("front or side wall", beyond.pushed_mm.side))
        if value is not None
    ]
    return (
        f"Beyond that stop, to {number(float(beyond.volume_ml[-1]), 1)} mL, the front would rise by "
        f"{number(gained, 1)} mm more, and {' and '.join(walls)} out in all ({beyond.stop})."
    )


def loss_words(rehearsal: Rehearsal) -> str:
    """The share of the gain that emptying the balloon takes, beside the one that was measured; empty without a gain."""
    of = rehearsal.bands.get("kyphoplasty", {})
    full, left = (of[name].value if name in of else None for name in ("full_anterior_mm", "deflated_anterior_mm"))
    if full is None or left is None or full < MIN_GAIN_MM:
        return ""
    lost, kept = (
        f"{mean:.1f} ± {sd:.1f} %" for mean, sd in ((LOST_PERCENT, LOST_SD_PERCENT), (KEPT_PERCENT, KEPT_SD_PERCENT))
    )
    return (
        f"Lost when the balloon is emptied: {number(100 * (1 - left / full), 0)} % of the gain here, "
        f"{number(100 * SHARE_LOST, 0)} % as measured (Rotter 2010, 24 cadaver bodies: {lost} of the height lost, "
        f"{kept} kept). Read it as an order of magnitude: {UNSETTLED}."
    )


def sphere_words(fill: CementFill) -> str:
    """How the simulated cement agrees with the plain sphere; empty without cement."""
    found = agreement(fill.saturation, fill.sphere, float(fill.grid.spacing_mm[0]))
    if found is None:
        return ""
    percent = number(100 * found.volume_error, 0)
    return (
        f"Against the plain sphere: Dice {number(found.dice, 2)}, centroids {number(found.centroid_mm, 1)} mm apart, "
        f"surfaces {number(found.mean_mm, 1)} mm apart on average and {number(found.max_mm, 1)} mm at the 95 % point, "
        f"outlined volume {'+' if found.volume_error > 0 else ''}{percent} %."
    )


def _the(name: str) -> str:
    """A name inside a sentence."""
    if name.startswith(("the ", "a ")):
        return name
    return f"a {name}" if name.startswith(("thin", "gap", "hole", "break")) else f"the {name}"


def _strength(of: dict[str, Band]) -> str:
    ratio, load = of.get("strength_ratio"), of.get("strength_n")
    if ratio is None or ratio.value is None or load is None or load.value is None:
        return ""
    return f"predicted failure load x {_banded(ratio, 1)}"


def _banded(band: Band, decimals: int) -> str:
    value = number(band.value or 0.0, decimals)
    if band.low is None or band.high is None:
        return value
    low, high = number(band.low, decimals), number(band.high, decimals)
    return value if low == high == value else f"{value} ({low} to {high})"


def band_words(rehearsal: Rehearsal) -> str:
    """What the bands of this rehearsal span."""
    if not rehearsal.members and rehearsal.failed:
        return (
            "An ensemble was asked for, but none of its runs reached its end; the reasons stand among what could not "
            "be measured. What follows is the single run with the usual values: bands of strength hold the errors of "
            "density, cement and method, other numbers have none."
        )
    if not rehearsal.members:
        return (
            "This was a single run with the unknowns at their usual values. Bands of strength hold the errors of "
            "density, cement and method; other numbers have no band. Run the comparison of both procedures for bands "
            "over what the scan does not hold."
        )
    if rehearsal.members <= TWO_POINT:
        return (
            "Below each value stands what two runs span: one with a healed fracture, held fast under a high load, and "
            "one with a loose fracture, left free without load. Bands of strength hold the errors of density, cement "
            "and method as well. Run the comparison of both procedures for bands over all that the "
            "scan does not hold, and for what moves each result most."
        )
    names = listed([UNKNOWN_WORDS[unknown.name] for unknown in rehearsal.unknowns])
    words = (
        f"Below each value stands its band: the lowest and highest of {rehearsal.members} runs, each with what the "
        f"scan does not hold set to its low or its high end ({names}). The bands hold no error of the method "
        "itself, which is common to all columns."
    )
    if rehearsal.member_voxel_mm is not None and rehearsal.member_voxel_mm != rehearsal.voxel_mm:
        words += (
            f" These runs used voxels of {rehearsal.member_voxel_mm:g} mm instead of {rehearsal.voxel_mm:g} mm; each "
            "enters by its ratio to, or its distance from, the usual run on the same voxels."
        )
    if rehearsal.members + len(rehearsal.failed) == SIZES[0]:
        words += " With so few runs an effect may also be that of two other unknowns together; 16 runs keep them apart."
    if rehearsal.failed:
        words += f" {len(rehearsal.failed)} more did not reach their end and are named among what is missing."
    if rehearsal.partial:
        words += f" What {rehearsal.partial} of these had reached before that is in the bands."
    return words
