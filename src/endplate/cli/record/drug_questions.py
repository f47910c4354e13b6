"""Ask for drugs by name, and then only what the names leave open: dose, days, a fracture under them, odd spellings."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from endplate.patient.drugs import BoneDrug, Glucocorticoid, prednisone_mg
from endplate.patient.medication import BONE_CLASSES
from endplate.patient.named_drug import DrugList, NamedDrug, NotUnderstood, read_list
from endplate.patient.question import NO, YES

Ask = Callable[[str], str]
Say = Callable[[str], None]

EXAMPLE = "apixaban 5 mg, prednisolone 10 mg, Prolia since 2018-01-01"
EXPLAINED = (
    "  Generic or trade names, with dose. Asked for blood thinners, glucocorticoids, osteoporosis drugs, and drugs "
    "that make people fall."
)


def ask_drugs(ask: Ask, say: Say) -> dict[str, Any]:
    """Fields of the record's drugs, by name and by what was asked after them; empty where the list is unknown."""
    text = _typed(ask, say, f"  all drugs by name (such as {EXAMPLE}; none; or Enter for unknown): ")
    if not text:
        return {}
    if text.lower() == "none":
        return {"names": ()}
    names = tuple(part.strip() for part in text.split(",") if part.strip())
    listed = read_list(names)
    names = tuple(_meant(one, listed, ask) for one in names)
    return {"names": names} | after_names(read_list(names), ask, say)


def after_names(listed: DrugList, ask: Ask, say: Say) -> dict[str, Any]:
    """What the names of a list leave open, asked for."""
    for missing in listed.not_understood:
        say(f"  {missing.words}: it is kept as written, and no rule can use it")
    found: dict[str, Any] = {}
    if any(one.taken for one in listed.of("anticoagulant")):
        found["anticoagulant"] = True
        answer = _yes_no(ask, "  may the anticoagulant be paused or reversed for a procedure? (yes / no / Enter): ")
        found |= {} if answer is None else {"anticoagulant_correctable": answer}
    courses = [course for one in listed.of("glucocorticoid") if (course := _course(one, ask, say)) is not None]
    bones = [_bone(one, ask, say) for one in listed.of("bone") if one.drug.drug_class in BONE_CLASSES]
    found |= {"glucocorticoids": tuple(courses)} if courses else {}
    return found | ({"bone_drugs": tuple(bones)} if bones else {})


def _meant(name: str, listed: DrugList, ask: Ask) -> str:
    """A name, or the known one that was meant."""
    odd: NotUnderstood | None = next((one for one in listed.not_understood if one.entry == name), None)
    if odd is None or odd.perhaps is None:
        return name
    answer = ask(f"  {name}: is {odd.perhaps.generic} meant? (yes / Enter for no): ").strip().lower()
    return f"{odd.perhaps.generic} (written as {name})" if answer in YES else name


def _course(one: NamedDrug, ask: Ask, say: Say) -> Glucocorticoid | None:
    """A course of a glucocorticoid that is taken for the whole body; None where its dose stays unknown."""
    if one.local or one.taken is False:
        return None
    dose = one.mg_day
    if dose is None:
        dose = _number(ask, say, f"  {one.entry}: mg a day (Enter for unknown): ")
    equal = None if dose is None else prednisone_mg(one.drug, dose)
    if dose is not None and equal is None:
        equal = _number(ask, say, f"  {one.entry}: as prednisone, mg a day (Enter for unknown): ")
    if equal is None:
        return None
    started = one.started_on or _day(ask, say, f"  {one.entry}: taken since which day? (Enter for unknown): ")
    return Glucocorticoid(prednisone_mg_day=equal, started_on=started, ongoing=True)


def _bone(one: NamedDrug, ask: Ask, say: Say) -> BoneDrug:
    """An osteoporosis drug with its days, and whether a bone broke under it."""
    started = one.started_on or _day(ask, say, f"  {one.entry}: taken since which day? (Enter for unknown): ")
    stopped = one.stopped_on
    if stopped is None and one.taken is not True:
        stopped = _day(ask, say, f"  {one.entry}: stopped on which day? (Enter for unknown or not stopped): ")
    broke = _yes_no(ask, f"  {one.entry}: did a bone break while it was taken? (yes / no / Enter): ")
    return BoneDrug(drug=one.drug.drug_class, started_on=started, stopped_on=stopped, fracture_on_it=broke)  # type: ignore[arg-type]


def _typed(ask: Ask, say: Say, prompt: str) -> str:
    while (text := ask(prompt).strip()) == "?":
        say(EXPLAINED)
    return text


def _yes_no(ask: Ask, prompt: str) -> bool | None:
    while True:
        text = ask(prompt).strip().lower()
        if not text:
            return None
        if text in (*YES, *NO):
            return text in YES


def _number(ask: Ask, say: Say, prompt: str) -> float | None:
    while text := ask(prompt).strip():
        try:
            number = float(text.replace(",", "."))
        except ValueError:
            number = 0.0
        if number > 0:
            return number
        say(f"  {text!r} is no dose; write a number such as 7.5")
    return None


def _day(ask: Ask, say: Say, prompt: str) -> date | None:
    while text := ask(prompt).strip():
        try:
            return date.fromisoformat(text)
        except ValueError:
            say(f"  {text!r} is no day; write it as 2026-05-10")
    return None
