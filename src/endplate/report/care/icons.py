"""A hundred people as a picture: so many of them filled."""

from __future__ import annotations

from markupsafe import Markup

from endplate.report.figure import svg

PEOPLE, PER_ROW = 100, 20
CELL_W, CELL_H = 13.0, 26.0


def icon_array(count: int, words: str, identity: str) -> Markup:
    """`count` of 100 people filled; readable without colour, and told to a screen reader."""
    shown = [_person(place, filled=place < count) for place in range(PEOPLE)]
    rows = PEOPLE // PER_ROW
    return svg.drawing(PER_ROW * CELL_W, rows * CELL_H, f"{count} of 100: {words}", shown, identity)


def _person(place: int, filled: bool) -> Markup:
    """Head and body of one person."""
    x, y = (place % PER_ROW) * CELL_W, (place // PER_ROW) * CELL_H
    name = "person" if filled else "person empty"
    head = svg.element("circle", cx=x + 6.5, cy=y + 6.0, r=3.2, class_=name)
    body = svg.rectangle(x + 3.3, y + 10.4, 6.4, 12.0, rx=2.6, class_=name)
    return svg.group([head, body])
