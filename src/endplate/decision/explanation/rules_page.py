"""The page of all rule sets, as Markdown: scope, question, thresholds, marks, what each leaves out."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from endplate.cited import cited
from endplate.decision.explanation.hangs_on import ranked_weak_rules, rule_names
from endplate.decision.explanation.rule_listing import every_book, listed_rules
from endplate.decision.logic.decision_list import Clause
from endplate.decision.logic.field import field_catalogue
from endplate.decision.logic.kleene import Criterion, fields
from endplate.decision.logic.threshold import TRUST_WORDS, Threshold
from endplate.decision.rules.rulebook import Book
from endplate.decision.rules.ruleset import Outcome, RuleSet

COMMAND = "endplate rules --markdown"
LONGEST = int(cited(100, "1", "Own choice: weak rules that the page ranks; the rest are in the listing", "design"))


def rules_page() -> str:
    """The page, ending in a newline."""
    return "\n".join(_lines()) + "\n"


def _lines() -> Iterator[str]:
    yield "# Rule sets"
    yield ""
    yield f"Made from the rule files by `{COMMAND}`; a test holds it against them. Mend the files, not this page."
    yield ""
    yield "Each rule set is our reading of a publication. Outside its scope it says so and nothing else. " + (
        "An absolute contraindication outranks its answers; a relative one turns a yes into a conditional."
    )
    yield ""
    yield from _marks()
    for book in every_book():
        if book.rulesets:
            yield from _book(book)
    yield from _ranking()


def _marks() -> Iterator[str]:
    counts = Counter[str](rule.citation.trust for rule in listed_rules())
    yield "| mark | meaning | rules |"
    yield "|---|---|---|"
    for mark, words in TRUST_WORDS.items():
        yield f"| {mark} | {words} | {counts.get(mark, 0)} |"
    yield ""


def _book(book: Book) -> Iterator[str]:
    yield f"## {book.edition.title}"
    yield ""
    if book.edition.note:
        yield f"{book.edition.note}"
        yield ""
    for rules in book.rulesets:
        yield from _ruleset(rules, book)


def _ruleset(rules: RuleSet, book: Book) -> Iterator[str]:
    yield f"### {rules.title}"
    yield ""
    yield f"- **Id** `{rules.id}`; **question** {rules.question}; **date** {rules.edition.date}"
    yield f"- **Published as** {rules.edition.reference}"
    yield f"- **Scope** {_scope(rules)}"
    yield f"- **Asks for** {_asks(rules)}"
    for title, criteria in (("Absolute contraindications", rules.absolute), ("Relative", rules.relative)):
        if criteria:
            yield f"- **{title}** {'; '.join(criterion.words for criterion in criteria)}"
    yield "- **Answers, the first that holds**"
    for clause in rules.answers.rungs:
        yield f"    1. {_answer(clause)}"
    if rules.scores:
        yield f"- **Scores** {'; '.join(score.words for score in rules.scores)}"
    yield from _thresholds(rules)
    yield f"- **Leaves out** {rules.approximation or 'nothing known'}"
    yield ""


def _asks(rules: RuleSet) -> str:
    """The facts that a rule set can ask for, in the order of the catalogue."""
    asked = {name for node in (*rules.nodes(), *rules.scored_nodes()) for name in fields(node)}
    return "; ".join(entry.title for name, entry in field_catalogue().items() if name in asked)


def _scope(rules: RuleSet) -> str:
    named = [part for part in rules.scope.children if isinstance(part, Criterion) and part.otherwise]
    if named:
        return "; ".join(f"{part.words} (else: {part.otherwise.removeprefix('not applicable: ')})" for part in named)
    return f"{rules.scope} (else: {rules.outside})" if rules.scope.children else "every case"


def _answer(clause: Clause[Outcome]) -> str:
    when = clause.when.child if isinstance(clause.when, Criterion) else clause.when
    trust = clause.when.citation.trust if isinstance(clause.when, Criterion) else ""
    condition = f" if {when}" if when.children or when.field else ""
    return f"**{clause.value.status}**: {clause.value.answer}{condition} [{trust}]"


def _thresholds(rules: RuleSet) -> Iterator[str]:
    names = set(rule_names(rules))
    used = [one for book in every_book() for one in book.thresholds.values() if one.name in names]
    if used:
        yield "- **Thresholds** " + "; ".join(_threshold(one) for one in used)


def _threshold(one: Threshold) -> str:
    unit = "" if one.unit in ("1", "{score}") else f" {one.unit}"
    return f"`{one.name}` {one.value:g}{unit} [{one.citation.trust}]"


def _ranking() -> Iterator[str]:
    ranked = ranked_weak_rules()
    yield "## What to check first"
    yield ""
    yield (
        f"{len(ranked)} numbers and criteria not read in their primary source, or of our own choice, enter a "
        f"verdict. Ranked by how many of the rule sets hang on them; the first {min(LONGEST, len(ranked))}."
    )
    yield ""
    yield "| rule sets | mark | rule | what it says | source |"
    yield "|---|---|---|---|---|"
    for rule, count in ranked[:LONGEST]:
        value = rule.words if rule.value is None else f"{rule.value:g} {rule.unit}"
        yield f"| {count} | {rule.citation.trust} | `{rule.name}` | {value} | {rule.citation.source} |"
