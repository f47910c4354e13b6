"""Whether a part of a page from a results folder holds nothing but text, tables and drawings.

A results folder may come from anywhere. What it holds stands in a page of ours only where every element and attribute
is one that our own templates write; else it is shown in a frame that runs nothing.
"""

from __future__ import annotations

from html.parser import HTMLParser

_ELEMENTS = """
article section header nav div p span strong em code h1 h2 h3 h4 ul ol li dl dt dd a table caption thead tbody tr th td
details summary figure figcaption br sub sup
svg g defs pattern clippath path line polyline polygon rect circle ellipse text tspan title desc image use
"""
_ATTRIBUTES = """
class id role title lang scope colspan rowspan tabindex open href rel data-label data-side
x y x1 y1 x2 y2 cx cy r rx ry dx dy d points width height viewbox preserveaspectratio transform fill stroke
fill-opacity stroke-opacity stroke-width stroke-dasharray stroke-linecap stroke-linejoin opacity text-anchor
dominant-baseline font-size font-weight clip-path clip-rule fill-rule patternunits patterntransform xmlns
"""
ELEMENTS, ATTRIBUTES = frozenset(_ELEMENTS.split()), frozenset(_ATTRIBUTES.split())
LINKS = ("#", "https://", "http://")
PICTURES = ("#", "data:image/png;base64,", "data:image/jpeg;base64,", "data:image/webp;base64,")
OUR_IDS = frozenset({"main", "notice", "theme", "drop", "record", "answer", "q"})
"""Names that the scripts of the workbench look for."""


def is_harmless(html: str) -> bool:
    """Whether every element and attribute of a part of a page is known to do nothing."""
    looked = _Look()
    looked.feed(html)
    looked.close()
    return looked.harmless and not looked.open


class _Look(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.harmless = True
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._check(tag, attrs)
        if tag != "br":
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._check(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        """What closes something else could end the place that the part was given."""
        if not self.open or self.open.pop() != tag:
            self.harmless = False

    def handle_decl(self, decl: str) -> None:
        self.harmless = False

    def handle_pi(self, data: str) -> None:
        self.harmless = False

    def unknown_decl(self, data: str) -> None:
        self.harmless = False

    def handle_comment(self, data: str) -> None:
        """Ours are single words such as "care: begin"; others may hide markup from one reader and not from another."""
        if not data.replace(":", "").replace(" ", "").isalpha():
            self.harmless = False

    def _check(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        fine = tag in ELEMENTS and all(_fine(tag, name, value or "") for name, value in attrs)
        self.harmless = self.harmless and fine


def _fine(tag: str, name: str, value: str) -> bool:
    if name == "href":
        return value.startswith(PICTURES if tag in ("image", "use") else LINKS)
    if name == "id":
        return value not in OUR_IDS
    return name in ATTRIBUTES or name.startswith("aria-")
