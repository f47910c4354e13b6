"""The page: offline, inert, readable without colour or sight, and silent about nothing that is missing."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html.parser import HTMLParser

import numpy as np
import pytest
from tests.support.synthetic_case import HOSTILE_ID, LEVELS, synthetic_case

from endplate.case import Case
from endplate.case.care import weigh
from endplate.finding import Finding
from endplate.patient import parse_record
from endplate.report.html import to_html

LINKS = re.compile(r"data:[^\"')]*|<a href=\"https?://[^\"]*\" rel=\"noopener\">[^<]*</a>")
"""Embedded data, and links to publications that a reader may follow: neither is fetched when the page opens."""
VOID = {"meta", "link", "img", "br", "hr", "input"}


class Page(HTMLParser):
    """Elements with their attributes, the visible words, and whether tags close in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.stack: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag not in VOID:
            self.stack.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        assert self.stack and self.stack[-1] == tag, f"</{tag}> closes {self.stack[-1:]}"
        self.stack.pop()

    def handle_data(self, data: str) -> None:
        if not {"style", "script"} & set(self.stack):
            self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return re.sub(r"[ \t\n]+", " ", " ".join(self.words))


@pytest.fixture(scope="module")
def case() -> Case:
    return synthetic_case()


@pytest.fixture(scope="module")
def html(case: Case) -> str:
    return to_html(case)


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


def test_the_page_is_well_formed(page: Page) -> None:
    assert page.stack == []
    identities = [a["id"] for _, a in page.elements if a.get("id")]
    assert len(identities) == len(set(identities))


def test_the_page_asks_nothing_of_the_network(html: str, page: Page) -> None:
    assert not re.findall(r"(?:https?:)?//[a-z0-9]", LINKS.sub("", html))
    for tag, attributes in page.elements:
        for name in ("src", "href", "srcset", "action", "data"):
            value = attributes.get(name)
            followed = tag == "a" and attributes.get("rel") == "noopener"
            assert value is None or followed or value.startswith(("data:", "#")), (name, value)
    assert "@import" not in html
    policy = next(a["content"] for a in page.all("meta") if a.get("http-equiv") == "Content-Security-Policy")
    assert policy is not None and "default-src 'none'" in policy


def test_a_hostile_patient_name_is_inert(html: str, page: Page) -> None:
    assert not page.all("script")
    assert HOSTILE_ID in page.text
    assert "<b>removed</b>" not in html and "&lt;b&gt;removed" in html


def test_every_picture_speaks_to_a_screen_reader(page: Page) -> None:
    drawings = [a for a in page.all("svg") if a.get("aria-hidden") != "true"]
    identities = {a.get("id") for _, a in page.elements}
    assert len(drawings) >= 3
    for drawing in drawings:
        assert drawing["role"] == "img"
        assert drawing["aria-labelledby"] in identities
    assert all(image.get("alt") for image in page.all("img"))


def test_every_table_cell_has_heads(page: Page) -> None:
    assert page.all("table")
    for head in page.all("th"):
        assert head.get("scope") in ("col", "row")
    assert all(cell.get("data-label") for cell in page.all("td") if cell.get("role") == "cell")


def test_left_and_right_are_the_patients_and_are_marked(page: Page) -> None:
    marks = {a["data-side"]: float(a["x"] or "nan") for a in page.all("text") if "data-side" in a}
    assert set(marks) == {"left", "right", "front", "back"}
    assert marks["right"] < marks["left"], "seen from the front, the patient's right is at the picture's left"
    assert marks["front"] < marks["back"]


def test_a_bright_spot_on_the_patients_left_is_drawn_at_the_pictures_right(case: Case) -> None:
    from endplate.report.figure.plane import cut, fit_frame, sample

    assert case.spine is not None and case.volume is not None
    section = cut(fit_frame(case.spine), "coronal")
    spot = case.spine.vertebrae[3].centroid_mm + np.array([20.0, 0.0, 0.0])
    hu = np.zeros(case.volume.grid.shape, np.float32)
    hu[tuple(np.rint(case.volume.grid.to_index(spot)).astype(int))] = 1000.0
    picture = sample(hu, case.volume.grid, section.points_mm, 0.0)
    column = np.argwhere(picture == picture.max())[0, 1] / picture.shape[1] * section.width_mm
    assert abs(column - section.project(spot)[0]) < 1.5
    assert column > section.project(case.spine.vertebrae[3].centroid_mm)[0] + 15.0


def test_what_could_not_be_measured_is_said_with_its_reason(case: Case, page: Page) -> None:
    for gap in case.gaps:
        assert gap.reason in page.text
    for caution in case.cautions:
        assert caution.text in page.text


def test_every_finding_is_on_the_page_with_its_source(case: Case, page: Page) -> None:
    from endplate.report.phrase import title_of, value_of

    for finding in case.findings:
        ratio = finding.code == "load_to_strength"
        assert (f"{100 * float(finding.value):.0f} %" if ratio else value_of(finding)) in page.text
        assert title_of(finding.code) in page.text
        assert finding.source in page.text
        assert all(clause[1:] in page.text for clause in finding.method.split("; "))


def test_a_code_the_page_does_not_know_still_appears(case: Case) -> None:
    strange = Finding(code="moon_phase", level=LEVELS[2], value=7.25, unit="1", method="looked up", source="an almanac")
    text = Page(to_html(replace(case, findings=(*case.findings, strange)))).text
    assert "Moon phase" in text and "7.25" in text and "an almanac" in text


def test_what_levels_share_is_said_once_and_what_differs_by_level(case: Case) -> None:
    from endplate.report.method import methods

    first, second = (f for f in case.findings if f.code == "stiffness" and f.level in (LEVELS[1], LEVELS[2]))
    same = (
        replace(first, method="squeezed; cut arch; 1 mm; soft caps"),
        replace(second, method="squeezed; 2 mm; soft caps"),
    )
    (method,) = methods(replace(case, findings=same))
    assert method.shared == "squeezed; 1 to 2 mm; soft caps"
    assert method.own == (("T12", "cut arch"),)


def test_what_quantities_of_one_solve_share_is_said_once(case: Case) -> None:
    from endplate.report.method import methods

    found = {f.code: f for f in case.findings if f.level is LEVELS[1]}
    pair = (
        replace(found["stiffness"], method="force over travel; voxels of 1 mm"),
        replace(found["failure_load"], method="0.2 % offset; voxels of 1 mm"),
    )
    (method,) = methods(replace(case, findings=pair))
    assert method.shared == "voxels of 1 mm"
    assert method.own == (("Stiffness", "force over travel"), ("Failure load", "0.2 % offset"))


def test_one_reason_is_one_bullet_and_whole_groups_go_by_their_name(case: Case) -> None:
    from endplate.finding import Gap
    from endplate.report.table import GROUPS, STRENGTH, missing

    codes = (*GROUPS["Bone density"], *GROUPS[STRENGTH])
    gaps = tuple(Gap(code=code, level=level, reason="no CT") for level in LEVELS for code in codes)
    (told,) = missing(replace(case, gaps=(*gaps, Gap(code="genant_grade", level=LEVELS[0], reason="no CT"))))
    assert told.parts == (("T11 to L4", "Bone density, stiffness and strength"), ("T11", "Genant grade"))


def test_no_sentence_ends_twice(case: Case) -> None:
    from endplate.finding import Caution

    texts = ("Ends with a stop.", "Is it given twice?", "Plain")
    cautions = tuple(Caution(code="order_contradicts_spine", text=text) for text in texts)
    text = Page(to_html(replace(case, cautions=cautions))).text
    assert ".." not in text and "?." not in text and "Plain." in text


def test_notes_are_not_called_problems(case: Case) -> None:
    from endplate.finding import Caution

    noted = replace(case, cautions=(Caution(code="input", text="the affine was orthogonal"),))
    text = Page(to_html(noted)).text
    assert "Limitations of these results" not in text and "Notes on the images and labels" in text


def test_a_refused_calibration_route_is_told_in_words() -> None:
    from endplate.finding import Caution
    from endplate.report.phrase import caution_words

    published = Caution(
        code="published_density_line", text="by a published line: +-28 (tissue: no air was found (fat 3))"
    )
    assert caution_words(published) == (
        "by a published line: +-28. The patient's own tissues could not calibrate it, because no air was found (fat 3)"
    )


def test_hounsfield_units_are_printed_as_hu(html: str) -> None:
    assert "hnsf" not in html


def test_the_height_that_lost_most_is_named_beside_the_loss(case: Case) -> None:
    from endplate.report.table import tables

    (shape,) = (table for table in tables(case) if table.title == "Shape")
    cells = dict(zip([title for title, _ in shape.heads], dict(shape.rows)["L1"], strict=True))
    assert cells["Height loss"].value == "42.0 anterior"
    assert cells["Expected height"].value == "26.0 anterior"


def test_a_category_that_is_not_certain_is_no_fact_of_the_table(case: Case) -> None:
    from endplate.report.table import tables

    (bone,) = (table for table in tables(case) if table.title == "Bone density")
    cells = dict(zip([title for title, _ in bone.heads], dict(bone.rows)["L2"], strict=True))
    assert cells["Density category"].value == "not certain"


def test_a_share_is_never_below_nothing() -> None:
    from endplate.report.phrase import band_of

    share = Finding(
        code="posterior_wall_involvement",
        level=LEVELS[0],
        value=0.02,
        unit="1",
        low=-0.05,
        high=0.09,
        method="",
        source="",
    )
    assert band_of(share) == "0 to 9"


def test_a_patients_report_holds_no_constants_of_the_digital_spine(case: Case) -> None:
    from endplate.finding import Caution
    from endplate.report.constants import PHANTOM, constants, stages_used
    from endplate.report.phrase import BUILT

    stages, without = stages_used(case)
    digital = replace(case, cautions=(Caution(code=BUILT, text="Built: so."),))
    assert without == (PHANTOM,) and stages_used(digital)[1] == ()
    names = {constant.name for constant in constants(stages, without)}
    assert names < {constant.name for constant in constants(*stages_used(digital))}
    assert "OSTEOPOROSIS_MG_CM3" in names
    assert not {c.stage for c in constants(*stages_used(replace(case, volume=None)))} & {"bone"}


def test_levels_in_a_row_are_told_as_a_run() -> None:
    from endplate.level import Level
    from endplate.report.phrase import levels_listed

    assert levels_listed([Level.L2, Level.T12, Level.L1, Level.L4]) == "T12 to L2 and L4"
    assert levels_listed([Level.L1, Level.L2]) == "L1 and L2"
    assert levels_listed([None]) == "the whole case"


def test_plain_signs_are_printed_as_people_write_them() -> None:
    from endplate.report.phrase import polished

    plain = "+-28 mg/cm3 K2HPO4 over 34 mm2, 45 deg, 0.5 x 2, -97 HU, 3% of L1-L5"
    assert polished(plain) == "±\u202f28 mg/cm³ K₂HPO₄ over 34 mm², 45°, 0.5 × 2, −97 HU, 3 % of L1-L5"


def test_grades_differ_in_more_than_colour(html: str) -> None:
    from endplate.report.figure.pattern import grade_patterns

    patterns = re.findall(r"<pattern.*?</pattern>", str(grade_patterns()))
    textures = {re.sub(r"<rect.*?</rect>|id=\"[^\"]*\"", "", pattern) for pattern in patterns}
    assert len(patterns) == len(textures) == 5
    assert "Grade 3, wedge" in html and "Fracture: yes · 42 % lost" in html


def test_an_emergency_stands_in_short_before_all_else(case: Case) -> None:
    told = {"age_yr": 76, "sex": "F", "neurology": {"saddle_anaesthesia": True}, "levels": {"L1": {"fracture": True}}}
    page = to_html(replace(case, care=weigh(parse_record(json.dumps(told)))))
    assert page.index("In short") < page.index("<h3>Emergency</h3>") < page.index('<ul class="summary">')


def test_the_disclaimer_stands_once(page: Page) -> None:
    assert page.text.count("not a medical device") == 1


def test_nan_and_python_words_never_reach_the_reader(page: Page) -> None:
    assert not re.search(r"\b(nan|None|True|False|inf|NaN|Level\.|dtype)\b", page.text)


def test_labels_alone_make_a_page_that_says_so() -> None:
    text = Page(to_html(synthetic_case(with_ct=False))).text
    assert "No CT was given" in text
    assert "How each body bears load" not in text


def test_an_empty_case_makes_a_page_that_says_so(case: Case) -> None:
    empty = replace(
        case, spine=None, fractures=(), densities=(), strengths=(), loads=(), findings=(), calibration=None, record=None
    )
    text = Page(to_html(empty)).text
    assert "No level could be graded" in text


def test_the_page_stays_small(html: str) -> None:
    assert len(html.encode()) < 1_000_000


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return float(np.dot(linear, [0.2126, 0.7152, 0.0722]))


@pytest.mark.parametrize("name", ["ink", "soft", "alarm", "accent"])
@pytest.mark.parametrize("ground", ["paper", "wash"])
@pytest.mark.parametrize("theme", [0, 1])
def test_words_stand_out_from_their_ground_on_a_light_and_a_dark_page(
    html: str, name: str, ground: str, theme: int
) -> None:
    themes = re.findall(r":root {([^}]*)}", html)
    assert len(themes) == 2
    colours = dict(re.findall(r"--(\w+): (#[0-9a-f]{6})", themes[theme]))
    light, dark = sorted((_luminance(colours[name]), _luminance(colours[ground])), reverse=True)
    assert (light + 0.05) / (dark + 0.05) >= 4.5
    assert (_luminance(colours["paper"]) > 0.5) == (theme == 0)


def test_the_list_of_contents_leads_to_every_part_and_nowhere_else(html: str, page: Page) -> None:
    identities = {a["id"] for _, a in page.elements if a.get("id")}
    leads = {a["href"][1:] for a in page.all("a") if (a.get("href") or "").startswith("#")}
    assert leads <= identities
    assert {"summary", "pictures", "numbers", "methods", "provenance", "sources"} <= leads


def test_long_tables_are_closed_until_asked_for_and_open_in_print(html: str, page: Page) -> None:
    from endplate.report.table import tables

    closed = [a for a in page.all("details") if (a.get("class") or "") == "long printed"]
    assert len(closed) == len(tables(synthetic_case())) and not any("open" in a for a in page.all("details"))
    assert "details.printed::details-content" in html


def test_the_answer_stands_in_five_lines_before_any_table(html: str) -> None:
    lines = re.findall(r"<dt>(\w+(?: \w+)?)</dt><dd>([^<]+)</dd>", html[: html.index("<table")])
    assert [label for label, _ in lines] == ["Fracture", "Bone", "Rehearsal", "Candidacy", "Next step"]
    said = dict(lines)
    assert "L1 fractured, Genant grade 3 wedge, 42.0 %" in said["Fracture"] and "No repair" in said["Rehearsal"]
    assert "no guideline was asked" in said["Candidacy"]
    assert html.index("<dt>Next step") < html.index("<table")


def test_a_drawn_outline_stays_within_its_tolerance() -> None:
    from endplate.report.figure.plane import TOLERANCE_PX, simplified

    turn = np.linspace(0, 2 * np.pi, 400)
    ring = 20 * np.stack([np.cos(turn), np.sin(turn)], -1)
    kept = simplified(ring)
    assert len(kept) < len(ring) / 4
    middles = (kept[1:] + kept[:-1]) / 2
    assert np.abs(np.linalg.norm(middles, axis=1) - 20).max() <= 1.5 * TOLERANCE_PX


@pytest.mark.parametrize(
    ("points", "drawn"),
    [
        ([[1.0, 2.0], [1.06, 2.0], [0.5, 2.55]], "M1 2l.1 0-.6.6"),
        ([[0.04, -0.26], [np.nan, 0], [3, 3], [3.01, 3.01], [13, 2]], "M0-.3M3 3l10-1"),
    ],
)
def test_a_path_is_written_in_steps_of_a_tenth(points: list[list[float]], drawn: str) -> None:
    from endplate.report.figure.svg import path

    written = re.search(r'd="([^"]*)"', str(path(points)))
    assert written is not None and written[1].replace("-.6 .6", "-.6.6") == drawn
