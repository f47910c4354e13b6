"""What a body loses between the emptied balloon and cured cement: the creep of broken bone under the table's load."""

from __future__ import annotations

from endplate.cited import cited, cited_table
from endplate.repair.kyphoplasty.height_gain import Triple
from endplate.repair.kyphoplasty.inflation_result import Gain

_OLD = "11 thoracolumbar motion segments of 64-88 years, 1.5 kN for 2 h: creep strain"
CREEP_FRONT = cited(2867e-6, "1", f"{_OLD} at the front, mean (abstract)", "verified", cite="vertebral_creep_2008")
CREEP_FRONT_SD = cited(2527e-6, "1", f"{_OLD} at the front, SD (abstract)", "verified", cite="vertebral_creep_2008")
CREEP_BACK = cited(1164e-6, "1", f"{_OLD} at the back, mean (abstract)", "verified", cite="vertebral_creep_2008")
CREEP_LOAD_N = cited(1500.0, "N", "load of that creep", "verified", cite="vertebral_creep_2008")
BROKEN = cited_table(
    "creep.broken",
    "1",
    "45 motion segments, 1 kN for 30 min: after an overload that took 2.24 mm of height, creep was higher by 800 % at "
    "the front, 1000 % in the middle and 600 % at the back (abstract)",
    "verified",
    {"front": 9.0, "middle": 11.0, "back": 7.0},
    cite="luo_2012",
)
MOST_SDS = cited(2.0, "1", "Own choice: the upper end of the band lies two SD above the mean", "design")


def creep_mm(heights_mm: Triple, preload_n: float, sds: float = 0.0) -> Triple:
    """Height (front, middle, back) that broken bone loses by creep under the load of the table, mm.

    Creep is taken as proportional to the load, and that of two hours as an upper estimate of the quarter of an hour in
    which cement sets; the cement carries a part meanwhile. The lower end is therefore none.

    Parameters
    ----------
    heights_mm : of the body. preload_n : load of the table. sds : above the mean.
    """
    front = float(CREEP_FRONT) + sds * float(CREEP_FRONT_SD)
    back = float(CREEP_BACK) * front / float(CREEP_FRONT)
    share = preload_n / float(CREEP_LOAD_N)
    strains = (BROKEN["front"] * front, BROKEN["middle"] * (front + back) / 2, BROKEN["back"] * back)
    first, second, third = (share * strain * height for strain, height in zip(strains, heights_mm, strict=True))
    return first, second, third


def creep_band_mm(height_mm: float, preload_n: float) -> tuple[float, float]:
    """Mean and upper end of what the front loses until the cement has cured, mm; the lower end is none."""
    of = (height_mm, height_mm, height_mm)
    return creep_mm(of, preload_n)[0], creep_mm(of, preload_n, float(MOST_SDS))[0]


def cured(emptied: Gain, heights_mm: Triple, preload_n: float) -> Gain:
    """The gain that is left when the cement has cured, from that of the emptied balloon.

    The wedge angle is left as it is: creep changes it by less than a tenth of a degree.
    """
    lost = creep_mm(heights_mm, preload_n)
    return Gain(
        anterior_mm=emptied.anterior_mm - lost[0],
        middle_mm=emptied.middle_mm - lost[1],
        posterior_mm=emptied.posterior_mm - lost[2],
        wedge_deg=emptied.wedge_deg,
        kyphosis_deg=emptied.wedge_deg,
    )
