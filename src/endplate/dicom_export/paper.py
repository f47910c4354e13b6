"""A report page as WeasyPrint can lay it out: every drawing an image of its own, nothing folded, nothing fetched.

WeasyPrint draws SVG without the page's style, without `var()` and `paint-order`: each drawing gets what it needs from
the page, and outlined letters become two.
"""

from __future__ import annotations

import base64
import html
import re
from typing import Any

from endplate.errors import OptionError

DRAWING = re.compile(r'<svg\b[^>]*aria-labelledby="([^"]+)-title"[^>]*>.*?</svg>', re.DOTALL)
TITLE = re.compile(r"<title[^>]*>(.*?)</title>", re.DOTALL)
BOX = re.compile(r'viewBox="0 0 ([\d.]+) ([\d.]+)"')
STYLE = re.compile(r"<style>(.*?)</style>", re.DOTALL)
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
PAPER = """
@page { size: A4; margin: 14mm 12mm 16mm 12mm;
  @bottom-left { content: "Research software, not a medical device"; font: 8pt sans-serif; color: #555 }
  @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; color: #555 } }
html { font-size: 9.5pt }
body { margin: 0; font-size: 9.5pt }
header, main { max-width: none; padding: 0 }
h2, h3, h4 { break-after: avoid }
figure, tr { break-inside: avoid }
table { font-size: 8pt }
img.figure { display: block; width: 100%; max-height: 230mm; object-fit: contain }
.pictures { display: block }
.pictures > figure { margin: 0 auto 8mm; max-width: 130mm }
"""
"""What paper needs beside the page's own style."""


def pdf_of(page: str) -> bytes:
    """A page of a report as PDF; nothing is fetched from anywhere.

    Raises
    ------
    OptionError : WeasyPrint is not installed.
    """
    # Sections that fold on a screen are open on paper.
    text = re.sub(r"<details(?![^>]*\bopen\b)", "<details open", with_images(page))
    return laid_out(text.replace("</head>", f"<style>{PAPER}</style></head>", 1))


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
        raise OptionError("the report as PDF needs WeasyPrint", "", "pip install 'endplate[pdf]'") from error
    fetcher = URLFetcher(allowed_protocols=["data"])
    written: bytes = HTML(string=text, url_fetcher=fetcher).write_pdf()
    return written


def with_images(page: str) -> str:
    """The page with every drawing as an image."""
    found = STYLE.search(page)
    style = resolved(found[1]) if found else ""
    shared = DEFINITIONS.search(page)

    def image(drawing: Any) -> str:
        svg = standalone(drawing[0], style, shared[0] if shared else "")
        words = TITLE.search(drawing[0])
        uri = base64.b64encode(svg.encode()).decode()
        alt = html.escape(html.unescape(words[1]) if words else "drawing")
        return f'<img class="figure" alt="{alt}" src="data:image/svg+xml;base64,{uri}">'

    return DRAWING.sub(image, page)


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


def resolved(style: str) -> str:
    """A style sheet with its variables replaced by what they stand for."""
    found = ROOT.search(style)
    values = dict(re.findall(r"(--[\w-]+)\s*:\s*([^;]+)", found[1])) if found else {}
    return VARIABLE.sub(lambda name: values.get(name[1], name[0]).strip(), style)


def size_of(svg: str) -> tuple[float, float]:
    """Width and height of a drawing."""
    box = BOX.search(svg)
    return (float(box[1]), float(box[2])) if box else (400.0, 300.0)
