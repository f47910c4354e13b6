"""Drawings of a report as WeasyPrint can draw them alone.

It draws SVG without the page's style, without `var()` and `paint-order`: each drawing gets what it needs from the page,
and outlined letters become two.
"""

from __future__ import annotations

import html
import re
from typing import Any

from endplate.errors import OptionError
from endplate.report.page import figure_style

DRAWING = re.compile(r'<svg\b[^>]*aria-labelledby="([^"]+)-title"[^>]*>.*?</svg>', re.DOTALL)
TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.DOTALL)
BOX = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
DEFINITIONS = re.compile(r"<defs>.*?</defs>", re.DOTALL)
ROOT = re.compile(r":root\s*\{([^}]*)\}")
VARIABLE = re.compile(r"var\((--[\w-]+)\)")
TEXT = re.compile(r"<text\b([^>]*)>(.*?)</text>", re.DOTALL)
MEDIA = re.compile(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}")
RULE = re.compile(r"([^{}]+)\{[^{}]*\}")
HALO = (
    ".on-ct text { stroke: none; } "
    "text.halo { fill: none; stroke: none; } "
    ".on-ct text.halo { fill: none; stroke: #000000; stroke-width: 3px; stroke-linejoin: round; }"
)


def laid_out(text: str) -> bytes:
    """HTML as PDF.

    Raises
    ------
    OptionError : WeasyPrint is not installed.
    """
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except ImportError as error:
        raise OptionError("key pictures need WeasyPrint", "", "pip install 'endplate[pdf]'") from error
    fetcher = URLFetcher(allowed_protocols=["data"])
    written: bytes = HTML(string=text, url_fetcher=fetcher).write_pdf()
    return written


def standalone(svg: str, style: str, definitions: str) -> str:
    """A drawing of a page as an SVG of its own."""
    wide, high = size_of(svg)
    head, _, rest = svg.partition(">")
    head = head.replace("<svg", f'<svg xmlns="http://www.w3.org/2000/svg" width="{wide:g}" height="{high:g}"', 1)
    body = TEXT.sub(_twice, rest) if "on-ct" in rest else rest
    look = f"svg {{ font-family: sans-serif }} {_needed(style, svg)} {HALO}"
    return f"{head}><style>{look}</style>{definitions}{body}"


def _needed(style: str, svg: str) -> str:
    """The rules of a page that speak of something in a drawing: reading all of them for each would take long."""
    there = {name for found in re.findall(r'class="([^"]*)"', svg) for name in found.split()}

    def speaks(selector: str) -> bool:
        return all(name in there for name in re.findall(r"\.([\w-]+)", selector)) and not selector.lstrip().startswith(
            "@"
        )

    rules = [rule for rule in RULE.finditer(MEDIA.sub("", style)) if any(map(speaks, rule[1].split(",")))]
    return " ".join(html.escape(rule[0], quote=False).replace("&gt;", ">") for rule in rules)


def _twice(letters: Any) -> str:
    """Outlined letters: the outline below, the letters on it."""
    given = letters[1]
    halo = re.sub(r'class="', 'class="halo ', given) if 'class="' in given else f'{given} class="halo"'
    return f"<text{halo}>{letters[2]}</text>{letters[0]}"


def drawing_style(page: str) -> str:
    """The style of drawings with its variables replaced by what they stand for in the page."""
    found = ROOT.search(page)
    values = dict(re.findall(r"(--[\w-]+)\s*:\s*([^;}]+)", found[1])) if found else {}
    return VARIABLE.sub(lambda name: values.get(name[1], "#000000").strip(), figure_style())


def size_of(svg: str) -> tuple[float, float]:
    """Width and height of a drawing."""
    box = BOX.search(svg)
    return (float(box[1]), float(box[2])) if box else (400.0, 300.0)
