"""An entry of a drug list, such as "prednisolone 10 mg, stopped": which drugs, what dose, whether it is taken.

What is not understood is said, with the nearest known name; it is never dropped in silence.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache

from endplate.cited import cited
from endplate.patient.drug_table import KnownDrug, by_name, longest_name, plain

MIN_LETTERS = int(cited(5.0, "1", "Shorter words are too like one another to guess what was meant", "design"))
NEAR = cited(0.8, "1", "How like a known name a word must be to be asked about (difflib's ratio): own choice", "design")
KEPT = int(cited(4096.0, "1", "Entries that are kept read: own choice", "design"))

STOPPED = re.compile(r"\b(stopped|stop|ceased|discontinued|ended|finished|completed|until|previous|previously|former|"
                     r"formerly|past|no longer|not taking|never|abgesetzt)\b")  # fmt: skip
UNSURE = re.compile(r"\b(paused|pause|withheld|hold|held|bridging|allergy|allergic|intolerant|intolerance|declined|"
                    r"refused|planned|plan|to start|consider|considered|proposed|due|maybe|last)\b")  # fmt: skip
LOCAL = re.compile(r"\b(cream|ointment|eye|eyes|ear|drops|drop|inhaler|inhaled|inhalation|puff|puffs|nasal|nose|spray|"
                   r"gel|lotion|topical|enema|foam|suppository|suppositories|intra articular|joint injection|"
                   r"injected into|nebuliser|nebulizer|scalp|mouthwash)\b")  # fmt: skip
AS_NEEDED = re.compile(r"\b(prn|as needed|as required|if needed|when needed|bei bedarf|alternate|every other|weekly|"
                       r"once a week|monthly|a week|per week|reducing|taper|tapering|variable|sliding)\b")  # fmt: skip
TIMES = ((re.compile(r"\b(bd|bid|b\.i\.d|twice|two times|2x|2 x)\b"), 2), (re.compile(r"\b(tds|tid|three times)\b"), 3),
         (re.compile(r"\b(qds|qid|four times)\b"), 4))  # fmt: skip
MG = re.compile(r"(?P<number>\d+(?:[.,]\d+)?)\s*(?P<unit>mg|mcg|micrograms|microgram|ug)\b")
RANGE = re.compile(r"\d\s*(?:-|to|bis)\s*\d")
MICRO = ("mcg", "micrograms", "microgram", "ug")
PER_MG = 1000
DAY = re.compile(r"(?P<word>since|from|started|start|until|to|stopped|ended)\s+(?:on\s+)?(?P<day>\d{4}-\d\d-\d\d)")


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedDrug:
    """A drug found in an entry of the list.

    Attributes
    ----------
    taken : True, False where the entry says that it was stopped, None where it says neither (paused, planned).
    mg_day : the daily dose where the entry states one, taken as once a day unless it says otherwise.
    local : put on skin, eye or airways; not taken by mouth or injected for the whole body.
    """

    entry: str
    drug: KnownDrug
    taken: bool | None
    mg_day: float | None
    local: bool
    started_on: date | None = None
    stopped_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class NotUnderstood:
    """An entry in which no known drug was found, and the known drug that may be meant."""

    entry: str
    perhaps: KnownDrug | None

    @property
    def words(self) -> str:
        """The entry as a question."""
        meant = f", perhaps {self.perhaps.generic}?" if self.perhaps else ""
        return f"not understood: {self.entry}{meant}"


@dataclass(frozen=True, slots=True, kw_only=True)
class DrugList:
    """A list of drugs as read."""

    drugs: tuple[NamedDrug, ...]
    not_understood: tuple[NotUnderstood, ...]

    def of(self, *groups: str) -> tuple[NamedDrug, ...]:
        """The drugs of some groups, taken or not."""
        return tuple(one for one in self.drugs if one.drug.group in groups)

    def perhaps(self, *groups: str) -> tuple[NotUnderstood, ...]:
        """What was not understood and may be a drug of these groups."""
        return tuple(one for one in self.not_understood if one.perhaps and one.perhaps.group in groups)


def read_list(entries: Iterable[str]) -> DrugList:
    """The drugs of a list."""
    drugs, unknown = list[NamedDrug](), list[NotUnderstood]()
    for entry in entries:
        found = _entry(entry)
        drugs += found
        if not found:
            unknown.append(NotUnderstood(entry=entry, perhaps=_nearest(plain(entry))))
    return DrugList(drugs=tuple(drugs), not_understood=tuple(unknown))


@lru_cache(maxsize=KEPT)
def _entry(entry: str) -> tuple[NamedDrug, ...]:
    text = plain(entry)
    found = tuple(_found(text.replace(".", " ").replace(",", " ")))
    if not found:
        return ()
    days = {match["word"]: date.fromisoformat(match["day"]) for match in _days(entry.lower())}
    started = next((days[word] for word in ("since", "from", "started", "start") if word in days), None)
    stopped = next((days[word] for word in ("until", "to", "stopped", "ended") if word in days), None)
    dose = _mg_day(text, entry) if len({drug.generic for drug in found}) == 1 else None
    taken = _taken(text)
    if taken and stopped is not None:
        taken = False
    return tuple(
        NamedDrug(
            entry=entry,
            drug=drug,
            taken=taken,
            mg_day=dose,
            local=drug.local or LOCAL.search(text) is not None,
            started_on=started,
            stopped_on=stopped,
        )
        for drug in found
    )


def _days(text: str) -> Iterator[re.Match[str]]:
    for match in DAY.finditer(text):
        try:
            date.fromisoformat(match["day"])
        except ValueError:
            continue
        yield match


def _found(text: str) -> Iterator[KnownDrug]:
    """Known names in a text, the longest first at each place; a word belongs to one name only."""
    words, at, seen = text.split(), 0, set[str]()
    while at < len(words):
        for length in range(min(longest_name(), len(words) - at), 0, -1):
            drugs = by_name().get(" ".join(words[at : at + length]), ())
            if drugs:
                yield from (drug for drug in drugs if f"{drug.group} {drug.generic}" not in seen)
                seen |= {f"{drug.group} {drug.generic}" for drug in drugs}
                at += length - 1
                break
        at += 1


def _taken(text: str) -> bool | None:
    if UNSURE.search(text):
        return None
    return not STOPPED.search(text)


def _mg_day(text: str, entry: str) -> float | None:
    """The daily dose in mg; None where it is not stated, a range, as needed, or not every day."""
    doses = list(MG.finditer(text))
    if len(doses) != 1 or AS_NEEDED.search(text) or RANGE.search(entry):
        return None
    number = float(doses[0]["number"].replace(",", ".")) / (PER_MG if doses[0]["unit"] in MICRO else 1)
    times = next((count for pattern, count in TIMES if pattern.search(text)), 1)
    return number * times


@lru_cache(maxsize=KEPT)
def _nearest(text: str) -> KnownDrug | None:
    """The known drug whose name a word of the text is most like."""
    for word in text.split():
        if len(word) >= MIN_LETTERS and word.isalpha():
            near = difflib.get_close_matches(word, by_name(), 1, NEAR)
            if near:
                return by_name()[near[0]][0]
    return None


def bone_class(name: str) -> str | None:
    """The class of an osteoporosis drug that a name, generic or trade, stands for; None for any other word."""
    found = [one.drug for one in _entry(name) if one.drug.group == "bone"]
    return found[0].drug_class if len(found) == 1 else None
