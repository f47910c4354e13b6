"""Every source can be followed: keys exist, entries have an address and are used, nothing points at private notes."""

from __future__ import annotations

import importlib
import pkgutil
import re
import tomllib
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest

import endplate
from endplate.bibliography import BibliographyError, bibliography, full_text, read_bibliography
from endplate.cited import Trust, registered
from endplate.decision.explanation.rule_listing import every_book

PACKAGE = Path(__file__).resolve().parents[1] / "src" / "endplate"
TEXTS = sorted(file for file in PACKAGE.rglob("*") if file.suffix in {".py", ".toml", ".j2"})
DATA = [file for file in TEXTS if file.suffix == ".toml" and file.parent.name != "bibliography"]
NOTES = re.compile(r"\breference (?:section )?\d", re.IGNORECASE)
"""How older sources pointed at notes that no reader has."""
ENTRY = {"authors": "Someone", "published": "Journal 2020;1:2", "url": "https://example.org"}
MARKS = get_args(Trust)
DOI = re.compile(r"10\.\d{4,9}/\S+")


def name_of(file: Path) -> str:
    return str(file.relative_to(PACKAGE))


@cache
def constants() -> tuple[Any, ...]:
    """Every constant of the package; a module whose optional dependency is absent holds none in use."""
    for info in pkgutil.walk_packages(endplate.__path__, "endplate."):
        if not info.name.endswith(("__main__", "env")) and ".migrations" not in info.name:
            importlib.import_module(info.name)
    return tuple(one for one in registered() if one.module.startswith("endplate."))


def tables(value: Any) -> Iterator[dict[str, Any]]:
    """Every table of a TOML file, however deep."""
    for child in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from tables(child)
    if isinstance(value, dict):
        yield value


def read(file: Path) -> dict[str, Any]:
    return tomllib.loads(file.read_text(encoding="utf-8"))


def keys(table: dict[str, Any]) -> list[str]:
    cite = table.get("cite", [])
    return [cite] if isinstance(cite, str) else cite


@pytest.mark.parametrize("file", TEXTS, ids=name_of)
def test_no_source_points_at_notes_that_a_reader_does_not_have(file: Path) -> None:
    lines = enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
    assert [f"{number}: {line.strip()[:90]}" for number, line in lines if NOTES.search(line)] == []


@pytest.mark.parametrize("file", DATA, ids=name_of)
def test_a_data_file_cites_keys_that_exist_and_uses_the_words_for_trust(file: Path) -> None:
    found = list(tables(read(file)))
    assert {key for table in found for key in keys(table)} - set(bibliography()) == set()
    assert [table["trust"] for table in found if table.get("trust", "design") not in MARKS] == []


@pytest.mark.parametrize("book", every_book(), ids=lambda book: book.edition.id)
def test_every_rule_but_our_own_choices_names_a_publication(book: Any) -> None:
    nodes = [(node.name, node.citation) for node in (*book.criteria.values(), *(flag.when for flag in book.flags))]
    nodes += [(one.name, one.citation) for one in (*book.thresholds.values(), *book.points)]
    ladders = [rules.answers for rules in book.rulesets] + [grading.ladder for grading in book.gradings]
    nodes += [(rung.when.name, rung.when.citation) for ladder in ladders for rung in ladder.rungs]
    assert [name for name, citation in nodes if citation.trust != "design" and not citation.cite] == []


@pytest.mark.parametrize("room", sorted({file.relative_to(PACKAGE).parts[0] for file in TEXTS}))
def test_every_constant_but_our_own_choices_names_a_publication(room: str) -> None:
    here = [one for one in constants() if one.module.split(".")[1] == room.removesuffix(".py")]
    assert [f"{one.module}: {one.source[:60]}" for one in here if one.trust != "design" and not one.cite] == []
    assert {key for one in here for key in one.cite} - set(bibliography()) == set()


def test_every_publication_is_cited() -> None:
    used = {key for one in constants() for key in one.cite}
    used |= {key for file in DATA for table in tables(read(file)) for key in keys(table)}
    assert sorted(set(bibliography()) - used) == []


@pytest.mark.parametrize("entry", bibliography().values(), ids=lambda entry: entry.key)
def test_every_publication_has_an_address_or_says_why_not(entry: Any) -> None:
    assert not entry.doi or DOI.fullmatch(entry.doi)
    assert not entry.url or entry.url.startswith("https://") or entry.url.startswith("http://")
    assert entry.address or len(entry.no_address) > len("unknown")
    assert entry.authors in str(entry) and entry.published.rstrip(".") in str(entry)


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ({"Someone 2020": ENTRY}, "key or a field"),
        ({"someone": {**ENTRY, "pages": "1-2"}}, "key or a field"),
        ({"someone": {"url": "https://example.org"}}, "lacks authors and published"),
        ({"someone": {"authors": "A", "published": "B"}}, "lacks doi or url"),
    ],
)
def test_a_malformed_entry_is_refused_by_name(table: dict[str, Any], message: str) -> None:
    with pytest.raises(BibliographyError, match=message):
        read_bibliography(table)


def test_an_entry_is_shown_in_full() -> None:
    entries = read_bibliography({"a": {**ENTRY, "doi": "10.1000/1", "title": "On bone.", "year": 2020}})
    assert str(entries["a"]) == "Someone. On bone. Journal 2020;1:2. 2020. https://doi.org/10.1000/1"
    undated = read_bibliography({"b": {"authors": "A", "published": "B", "no_address": "a leaflet"}})
    assert str(undated["b"]) == "A. B. undated. No address: a leaflet"


def test_a_key_that_does_not_exist_is_named() -> None:
    with pytest.raises(BibliographyError, match="no entry 'ghost'"):
        full_text(["ghost"])
