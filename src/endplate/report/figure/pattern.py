"""Fill patterns for the grades: told apart by texture, so that a grey print reads like the coloured page."""

from __future__ import annotations

from markupsafe import Markup

from endplate.report.figure import svg

GRADE_WORDS = {0: "no deformity", 1: "mild", 2: "moderate", 3: "severe", None: "not graded"}
"""The plain word of each Genant grade."""


def grade_class(grade: int | None) -> str:
    """CSS class of a grade's outline and tint."""
    return "grade-unknown" if grade is None else f"grade-{grade}"


def grade_fill(grade: int | None) -> str:
    """Paint reference of a grade's pattern."""
    return f"url(#{grade_class(grade)})"


def grade_patterns() -> Markup:
    """The pattern definitions, once a page: plain, dots, stripes, cross-hatch, and open dashes for unknown."""
    tiles = {
        0: [],
        1: [svg.element("circle", cx=4, cy=4, r=1.5, class_="ink")],
        2: [svg.line(0, 10, 10, 0, class_="stroke"), svg.line(-2, 2, 2, -2, class_="stroke")],
        3: [svg.line(0, 7, 7, 0, class_="stroke heavy"), svg.line(0, 0, 7, 7, class_="stroke heavy")],
        None: [svg.line(0, 4, 4, 4, class_="stroke faint")],
    }
    sizes = {0: 8, 1: 8, 2: 10, 3: 7, None: 8}
    patterns = [
        svg.element(
            "pattern",
            svg.rectangle(0, 0, sizes[grade], sizes[grade], class_=f"ground {grade_class(grade)}"),
            *parts,
            id=grade_class(grade),
            width=sizes[grade],
            height=sizes[grade],
            patternUnits="userSpaceOnUse",
        )
        for grade, parts in tiles.items()
    ]
    return svg.element(
        "svg", svg.element("defs", *patterns), width=0, height=0, class_="definitions", aria_hidden="true"
    )
