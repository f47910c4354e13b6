"""A score, and when a change of it means something."""

from __future__ import annotations

from dataclasses import dataclass

from endplate.cited import cited, cited_table

NRS_MCID = cited(2.0, "1", "2 points or 30 % on a 0-10 rating", "knowledge", cite="farrar_2001")
NRS_MCID_SHARE = cited(0.30, "1", "2 points or 30 % on a 0-10 rating", "knowledge", cite="farrar_2001")
RMDQ_ERROR = cited(5.0, "1", "MDC90 4-5 points (abstract); the larger taken", "verified", cite="stratford_1996")
RMDQ_MCID = cited(5.0, "1", "5 points or 30 %", "knowledge", cite="ostelo_2008")
RMDQ_MCID_SHARE = cited(0.30, "1", "5 points or 30 %", "knowledge", cite="ostelo_2008")
RMDQ_MIN_FOR_GAIN = cited(4.0, "1", "below 4 a gain cannot be told (abstract)", "verified", cite="stratford_1996")
RMDQ_MAX_FOR_LOSS = cited(
    20.0, "1", "above 20 a worsening cannot be told (abstract)", "verified", cite="stratford_1996"
)
ODI_ERROR = cited(10.0, "%", "MDC90 10 points, quoted at second hand", "secondary", cite="fairbank_2000")
ODI_MCID = cited(10.0, "%", "10 points; Copay 2008 gives 12.8 (at second hand)", "knowledge", cite="copay_2008")
EQ5D_MCID = cited(0.074, "1", "EQ-5D index", "knowledge", cite="walters_2005")
SF36_MCID = cited(
    3.0, "1", "SF-36 physical component, about 3-5 points; the smaller taken", "knowledge", cite="ware_1992"
)
WORST = cited_table(
    "scale.worst",
    "1",
    "Worst end of each scale by its definition",
    "verified",
    {"nrs": 10.0, "rmdq": 24.0, "odi": 100.0, "qualeffo": 100.0, "eq5d": -1.0, "pcs": 0.0},
    cite=("roland_1983", "fairbank_2000", "lips_1999", "euroqol", "ware_1992"),
)
BEST = cited_table(
    "scale.best",
    "1",
    "Best end of each scale by its definition",
    "verified",
    {"nrs": 0.0, "rmdq": 0.0, "odi": 0.0, "qualeffo": 0.0, "eq5d": 1.0, "pcs": 100.0},
    cite=("roland_1983", "fairbank_2000", "lips_1999", "euroqol", "ware_1992"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A score, or why there is none.

    Attributes
    ----------
    value : None where too little was answered. low, high : what the unanswered items leave open.
    answered, of : items.
    """

    value: float | None
    low: float | None = None
    high: float | None = None
    answered: int | None = None
    of: int | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scale:
    """How a scale runs and when its change counts.

    Attributes
    ----------
    worst, best : ends of the scale. important : smallest change that patients notice; None where none is established.
    important_share : or a gain of this fraction of the baseline. error : smallest change beyond the error of measuring
    (MDC90); None where none is established. min_for_gain, max_for_loss : baselines outside which a change cannot be
    told.
    """

    name: str
    worst: float
    best: float
    important: float | None
    important_share: float | None = None
    error: float | None = None
    min_for_gain: float | None = None
    max_for_loss: float | None = None

    def changed(self, before: float | None, after: float | None) -> str:
        """ "better", "worse", "no important change", or "unknown" between two scores of this scale."""
        if before is None or after is None or self.important is None:
            return "unknown"
        gain = (before - after) * (1 if self.worst > self.best else -1)
        share = self.important_share is not None and 0 < float(self.important_share) * before <= gain
        if (abs(gain) < float(self.important) and not share) or self._within_error(gain):
            return "no important change"
        if gain > 0 and self.min_for_gain is not None and before < float(self.min_for_gain):
            return "unknown"
        if gain < 0 and self.max_for_loss is not None and before > float(self.max_for_loss):
            return "unknown"
        return "better" if gain > 0 else "worse"

    def change_text(self, before: float | None, after: float | None) -> str:
        """What a change is worth, in words: beyond the error of measuring or within it, as far as either is known."""
        answer = self.changed(before, after)
        if before is None or after is None:
            return "not known at both times"
        if self.important is None:
            return "neither a change that matters nor the measurement error is established"
        if answer == "unknown":
            return f"from {before:g} such a change cannot be told"
        if self.error is None:
            noticed = "less than" if answer == "no important change" else f"{answer}, as much as"
            return f"{noticed} patients notice; measurement error not established"
        if self._within_error(after - before):
            return "within measurement error"
        return f"{answer}, beyond measurement error"

    def _within_error(self, change: float) -> bool:
        return self.error is not None and abs(change) < float(self.error)


SCALES = {
    "nrs": Scale(
        name="pain 0-10", worst=WORST["nrs"], best=BEST["nrs"], important=NRS_MCID, important_share=NRS_MCID_SHARE
    ),
    "rmdq": Scale(
        name="Roland-Morris 0-24",
        worst=WORST["rmdq"],
        best=BEST["rmdq"],
        important=RMDQ_MCID,
        important_share=RMDQ_MCID_SHARE,
        error=RMDQ_ERROR,
        min_for_gain=RMDQ_MIN_FOR_GAIN,
        max_for_loss=RMDQ_MAX_FOR_LOSS,
    ),
    "odi": Scale(name="Oswestry 0-100", worst=WORST["odi"], best=BEST["odi"], important=ODI_MCID, error=ODI_ERROR),
    "qualeffo": Scale(name="QUALEFFO-41 0-100", worst=WORST["qualeffo"], best=BEST["qualeffo"], important=None),
    "eq5d": Scale(name="EQ-5D index", worst=WORST["eq5d"], best=BEST["eq5d"], important=EQ5D_MCID),
    "pcs": Scale(name="SF-36 physical", worst=WORST["pcs"], best=BEST["pcs"], important=SF36_MCID),
}
