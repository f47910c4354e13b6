"""Gains and losses of height that were measured, to stand beside every simulated one: they spread wider."""

from __future__ import annotations

from dataclasses import dataclass

from endplate.cited import cited

_WINKELMANN = "Winkelmann 2018, CT of 252 treated bodies"
WINKELMANN_MM = cited(
    1.5, "mm", f"{_WINKELMANN}: anterior gain, mean; lost again by 6 weeks", "verified", cite="winkelmann_2018"
)
WINKELMANN_SD_MM = cited(2.9, "mm", f"{_WINKELMANN}: anterior gain, SD", "verified", cite="winkelmann_2018")
TRIALS_MM = cited(
    3.48,
    "mm",
    "14 randomised trials, 1456 patients: pooled anterior gain (abstract)",
    "verified",
    cite="height_restoration_meta",
)
LYING_MM = cited(
    3.4,
    "mm",
    "Table 1, grade 2, n 94: anterior height 19.7 sitting, 23.1 lying; a supine CT has it already",
    "verified",
    cite="vertebral_mobility_2023",
)
LYING_ACUTE_MM = cited(
    6.0,
    "mm",
    "Table 1, n 15, at most 3 weeks old: anterior height 18.3 sitting, 24.3 supine",
    "verified",
    cite="vertebral_mobility_2020",
)
STANDING_WHOLE_MM = cited(
    0.6, "mm", "anterior height lost upright, fractures without a fluid cleft", "verified", cite="hutchins_2016"
)
STANDING_CLEFT_MM = cited(
    4.3, "mm", "anterior height lost upright, fractures with a fluid cleft", "verified", cite="hutchins_2016"
)
MOBILE_SHARE = cited(
    0.35, "1", "n 65: fractures that posture moved; all had clefts", "secondary", cite="mckiernan_2003"
)
MOBILE_MM = cited(8.4, "mm", "n 65: what posture gained in those that moved", "secondary", cite="mckiernan_2003")
POSTURE_DEG = cited(6.5, "deg", "n 39: correction by prone position alone, mean", "secondary", cite="voggenreiter_2005")
POSTURE_SD_DEG = cited(
    4.1, "deg", "n 39: SD of the correction by prone position", "secondary", cite="voggenreiter_2005"
)
BALLOON_DEG = cited(
    3.4, "deg", "n 39: what the balloon added to prone position, mean", "secondary", cite="voggenreiter_2005"
)
POSTURE_MM = cited(
    5.5, "mm", "n 50, acute: anterior gain by posture; the balloon beyond it not significant", "secondary",
    cite="liu_jkns_2014",
)  # fmt: skip
_ROTTER = "Rotter 2010, 24 cadaver bodies T11-L5, anterior height in % of that before"
LOST_PERCENT = cited(
    11.7, "%", f"{_ROTTER}: lost when the balloon was emptied, mean (abstract)", "verified", cite="rotter_2010"
)
LOST_SD_PERCENT = cited(
    6.2, "%", f"{_ROTTER}: lost when the balloon was emptied, SD (abstract)", "verified", cite="rotter_2010"
)
KEPT_PERCENT = cited(8.0, "%", f"{_ROTTER}: net gain, mean (abstract)", "verified", cite="rotter_2010")
KEPT_SD_PERCENT = cited(9.4, "%", f"{_ROTTER}: net gain, SD (abstract)", "verified", cite="rotter_2010")
STENT_LOST_PERCENT = cited(
    3.7, "%", f"{_ROTTER}: lost when balloons in stents were emptied, mean (abstract)", "verified", cite="rotter_2010"
)
STENT_KEPT_PERCENT = cited(
    13.3, "%", f"{_ROTTER}: net gain with stents, mean (abstract)", "verified", cite="rotter_2010"
)
READING_SD_PERCENT = cited(
    4.2,
    "%",
    "SD of one reading of a loss of height on CT: 50 patients read twice, widest 95 % limits of agreement of one "
    "reader 11.75 % (abstract), over 1.96 and the root of 2",
    "recomputed",
    cite="buckens_2013",
)
SHARE_LOST = cited(
    0.59, "1", f"{_ROTTER}: 11.7 / (11.7 + 8.0) of the gain at full balloon", "recomputed", cite="rotter_2010"
)


STANDING_MM = (float(STANDING_WHOLE_MM), float(LYING_ACUTE_MM))
"""Anterior height that patients lose between lying and sitting or standing: least and most of the series."""
BEYOND_LYING_MM = (0.0, float(POSTURE_MM) - float(LYING_MM))
"""Anterior height that posture may add to a supine CT: nothing, or the difference of the two series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """A gain of anterior height that was measured in patients; `sd_mm` None where only a mean was read."""

    name: str
    mean_mm: float
    sd_mm: float | None = None


OBSERVED = (
    Observed(name="Patients: CT, 252 bodies, mean ± SD", mean_mm=WINKELMANN_MM, sd_mm=WINKELMANN_SD_MM),
    Observed(name="Patients: 14 trials pooled, mean", mean_mm=TRIALS_MM),
    Observed(name="Patients: by lying down alone, mean", mean_mm=LYING_MM),
    Observed(name="Patients: by posture on the table, acute, mean", mean_mm=POSTURE_MM),
)
