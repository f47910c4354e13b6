"""Where the parts of a decision stand in a page, so that a later decision can replace them."""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup

CARE = "care"
"""The part that every page has had a place for; a page of an earlier endplate may have no other."""
BEFORE, AFTER = ("emergencies", "answer", "cautions", "verdicts"), ("publications",)
"""Parts that go before and after the care sections where a page has no place for them."""
PLACES = (*BEFORE, "contents", CARE, *AFTER)
ANSWER = ('<dl class="answer">', "</dl>")
"""What the lines of the answer need round them outside their own place."""


def marks(name: str) -> tuple[str, str]:
    """The comments between which a part stands."""
    return f"<!-- {name}: begin -->", f"<!-- {name}: end -->"


def marked(name: str, body: Markup | str) -> Markup:
    """A part between its marks."""
    begin, end = marks(name)
    return Markup(f"{begin}\n{body}\n{end}") if body else Markup(begin + end)


def put(page: str, parts: Mapping[str, Markup]) -> str:
    """A page with every part in its place; those without a place go beside the care sections.

    Raises
    ------
    ValueError : the page has no place for the care sections.
    """
    page = _replaced(page, str(parts[CARE]), CARE)
    before = "".join(_alone(name, parts[name]) for name in BEFORE if marks(name)[0] not in page)
    after = "".join(str(parts[name]) for name in AFTER if marks(name)[0] not in page)
    for name in (*BEFORE, "contents", *AFTER):
        if marks(name)[0] in page:
            page = _replaced(page, str(parts[name]), name)
    begin, end = marks(CARE)
    return page.replace(begin, before + begin, 1).replace(end, end + after, 1)


def _alone(name: str, part: Markup) -> str:
    return f"{ANSWER[0]}{part}{ANSWER[1]}" if name == "answer" else str(part)


def _replaced(page: str, text: str, name: str) -> str:
    """A page with what stands between two marks, and the marks, replaced."""
    begin, end = marks(name)
    head, begun, rest = page.partition(begin)
    _, ended, tail = rest.partition(end)
    if not (begun and ended):
        raise ValueError("the page has no place for the care section")
    return head + text + tail
