"""All rule files read once: guidelines, and what they share (definitions, causes, flags, technique, conflicts)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from importlib.resources import files
from typing import Any

from endplate.bibliography import full_text
from endplate.decision.logic.decision_list import Clause, DecisionList
from endplate.decision.logic.expression import Names, parse
from endplate.decision.logic.field import field_catalogue
from endplate.decision.logic.kleene import All, Criterion, Node
from endplate.decision.logic.score import Item, Score, StepItem, TallyItem
from endplate.decision.logic.threshold import (
    Citation,
    RuleFileError,
    Threshold,
    read_citation,
    read_cite,
    read_threshold,
)
from endplate.decision.rules.ruleset import Edition, Outcome, RuleSet

ALWAYS = All(())
EDITION = ("edition", "date", "reference")
"""What a rule file says of its guideline, and a rule set of its own where the file holds several; `cite` beside them,
which also stands in for `reference`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Grading:
    """A ladder beside the rule sets: a cause's grade, a technique, a derived class; `group` says which."""

    id: str
    group: str
    title: str
    ladder: DecisionList[Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Flag:
    """Something a reader must know at once: `kind` emergency, red, caution or note, and what to do."""

    id: str
    kind: str
    action: str
    when: Criterion


@dataclass(frozen=True, slots=True, kw_only=True)
class Dispute:
    """A question on which sources differ: `members` are criteria or rule sets by full name."""

    id: str
    question: str
    positions: str
    members: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertCase:
    """A worked case of a rule file: facts, and for each rule set the status (and answer) it must give."""

    name: str
    facts: dict[str, Any]
    expect: dict[str, str]
    edition: Edition


@dataclass(frozen=True, slots=True, kw_only=True)
class Book:
    """One rule file."""

    edition: Edition
    thresholds: dict[str, Threshold]
    points: tuple[Threshold, ...]
    criteria: dict[str, Criterion]
    scores: dict[str, Score]
    rulesets: tuple[RuleSet, ...] = ()
    gradings: tuple[Grading, ...] = ()
    flags: tuple[Flag, ...] = ()
    disputes: tuple[Dispute, ...] = ()
    cases: tuple[ExpertCase, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Rulebook:
    """All rule files, in the order in which they are shown."""

    books: tuple[Book, ...]
    rulesets: tuple[RuleSet, ...]
    gradings: tuple[Grading, ...]
    flags: tuple[Flag, ...]
    disputes: tuple[Dispute, ...]
    criteria: Mapping[str, Criterion]

    def ruleset(self, name: str) -> RuleSet:
        """A rule set by its id.

        Raises
        ------
        KeyError : there is none.
        """
        return {ruleset.id: ruleset for ruleset in self.rulesets}[name]

    def group(self, name: str) -> tuple[Grading, ...]:
        """The gradings of a group."""
        return tuple(grading for grading in self.gradings if grading.group == name)


@cache
def rulebook() -> Rulebook:
    """Every packaged rule file, parsed and checked."""
    shared = _read("knowledge", "definitions", None)
    books = [shared, *(_read("knowledge", name, shared) for name in _names("knowledge") if name != "definitions")]
    books += [_read("guidelines", name, shared) for name in _names("guidelines")]
    return Rulebook(
        books=tuple(books),
        rulesets=tuple(ruleset for book in books for ruleset in book.rulesets),
        gradings=tuple(grading for book in books for grading in book.gradings),
        flags=tuple(flag for book in books for flag in book.flags),
        disputes=tuple(dispute for book in books for dispute in book.disputes),
        criteria={f"{book.edition.id}.{name}": item for book in books for name, item in book.criteria.items()},
    )


def _names(folder: str) -> list[str]:
    entries = files("endplate.decision.rules").joinpath(folder).iterdir()
    return sorted(entry.name.removesuffix(".toml") for entry in entries if entry.name.endswith(".toml"))


def _read(folder: str, name: str, shared: Book | None) -> Book:
    text = files("endplate.decision.rules").joinpath(folder, f"{name}.toml").read_text(encoding="utf-8")
    return read_book(tomllib.loads(text), shared)


def read_book(table: Mapping[str, Any], shared: Book | None = None) -> Book:
    """A rule file as read from TOML; it may use the thresholds, criteria and scores of `shared`.

    Raises
    ------
    RuleFileError : an expression or citation that cannot be read; the message names it.
    """
    return _Reader(table, shared).book()


class _Reader:
    """Reads one file: thresholds, then criteria and scores, then all that uses them."""

    def __init__(self, table: Mapping[str, Any], shared: Book | None) -> None:
        head = self.head(f"rule file {table.get('id', '')}", table)
        try:
            self.edition = Edition(**{key: head[key] for key in ("id", "title", *EDITION, "cite")})
        except KeyError as error:
            raise RuleFileError(f"rule file {table.get('id', '')} lacks {error.args[0]}") from error
        self.table, self.points = table, list[Threshold]()
        self.thresholds = {
            name: read_threshold(f"{self.edition.id}.{name}", entry, self.edition.edition, self.edition.cite)
            for name, entry in table.get("threshold", {}).items()
        }
        self.criteria: dict[str, Criterion] = {}
        self.scores: dict[str, Score] = {}
        self.shared_scores = shared.scores if shared else {}
        self.shared_criteria = shared.criteria if shared else {}
        self.shared_thresholds = shared.thresholds if shared else {}

    def head(self, where: str, table: Mapping[str, Any]) -> dict[str, Any]:
        """What a table says of its guideline; the publication it cites is its reference unless it words one."""
        found = {key: table[key] for key in ("id", "title", *EDITION) if key in table}
        cite = read_cite(where, table)
        if cite and "reference" not in found:
            found["reference"] = "; ".join(full_text(cite))
        return {**found, "cite": cite}

    def citation(self, where: str, entry: Mapping[str, Any]) -> Citation:
        """The citation of an entry, which inherits edition and publications of the file."""
        return read_citation(where, entry, self.edition.edition, self.edition.cite)

    def book(self) -> Book:
        # In the order of the file: what stands first may be used by what follows.
        for kind in self.table:
            if kind == "criterion":
                for name, entry in self.table[kind].items():
                    self.criteria[name] = self.criterion(f"{self.edition.id}.{name}", entry)
            elif kind == "score":
                for name, entry in self.table[kind].items():
                    self.scores[name] = self.score(name, entry)
        return Book(
            edition=self.edition,
            thresholds=self.thresholds,
            criteria=self.criteria,
            scores=self.scores,
            rulesets=tuple(self.ruleset(entry) for entry in self.table.get("ruleset", ())),
            gradings=tuple(self.grading(entry) for entry in self.table.get("grading", ())),
            flags=tuple(self.flag(entry) for entry in self.table.get("flag", ())),
            disputes=tuple(
                Dispute(**{**entry, "members": tuple(entry["members"])}) for entry in self.table.get("dispute", ())
            ),
            cases=tuple(ExpertCase(edition=self.edition, **entry) for entry in self.table.get("case", ())),
            points=tuple(self.points),
        )

    def node(self, text: str | None) -> Node:
        """An expression; none at all always holds."""
        if text is None:
            return ALWAYS
        thresholds = {**self.shared_thresholds, **self.thresholds}
        criteria = {**self.shared_criteria, **self.criteria}
        return parse(text, Names(field_catalogue(), thresholds, criteria, {**self.shared_scores, **self.scores}))

    def criterion(self, name: str, entry: Mapping[str, Any]) -> Criterion:
        citation = self.citation(name, entry)
        return Criterion(name, entry["words"], citation, self.node(entry.get("when")), entry.get("otherwise", ""))

    def scope(self, spec: str | list[str] | None) -> Node:
        """The cases that a rule set speaks of: an expression, or a list of criteria that must all hold."""
        return All(tuple(self.named(name) for name in spec)) if isinstance(spec, list) else self.node(spec)

    def named(self, name: str) -> Criterion:
        """A criterion of this file or of the shared one."""
        try:
            return {**self.shared_criteria, **self.criteria}[name]
        except KeyError:
            raise RuleFileError(f"{self.edition.id}: no criterion '{name}'") from None

    def score(self, name: str, entry: Mapping[str, Any]) -> Score:
        where = f"{self.edition.id}.{name}"
        zero = entry["unknown"] == "zero"
        citation = self.citation(where, entry)
        items = tuple(
            self.item(f"{where}.{item['name']}", {"cite": citation.cite, **item}, zero) for item in entry["item"]
        )
        return Score(name=name, words=entry["words"], citation=citation, items=items)

    def item(self, where: str, entry: Mapping[str, Any], zero: bool) -> Item:
        citation = self.citation(where, entry)
        known = {"name": entry["name"], "words": entry["words"], "citation": citation}
        known["unknown_is_zero"] = zero and not entry.get("required", False)
        values = [step["points"] for step in entry.get("steps", ())] + [
            entry[key] for key in ("otherwise", "each", "least", "most") if key in entry
        ]
        self.points += [
            Threshold(name=f"{where}.points", value=value, unit="{score}", citation=citation) for value in values
        ]
        if "each" in entry:
            ends = {key: entry[key] for key in ("each", "least", "most")}
            return TallyItem(nodes=tuple(self.node(text) for text in entry["of"]), **ends, **known)
        rungs = [Clause(float(step["points"]), self.node(step["when"])) for step in entry["steps"]]
        return StepItem(ladder=DecisionList((*rungs, Clause(float(entry["otherwise"]), ALWAYS))), **known)

    def ruleset(self, entry: Mapping[str, Any]) -> RuleSet:
        edition = self.edition_of(entry)
        answers = ({"edition": edition.edition, "cite": edition.cite, **answer} for answer in entry["answer"])
        rungs = tuple(self.answer(entry["id"], answer) for answer in answers)
        if rungs[-1].when.truth({}) is not True:
            raise RuleFileError(f"rule set {entry['id']}: the last answer must always hold")
        return RuleSet(
            id=entry["id"],
            title=entry["title"],
            question=entry["question"],
            edition=edition,
            scope=self.scope(entry.get("scope")),
            outside=entry.get("outside", "not covered"),
            absolute=tuple(self.named(name) for name in entry.get("absolute", ())),
            relative=tuple(self.named(name) for name in entry.get("relative", ())),
            answers=DecisionList(rungs),
            scores=tuple({**self.shared_scores, **self.scores}[name] for name in entry.get("scores", ())),
            approximation=entry.get("approximation", ""),
        )

    def edition_of(self, entry: Mapping[str, Any]) -> Edition:
        """The guideline of a rule set: its own where it names one, else that of the file."""
        head = self.head(entry["id"], entry)
        own = {key: head[key] for key in (*EDITION, "cite") if key in head and (key != "cite" or "cite" in entry)}
        return replace(self.edition, **own)

    def answer(self, where: str, entry: Mapping[str, Any]) -> Clause[Outcome]:
        outcome = Outcome(entry["status"], entry["answer"], entry.get("applies", True))
        when = self.criterion(f"{where}.{entry['answer']}", {"words": entry["answer"], **entry})
        return Clause(outcome, when)

    def grading(self, entry: Mapping[str, Any]) -> Grading:
        rungs = []
        cite = read_cite(entry["id"], entry, self.edition.cite)
        for rung in entry["rung"]:
            words = {"words": f"{entry['title']}: {rung['value']}", "cite": cite, **rung}
            rungs.append(Clause(rung["value"], self.criterion(f"{entry['id']}.{rung['value']}", words)))
        if rungs[-1].when.truth({}) is not True:
            raise RuleFileError(f"grading {entry['id']}: the last rung must always hold")
        return Grading(id=entry["id"], group=entry["group"], title=entry["title"], ladder=DecisionList(tuple(rungs)))

    def flag(self, entry: Mapping[str, Any]) -> Flag:
        when = self.criterion(f"{self.edition.id}.{entry['id']}", entry)
        return Flag(id=entry["id"], kind=entry["kind"], action=entry["action"], when=when)
