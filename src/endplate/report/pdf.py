"""A page as PDF, for print and for archives: made by WeasyPrint, an optional library that needs no browser."""

from __future__ import annotations

import re

from endplate.errors import OptionError
from endplate.report.page import figure_style
from endplate.report.shared_pictures import apart

COLOUR = re.compile(r"--([\w-]+):\s*([^;}]+)")
USED_COLOUR = re.compile(r"var\(--([\w-]+)\)")
DRAWING = re.compile(r"<svg\b[^>]*>")
DEFINITIONS = re.compile(r'<svg\b[^>]*class="definitions"[^>]*>(<defs>.*?</defs>)</svg>', re.DOTALL)
FOR_PDF = "text { font-family: sans-serif; } .on-ct text, .on-paper text { stroke: none; }"
"""WeasyPrint strokes text over its fill: an outline that makes letters readable on a CT would hide them."""


def report_pdf(page: str) -> bytes:
    """A page of endplate as PDF.

    Parameters
    ----------
    page : str
        Text of `report.html`, `decision-aid.html` or any other page that endplate wrote. Nothing is fetched: only what
        the page itself holds is in the PDF.

    Returns
    -------
    bytes
        The PDF on A4 sheets, tagged, in light colours.

    Raises
    ------
    OptionError
        WeasyPrint is not installed.
    """
    try:
        from weasyprint import HTML
        from weasyprint.urls import URLFetcher
    except (ImportError, OSError) as error:
        raise OptionError(
            "WeasyPrint is not installed, or the libraries that it needs are not",
            str(error),
            "install it with: pip install 'endplate[pdf]'; or print the page from a browser",
        ) from error
    # Only what the page embeds: no page can read a file or ask a network.
    source = HTML(string=_styled(page), url_fetcher=URLFetcher(allowed_protocols=("data",)))
    written: bytes | None = source.write_pdf(pdf_tags=True)
    if not written:
        raise OptionError("the page could not be written as PDF", "WeasyPrint returned nothing", "print it instead")
    return written


def _styled(page: str) -> str:
    """A page whose drawings carry their own styles: WeasyPrint applies the style sheet of a page to no drawing."""
    colours = dict(COLOUR.findall(page.partition("@media")[0]))
    rules = USED_COLOUR.sub(lambda match: colours.get(match[1], "#000000").strip(), f"{figure_style()} {FOR_PDF}")
    found = DEFINITIONS.search(page)
    inner = f"<style>{rules}</style>{found[1] if found else ''}"
    return DRAWING.sub(lambda match: match[0] + inner, apart(page))
