"""The picture in the README is the report's own, of a digital spine whose L1 was built 40 % lower in front.

`ENDPLATE_DRAW=1 python -m pytest tests/test_readme_picture.py` draws it again; otherwise its words must be today's.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from markupsafe import Markup

import endplate as ep
from endplate.report.figure.pattern import grade_patterns
from endplate.report.figure.section import section_figure
from endplate.report.figure.strip import strip_figure
from endplate.report.page import figure_style, style

FILE = Path(__file__).resolve().parents[1] / "docs" / "_static" / "report.svg"
WIDTH, HEIGHT, GAP = 470.0, 392.0, 24.0


def picture() -> str:
    """Sagittal picture and strip side by side, as one SVG that needs no other file."""
    spine = ep.make_phantom(
        ep.PhantomSpec(
            levels=(ep.Level.T12, ep.Level.L1, ep.Level.L2, ep.Level.L3),
            spacing_mm=(1.0, 1.0, 1.0),
            deformities={ep.Level.L1: ep.Deformity(shape="wedge", loss=0.4)},
        )
    )
    case = ep.assess(ep.read_case(spine.volume, spine.labels), mechanics=False)
    strip, section = strip_figure(case), section_figure(case, "sagittal")
    assert strip is not None and section is not None
    # The light colours and the rules of figures: the picture stands on white whatever the reader's page is.
    css = str(style()).partition("\n")[0] + figure_style()
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {2 * WIDTH + GAP:g} {HEIGHT:g}" role="img" '
        'font-family="system-ui, sans-serif">',
        f"<style>{css}</style>",
        f'<rect width="{2 * WIDTH + GAP:g}" height="{HEIGHT:g}" fill="#ffffff"/>',
        str(grade_patterns()),
        _placed(section, 0.0),
        _placed(strip, WIDTH + GAP),
        "</svg>\n",
    ]
    return "".join(parts)


def _placed(figure: Markup, left: float) -> str:
    place = f'<svg x="{left:g}" y="0" width="{WIDTH:g}" height="{HEIGHT:g}" preserveAspectRatio="xMidYMin meet" '
    return str(figure).replace("<svg ", place, 1)


def _words(svg: str) -> list[str]:
    return re.findall(r"<text[^>]*>([^<]*)</text>", svg)


def test_the_picture_in_the_readme_shows_what_a_report_shows_today() -> None:
    drawn = picture()
    if os.environ.get("ENDPLATE_DRAW"):
        FILE.parent.mkdir(exist_ok=True)
        FILE.write_text(drawn, encoding="utf-8")
    if not FILE.exists():
        pytest.fail("no picture yet: draw it with ENDPLATE_DRAW=1")
    kept = FILE.read_text(encoding="utf-8")
    assert _words(drawn) == _words(kept), "the report has changed: draw the picture again with ENDPLATE_DRAW=1"
    assert any(word.startswith("Grade 2") for word in _words(kept)) and "L1" in _words(kept)
