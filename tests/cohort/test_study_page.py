"""The page of a study: whatever an id, reason or path holds, it is text; one script, known by its hash; no network."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser

from endplate.cohort.page import Facts, study_page
from endplate.cohort.stamp import Stamp
from endplate.cohort.tally import Tally, chosen_for_sheet, general_reason

HOSTILE = "</script><img src=x onerror=alert(1)> \"&'"


class Parsed(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def finding(code, value, level="L1"):
    return {"code": code, "level": level, "value": value, "condition": "", "reason": None}


def page(cases: int = 3) -> str:
    tally, sheet = Tally(), []
    for number in range(cases):
        marks = (("L1", 0.5, 0.3, "2"), ("L2", 0.5, 0.7, "?"))
        stamp = Stamp(id=f"{HOSTILE}{number}", status="done", settings="", age_yr=60.0 + number, sex="female",
                      seconds=2.0, marks=marks, verdicts=(("L1", "nice_ta279", "met", "x"),))  # fmt: skip
        tally.add(stamp, [finding("height_loss", 0.3), finding("trabecular_density", 90.0 + number)])
        levels = [{"level": level, "x": x, "y": y, "grade": grade} for level, x, y, grade in marks]
        sheet.append({"id": stamp.id, "folder": "f", "page": False, "picture": "data:image/jpeg;base64,AA==",
                      "about": HOSTILE, "levels": levels})  # fmt: skip
    tally.add(Stamp(id="bad", status="failed", settings="", kind="LabelError", reason=f"/data/{HOSTILE} is bad."), [])
    return study_page(tally, sheet, Facts(source=HOSTILE, step="assess", rows=9, chosen=4, thumbnails=cases), None)


def test_hostile_text_is_text():
    parsed = Parsed()
    parsed.feed(page())
    pictures = [attributes for tag, attributes in parsed.tags if tag == "img"]
    assert len(pictures) == 3 and all((one["src"] or "").startswith("data:") for one in pictures)
    assert not any(name.startswith("on") for _, attributes in parsed.tags for name in attributes)


def test_the_only_script_is_the_one_that_the_policy_names_and_nothing_is_fetched():
    text = page()
    scripts = re.findall(r"<script(?P<kind>[^>]*)>(?P<body>.*?)</script>", text, re.DOTALL)
    run = [body for kind, body in scripts if "application/json" not in kind]
    (data,) = [body for kind, body in scripts if "application/json" in kind]
    assert len(run) == 1 and len(json.loads(data)) == 3 and json.loads(data)[0]["id"].startswith(HOSTILE)
    digest = base64.b64encode(hashlib.sha256(run[0].encode()).digest()).decode()
    assert f"script-src &#39;sha256-{digest}&#39;" in text or f"script-src 'sha256-{digest}'" in text
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//""", text)


def test_equal_reasons_are_counted_together():
    assert general_reason("/a/b 7.nii has 3 voxels of case-7", "case-7") == general_reason(
        "/x/b 9.nii has 12 voxels of case-9", "case-9"
    )
    tally = Tally()
    for number in range(7):
        reason = f"/data/{number}/ct.nii.gz does not exist; check the path."
        tally.add(Stamp(id=f"c{number}", status="failed", settings="", kind="ImageError", reason=reason), [])
    (one,) = tally.failures.values()
    assert one.count == 7 and len(one.examples) == 5


def test_the_contact_sheet_is_all_or_a_fixed_choice():
    ids = [f"{n}" for n in range(30)]
    assert chosen_for_sheet(ids, 30, 0) == set(ids)
    assert (
        chosen_for_sheet(ids, 10, 1) == chosen_for_sheet(ids[::-1], 10, 1) and len(chosen_for_sheet(ids, 10, 1)) == 10
    )


def test_large_series_are_drawn_as_ranges():
    tally = Tally()
    for number in range(400):
        stamp = Stamp(id=f"{number}", status="done", settings="", age_yr=40.0 + number % 50, sex="male", seconds=1.0)
        tally.add(stamp, [finding("trabecular_density", 100.0 + number % 30)])
    text = study_page(tally, [], Facts(source="s", step="assess", rows=400, chosen=400, thumbnails=0), None)
    assert "median male" in text and "<circle" not in text and "n = 400" in text
