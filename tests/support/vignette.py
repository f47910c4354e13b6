"""Synthetic patients as facts."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from endplate.decision.facts.level_facts import LevelFacts

FILE = Path(__file__).parent / "vignettes.toml"
UNKNOWN = "unknown"


@cache
def table() -> dict[str, Any]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


def vignettes() -> list[dict[str, Any]]:
    return table()["vignette"]


def facts_of(vignette: dict[str, Any], **more: Any) -> dict[str, Any]:
    """All facts of a vignette; what it calls unknown is left out."""
    everything = table()["silence"] | table()["defaults"] | vignette["facts"] | more
    return {name: value for name, value in everything.items() if value != UNKNOWN}


def level_facts(vignette: dict[str, Any], **more: Any) -> LevelFacts:
    return LevelFacts(values=facts_of(vignette, **more))
