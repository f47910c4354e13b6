"""A page as PDF: pictures in it, nothing fetched, the same bytes twice, one clear line where the library is absent."""

from __future__ import annotations

import re
import sys

import pytest
from tests.support.synthetic_case import synthetic_case

from endplate.errors import OptionError
from endplate.report.html import to_html
from endplate.report.page import style
from endplate.report.pdf import report_pdf

NAMED = (
    '<html lang="en"><head><title>p</title><style>{style}</style></head><body>'
    '<svg class="definitions" width="0" height="0"><defs><pattern id="dots" width="4" height="4">'
    '<circle cx="2" cy="2" r="1"></circle></pattern></defs></svg>{body}</body></html>'
)


def images(pdf: bytes) -> int:
    return len(re.findall(rb"/Subtype ?/Image", pdf))


def test_the_pictures_of_the_report_are_in_the_pdf_and_the_bytes_are_the_same_twice() -> None:
    pytest.importorskip("weasyprint")
    page = to_html(synthetic_case())
    first = report_pdf(page)
    assert first.startswith(b"%PDF-") and images(first) >= page.count("data:image/")
    assert report_pdf(page) == first


def test_a_page_can_read_no_file_through_its_pdf(tmp_path) -> None:
    pytest.importorskip("weasyprint")
    from PIL import Image

    Image.new("RGB", (8, 8), "red").save(tmp_path / "secret.png")
    page = NAMED.format(style=style(), body=f'<img src="{(tmp_path / "secret.png").as_uri()}" alt="none">')
    assert images(report_pdf(page)) == 0


def test_drawings_keep_their_classes_and_colours_in_the_pdf() -> None:
    from endplate.report.pdf import _styled

    styled = _styled(NAMED.format(style=style(), body='<svg viewBox="0 0 9 9"><path class="curve" d="M0 0"/></svg>'))
    inner = styled[styled.index('<svg viewBox="0 0 9 9">') :]
    assert "var(--" not in inner and ".curve { fill: none; stroke: #0b4f71" in inner and '<pattern id="dots"' in inner


def test_without_the_library_it_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "weasyprint", None)
    with pytest.raises(OptionError, match=r"endplate\[pdf\]"):
        report_pdf("<html></html>")
