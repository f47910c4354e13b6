"""axe-core at a pinned version: rules of WCAG 2.2 A and AA that a page in a browser breaks."""

from __future__ import annotations

import hashlib
from functools import cache
from pathlib import Path
from typing import Any

VERSION = "4.14.1"
SHA256 = "29348999450cdf2849a8e70b7912fc2da85a849da39c0d0d5394f51d4a9ed95c"
SCRIPT = Path(__file__).parent / "axe_core" / "axe.min.js"
RULES = {"runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}}
FEWEST_PASSES = 5
"""A page of which fewer rules say anything was not looked at."""


@cache
def _script() -> str:
    text = SCRIPT.read_bytes()
    assert hashlib.sha256(text).hexdigest() == SHA256
    return text.decode()


def broken_rules(page: Any) -> list[tuple[str, str]]:
    """Each broken rule of the page with the first place; the page's context must bypass its policy of scripts."""
    page.evaluate(_script())
    found = page.evaluate("rules => axe.run(document, rules)", RULES)
    assert found["testEngine"]["version"] == VERSION
    assert len(found["passes"]) > FEWEST_PASSES
    return [(one["id"], one["nodes"][0]["html"][:300]) for one in found["violations"]]
