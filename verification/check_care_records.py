"""Row G1: the audit's patient records of the care path, where they are present; each with its right answers.

The records themselves are not part of the package; expert cases of the same kind are in the rule files and in
`tests/decision`. What belongs to drugs and prevention is looked for as text of the plan.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path

from endplate.case.care import Care, next_questions, weigh
from endplate.errors import RecordError
from endplate.patient import read_record
from endplate.report.care.caution import cautions, technique_lines
from endplate.report.care.decision_aid import decision_aid
from verification.check import Check
from verification.public_data import data_folder

FOLDER = "cases/care"
Answer = Callable[[Care], bool]


def checks() -> Iterator[Check]:
    """One row for all records."""
    title = "patient records of the care path: right answers in scope, cautions, technique, and what to ask next"
    source = (
        "Audit of 2026 with its sources: NICE TA279 and NG234, AAOS 2010, NOGG section 8, SIR 2014, CMS A58534, EMA"
    )
    row = {"number": "G1", "title": title, "expected": "all", "source": source, "rung": "published"}
    folder = data_folder().parent / FOLDER
    if not folder.is_dir():
        yield Check(**row, got=f"skipped: {FOLDER} not found; set ENDPLATE_SHARED", passed=None)
        return
    misses, total = [], 0
    for name, told in sorted(RIGHT.items()):
        path = folder / f"{name}.json"
        if not path.is_file():
            misses.append(f"{name} lacks its file")
            continue
        for words, ok in _answers(path, told):
            total += 1
            misses += [] if ok else [f"{name}: {words}"]
    got = f"{total - len(misses)} of {total} answers in {len(RIGHT)} records"
    yield Check(**row, got=got + ("; misses: " + "; ".join(misses) if misses else ""), passed=not misses)


def _answers(path: Path, told: dict[str, Answer]) -> Iterator[tuple[str, bool]]:
    try:
        care = weigh(read_record(path))
    except RecordError as error:
        yield from ((words, words == "asks" and "mg/dL" in str(error)) for words in told)
        return
    yield from ((words, bool(answer(care))) for words, answer in told.items())


def says(ruleset: str, *parts: str, applies: bool = True) -> Answer:
    """The verdict at the first level holds these words."""

    def answer(care: Care) -> bool:
        verdict = care.decision.levels[0].verdict(ruleset)
        return verdict.applies is applies and all(part in f"{verdict.status}: {verdict.answer}" for part in parts)

    return answer


def outside(*rulesets: str) -> Answer:
    """None of these speaks of the case."""
    return lambda care: not any(care.decision.levels[0].verdict(name).applies for name in rulesets)


def warned(*flags: str) -> Answer:
    """These cautions stand above the verdicts."""
    return lambda care: set(flags) <= {caution.id for caution in cautions(care.decision)}


def noted(flag: str, *parts: str) -> Answer:
    """A note stands at the first level, with these words."""

    def answer(care: Care) -> bool:
        texts = [f"{one.words}. {one.action}" for one in care.decision.levels[0].flags if one.id == flag]
        return bool(texts) and all(part in texts[0] for part in parts)

    return answer


def quiet(*flags: str) -> Answer:
    """None of these flags stands."""
    return lambda care: not set(flags) & {one.id for level in care.decision.levels for one in level.flags}


def technique(*parts: str) -> Answer:
    """The choice of technique holds these words."""
    return lambda care: all(part in technique_lines(care.decision)[0].text for part in parts)


def plan(*parts: str, without: tuple[str, ...] = ()) -> Answer:
    """The plan of prevention holds these words, and not those."""

    def answer(care: Care) -> bool:
        text = json.dumps(_texts(care)).lower()
        return all(part.lower() in text for part in parts) and not any(part.lower() in text for part in without)

    return answer


def _texts(care: Care) -> list[str]:
    prevention = care.prevention
    drugs = [f"{verdict.title}: {verdict.status} {verdict.answer}" for verdict in prevention.drugs]
    return [prevention.next_step, *drugs, *(f"{verdict.title}: {verdict.answer}" for verdict in prevention.treat)]


TRAUMA_OUT = outside("nice_ta279", "lcd_osteoporotic", "aaos_2010_kyphoplasty", "acr_2022", "of_class_2018")
RIGHT: dict[str, dict[str, Answer]] = {
    "01": {"calcitonin withdrawn": noted("calcitonin", "withdrawn", "not proposed")},
    "02": {"covered": says("lcd_osteoporotic", "yes")},
    "03": {
        "OF is not for tumours": outside("of_score_modified", "of_class_2018"),
        "no OF class asked": lambda care: not any(
            "of_class" in verdict.missing for verdict in care.decision.levels[0].verdicts
        ),
        "SIR covers it": says("sir_2014", "indicated: medical therapy gives inadequate relief"),
        "NG234": lambda care: "NG234" in care.decision.levels[0].verdict("nice_metastatic").edition.edition,
        "emergency": lambda care: bool(care.decision.levels[0].emergencies),
        "no cement alone": warned("no_cement_alone"),
    },
    **{
        name: {
            "osteoporotic sets silent": TRAUMA_OUT,
            "trauma surgeon": says("tlics", "spine trauma surgeon"),
            "caution": warned("traumatic"),
            "technique": technique("trauma surgeon"),
            "aid asks for no bone drug": lambda care: "makes bones strong" not in decision_aid(care),
        }
        for name in ("04", "04b")
    },
    "05": {
        "specialist": warned("young_fragility", "childbearing"),
        "AACE and NOGG silent": outside("aace_2020", "nogg_liaison"),
    },
    "06": {"infection first": warned("infection"), "technique waits": technique("infection")},
    "07": {
        "AAOS symptomatic only": outside("aaos_2010_kyphoplasty", "aaos_2010_vertebroplasty"),
        "OF class silent": outside("of_class_2018"),
        "liaison": says("nogg_liaison", "yes"),
    },
    "08": {"levels": warned("too_many_levels")},
    "09": {"bleeding": warned("bleeding")},
    "10": {"cement allergy bars": says("cirse_2017", "contraindicated")},
    "10b": {
        "contrast medium bars nothing": lambda care: all(
            care.decision.levels[0].verdict(name).status != "contraindicated" for name in ("cirse_2017", "sir_2014")
        ),
        "caution": warned("contrast_allergy"),
    },
    "11": {"AAOS speaks": says("aaos_2010_vertebroplasty", "against (strong)")},
    "12": {"bed rest": warned("bed_rest")},
    "14": {"wall": technique("kyphoplasty by experts")},
    "15": {
        "pathologic variant": says("acr_2018", "pathologic fracture"),
        "SINS": says("sins_2010", "potentially unstable"),
        "payer B": says("payer_b", "osteolytic"),
    },
    "16": {"high level": warned("tumour"), "needle": technique("13G")},
    "17": {
        "liaison": says("nogg_liaison", "yes", "fracture liaison"),
        "augmentation silent": outside("nice_ta279", "lcd_osteoporotic", "aaos_2010_kyphoplasty", "sir_2014"),
        "nothing to image, no other pain": quiet("fracture_likely", "other_pain_source"),
    },
    "18": {"no romosozumab for a man": plan(without=("teriparatide or abaloparatide, romosozumab)",))},
    "19": {"denosumab boxed warning": plan("hypocalcaemia")},
    "20": {"calcium is normal": plan(without=("zoledronate: contraindicated",))},
    "21": {"ankylosed": warned("no_cement_alone"), "technique": technique("neither: surgical opinion")},
    "24": {"apixaban is read": warned("bleeding")},
    "27": {
        "rebound": warned("rebound"),
        "no technique": technique("neither: rebound"),
        "no anabolic first": plan(without=("consider an anabolic drug first",)),
    },
    "28": {
        "one ranked list": lambda care: len(next_questions(care)) >= 5,
        "the first five settle most": lambda care: (
            (asked := next_questions(care))[4].settled_so_far > 0.5 * asked[4].open_verdicts
        ),
    },
    "29": {"30 days per contractor": says("lcd_osteoporotic", "conditional", "NGS")},
    "30": {"asks": lambda care: False},
}  # fmt: skip
