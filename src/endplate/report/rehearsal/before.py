"""What the scan says of the fracture and of the shape before it, in words; and the cement against that shape."""

from __future__ import annotations

from dataclasses import replace

from endplate.repair.band import Band
from endplate.repair.rehearsal.result import Rehearsal
from endplate.report.phrase import number

ZONE = "Fracture zone in this scan"


def results(rehearsal: Rehearsal) -> dict[str, dict[str, Band]]:
    """Every result by procedure and name, with the cement as a share of the body before it broke among them."""
    held = {procedure: dict(of) for procedure, of in rehearsal.bands.items()}
    for of in held.values():
        if "cement_ml" in of and rehearsal.intact is not None:
            of["fill_of_intact"] = _over(of["cement_ml"], rehearsal.intact.volume_ml, rehearsal.intact.reason)
    return held


def _over(band: Band, whole: float | None, reason: str) -> Band:
    """A band over a whole; unknown where the whole is."""
    if not whole:
        return Band(value=None, reason=f"the shape before the fracture is unknown: {reason}")
    value, low, high = (None if end is None else end / whole for end in (band.value, band.low, band.high))
    return replace(band, value=value, low=low, high=high)


def zone_words(rehearsal: Rehearsal) -> str:
    """What was seen of the fracture, and what the rehearsal makes of it; empty where the bone was not kept."""
    bone = rehearsal.bone
    if bone is None:
        return ""
    why = f" ({'; '.join(rehearsal.notes)})" if rehearsal.notes else ""
    if bone.zone is None and bone.crushed is not None:
        return f"{ZONE}: no band, cleft or gap is seen{why}."
    if bone.zone is None:
        return f"{ZONE}: none seen{why}, so all bone is taken as stiff and strong as its density says."
    softest = float(bone.softening.min())
    taken = (
        f"Taken as loose: {softest:.2g} times the stiffness that its density says"
        if softest < 1
        else "Taken as healed: as stiff and strong as its density says"
    )
    return f"{ZONE}: {'; '.join(bone.zone.signs)}. {taken}."


def age_words(rehearsal: Rehearsal) -> str:
    """How old the fracture is taken to be and what decided it; empty where the looseness was given."""
    age = rehearsal.age
    if age is None:
        return ""
    open_ends = "" if age.band[0] == age.band[1] else "; the band spans healed and loose"
    taken = "loose" if age.nominal == "mobile" else "healed"
    return f"Age of the fracture: {age.age}, taken as {taken}. Decided by {age.decided_by}{open_ends}."


def intact_words(rehearsal: Rehearsal) -> str:
    """The estimated shape before the fracture: heights, error, volume lost, where from; or why there is none."""
    shape = rehearsal.intact
    if shape is None:
        return ""
    if shape.heights_mm is None:
        return f"The shape before the fracture is unknown: {shape.reason.rstrip('.')}."
    front, middle, back = (number(height, 1) for height in shape.heights_mm)
    error = "" if shape.sd_mm is None else f" (SD of each {number(shape.sd_mm, 1)} mm)"
    words = (
        f"Expected before the fracture: {front} mm high at the front, {middle} in the middle, {back} at the back{error}"
    )
    if shape.volume_ml is not None and shape.lost_ml is not None:
        spread = "" if shape.lost_sd_ml is None else f" ± {number(shape.lost_sd_ml, 1)}"
        words += f"; {number(shape.lost_ml, 1)}{spread} of {number(shape.volume_ml, 1)} mL are lost"
    return f"{words}. Estimated from {shape.reference}; width and depth are left as they are."
