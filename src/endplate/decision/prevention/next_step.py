"""What follows from the verdicts of prevention, in one sentence: guidelines are named, never voted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from endplate.decision.verdict.verdict import Conflict, Verdict

ANABOLIC = ("anabolic", "romosozumab")
"""Rule sets of the drugs that build bone."""
LISTED = ("ta791",)
"""Rule sets that judge a drug which another one lists already."""
OUTSIDE = "no guideline here speaks of this patient: a specialist in bone disease decides, and looks for a cause"
AFTER_DENOSUMAB = (
    "denosumab was stopped: a potent antiresorptive first (zoledronate, or denosumab again), no anabolic drug alone"
)
KIDNEY = (
    "advanced kidney disease: a specialist in kidney and bone disease chooses the drug, after the bone disease of the "
    "kidney itself is excluded (denosumab: FDA boxed warning, severe hypocalcaemia)"
)
TUMOUR = (
    "tumour in bone: the oncologist chooses the drug, since zoledronate and denosumab are given in other doses "
    "against it"
)
NOT_FRAGILE = (
    "by the record no fracture of weak bone, and before the menopause and in men below 50 no guideline here asks for a "
    "bone drug; a specialist in bone disease only if density, drugs or earlier fractures speak for weak bone"
)
REBOUND = "; fractures of the rebound: augmentation is strongly discouraged"


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """What outranks the guidelines in the choice of the first drug.

    `denosumab_stopped` : without a potent drug after it. `fractured` : a vertebra has broken. `advanced_kidney` :
    kidney function below 30 mL/min, or dialysis. `tumour_in_bone` : a metastasis, myeloma, or a malignant level.
    `fragile` : whether the fracture is one of fragility; None where the record does not say.
    """

    denosumab_stopped: bool = False
    fractured: bool = False
    advanced_kidney: bool = False
    tumour_in_bone: bool = False
    fragile: bool | None = None

    @property
    def decides(self) -> bool:
        """Whether it settles the first drug."""
        return self.denosumab_stopped or self.advanced_kidney or self.tumour_in_bone


PLAIN = Situation()


def next_step(
    treat: Iterable[Verdict],
    very_high: Iterable[Verdict],
    drugs: Iterable[Verdict],
    first: Iterable[Verdict] = (),
    conflicts: Iterable[Conflict] = (),
    situation: Situation = PLAIN,
) -> str:
    """The sentence.

    Parameters
    ----------
    treat, very_high, drugs, first : verdicts on treatment, on very high risk, on each drug, on an anabolic drug first.
    conflicts : questions on which guidelines differ for this patient.
    situation : what outranks them in the choice of the first drug.
    """
    treat, drugs, first = tuple(treat), tuple(drugs), tuple(first)
    say_treat = [verdict.title for verdict in treat if verdict.status == "yes"]
    if not say_treat:
        return _nobody_treats(treat, situation)
    words = [f"guidelines that would treat: {', '.join(say_treat)}"]
    high = [verdict.title for verdict in very_high if verdict.status == "yes"]
    if situation.denosumab_stopped:
        words.append(AFTER_DENOSUMAB + (REBOUND if situation.fractured else ""))
    if situation.advanced_kidney:
        words.append(KIDNEY)
    if situation.tumour_in_bone:
        words.append(TUMOUR)
    if high and not situation.decides:
        words.append(f"very high risk ({', '.join(high)}): {_first_drug(drugs, first)}")
    if not situation.decides:
        words += [_differ(conflict, first) for conflict in conflicts]
    return "; ".join((*words, *_by_status(drugs)))


def _nobody_treats(treat: tuple[Verdict, ...], situation: Situation) -> str:
    away = [verdict for verdict in treat if not verdict.applies]
    others = [verdict for verdict in treat if verdict.applies]
    if len(away) > len(others) and all(verdict.status == "indeterminate" for verdict in others):
        if situation.fragile is False and not others:
            return NOT_FRAGILE
        still_open = f"; still open: {', '.join(verdict.title for verdict in others)}" if others else ""
        return f"{OUTSIDE}{still_open}"
    if any(verdict.status == "indeterminate" and verdict.missing for verdict in treat):
        return "complete the record first: no guideline can answer yet"
    return "no guideline asks for a drug"


def _first_drug(drugs: Iterable[Verdict], first: tuple[Verdict, ...]) -> str:
    """An anabolic drug first only where a guideline says so for this patient; those that are not blocked."""
    left = [
        one.title
        for one in drugs
        if one.ruleset in ANABOLIC and one.status in ("yes", "conditional", "indeterminate") and one.applies
    ]
    anabolic = [one.title for one in first if one.status == "yes"]
    other = [f"{one.title}: {one.answer}" for one in first if one.status == "no" and one.applies and not one.missing]
    still_open = [one.title for one in first if one.applies and one.missing]
    if anabolic and left:
        return f"consider an anabolic drug first ({', '.join(left)}; by {', '.join(anabolic)}), by a specialist"
    if anabolic:
        return "the anabolic drugs are blocked, ask a specialist"
    if other:
        return "; ".join(other)
    if still_open:
        return f"which drug first is open, complete the record for {', '.join(still_open)}"
    return "a specialist chooses the first drug: no guideline here names an anabolic one first for this patient"


def _differ(conflict: Conflict, first: tuple[Verdict, ...]) -> str:
    """A conflict with who stands where."""
    titles = {verdict.ruleset: verdict.title for verdict in first}
    yes, no = (", ".join(titles.get(name, name) for name in names) for names in (conflict.yes, conflict.no))
    return f"the guidelines differ on the first drug (anabolic: {yes}; bisphosphonate: {no})"


def _by_status(drugs: Iterable[Verdict]) -> Iterator[str]:
    listed = [verdict for verdict in drugs if verdict.ruleset not in LISTED]
    free = [one.title for one in listed if one.status == "yes"]
    cautions = [f"{one.title} ({_caution(one)})" for one in listed if one.status == "conditional"]
    still_open = [one.title for one in listed if one.status == "indeterminate"]
    blocked = [one.title for one in listed if one.status == "contraindicated"]
    for title, names in (
        ("no recorded contraindication (suitability for age not assessed)", free),
        ("with a caution", cautions),
        ("open, complete the record", still_open),
        ("blocked", blocked),
    ):
        if names:
            yield f"{title}: {', '.join(names)}"


def _caution(verdict: Verdict) -> str:
    """Why a drug is doubtful: what holds against it, else the answer itself."""
    held = [reason.words for reason in verdict.reasons if reason.role == "relative" and reason.truth]
    return "; ".join(held) or verdict.answer
