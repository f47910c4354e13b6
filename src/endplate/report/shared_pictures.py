"""Pictures that a page shows twice stand in it once: later ones are drawn from the first."""

from __future__ import annotations

import re
from collections import Counter

IMAGE = re.compile(r"<image(?: [\w-]+=\"[^\"<>]*\")* ?/?>(?:</image>)?")
USE = re.compile(r'<use href="#(shared-\d+)"/>')
SHARED = re.compile(r'<image id="(shared-\d+)"( [^<>]*)/>')


def shared(page: str) -> str:
    """A page in which every embedded picture that is drawn again in the same place is a reference to the first."""
    counts = Counter(IMAGE.findall(page))
    names = {text: f"shared-{n}" for n, text in enumerate((t for t, times in counts.items() if times > 1), start=1)}
    seen: set[str] = set()

    def drawn(match: re.Match[str]) -> str:
        text = match[0]
        if text not in names:
            return text
        if text in seen:
            return f'<use href="#{names[text]}"/>'
        seen.add(text)
        attributes = text.removeprefix("<image").partition(">")[0].rstrip("/").rstrip()
        return f'<image id="{names[text]}"{attributes}/>'

    return IMAGE.sub(drawn, page)


def apart(page: str) -> str:
    """The page with every picture in its own drawing again, for a reader that looks into one drawing at a time."""
    first = {match[1]: f"<image{match[2]}/>" for match in SHARED.finditer(page)}
    return USE.sub(lambda match: first.get(match[1], match[0]), page)
