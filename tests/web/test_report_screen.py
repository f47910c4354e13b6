"""The report within the workbench: the same parts as its file, and a frame where the folder is not as we left it."""

from __future__ import annotations

import re
import shutil

import pytest
from tests.support.measured_store import copied_store

from endplate.report.figure.bitmap import ABOVE_RGB, ramp_rgb
from endplate.report.page import style, style_within
from endplate.store.cases import case_row
from endplate.store.database import open_store
from endplate.web.harmless import is_harmless
from endplate.web.opened import open_results


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A measured results folder."""
    place = tmp_path_factory.mktemp("copied")
    case_id = copied_store(place, tmp_path_factory.mktemp("once"))
    with open_store(place / "endplate.db") as store:
        return case_row(store, case_id).folder


@pytest.fixture
def opened(bench, made, tmp_path):
    folder = tmp_path / "results"
    shutil.copytree(made, folder)
    return folder, open_results(bench.store, bench.files, folder, "ada")


def sections(text):
    return [re.sub(r"\s+", " ", one) for one in re.findall(r"<section.*?</section>", text, re.DOTALL)]


def test_page_and_file_are_made_of_the_same_parts(browser, opened):
    folder, case_id = opened
    text = browser.get(f"/cases/{case_id}/report").text
    assert "<iframe" not in text and 'href="/style/report.css"' in text
    assert " style=" not in text  # the policy of our pages allows none
    assert sections(text.partition('class="report-page"')[2]) == sections((folder / "report.html").read_text())
    assert len(sections(text)) > 5


def test_its_style_stays_in_its_place(browser):
    css = browser.get("/style/report.css").text
    assert css == style_within(".report-page") and css.startswith(".report-page {")
    assert css.count("{") == css.count("}")
    assert ":root" not in css and "@page" not in css  # the colours are the page's own
    assert ":root" in style() and "@page" in style()


@pytest.mark.parametrize("name", ["report.json", "report.html"])
def test_a_folder_that_was_changed_is_shown_in_a_frame(browser, opened, name):
    folder, case_id = opened
    text = (folder / name).read_text(encoding="utf-8").replace("In short", "In short<script>alert(1)</script>")
    (folder / name).write_text(text + "\n", encoding="utf-8")
    shown = browser.get(f"/cases/{case_id}/report").text
    assert "<script>alert" not in shown
    assert "<iframe" in shown and 'class="report-page"' not in shown


def test_the_ramp_of_the_style_sheet_is_that_of_the_pictures():
    (colours,) = re.findall(r"linear-gradient\(to right, (.*?)\);", str(style()))
    assert colours == ", ".join("rgb({}, {}, {})".format(*ramp_rgb(step / 7.0)) for step in range(8))
    assert ".bar.above {{ background: rgb({}, {}, {});".format(*ABOVE_RGB) in str(style())


@pytest.mark.parametrize(
    "part",
    [
        "<script>x</script>", "<p onclick=x>", '<p style="color:red">a</p>', "<form action=/x></form>", "<input>",
        '<p hx-post="/settings/tokens" hx-trigger="load">a</p>', '<p data-hx-get="/x">a</p>', "</div><p>a</p>",
        '<a href="javascript:x">a</a>', '<a href="/jobs">a</a>', '<svg><image href="https://a.example/b.png"/></svg>',
        '<svg><use href="https://a.example/b.svg#c"/></svg>', "<iframe src=x></iframe>", '<p id="notice">a</p>',
        "<!--[if IE]><p>--><p>a</p>", "<p>a", "<style>p{}</style>", '<p data-job="a">b</p>',
        "<svg><a xlink:href=x /></svg>",
        '<svg><image href="data:image/svg+xml;base64,AAAA"/></svg>', "<meta charset=x>", "<![CDATA[x]]>", "<?php x ?>",
    ],
)  # fmt: skip
def test_what_a_page_of_ours_never_writes_is_not_harmless(part):
    assert is_harmless("<div><p>a &lt;script&gt;</p><!-- care: begin --></div>")
    assert not is_harmless(part)
