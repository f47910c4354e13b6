"""What hostile or unlucky forms do: bodies without end, letters that no database keeps, fields nobody asked for."""

from __future__ import annotations

import json
import logging
from urllib.parse import urlencode

import pytest

from endplate.followup.read import course
from endplate.store.cases import add_case, case_row, case_rows, change_case
from endplate.store.users import User, add_api_token

SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{ 7 * 7 }}"
ODD = ["a\0b\x1b[31mc\u202ed", "\ud800", "x" * 100_000, SCRIPT]
RECORD = {
    "id": "anna",
    "age_yr": 74,
    "sex": "female",
    "pain": {"under_analgesia": 8},
    "levels": {"L1": {"fracture": True}},
}


@pytest.fixture
def case(bench):
    case_id = add_case(bench.store, "spine")
    change_case(bench.store, case_id, {"record": RECORD, "patient_id": "anna"})
    return case_row(bench.store, case_id)


@pytest.fixture
def no_fault(caplog):
    """Fails where the server logged a fault of its own."""
    caplog.set_level(logging.ERROR)
    yield
    assert not caplog.records, caplog.text


def post(browser, csrf, address, **fields):
    body = urlencode(fields, encoding="utf-8", errors="surrogatepass")
    headers = {"X-CSRF-Token": csrf, "Content-Type": "application/x-www-form-urlencoded"}
    return browser.post(address, content=body, headers=headers)


def clear(answer):
    """One clear answer: a page, a redirect or a refusal; never a fault of our own, never markup of the attacker."""
    assert answer.status_code < 500, answer.text
    assert "<img src=x" not in answer.text and "<script>alert" not in answer.text and "49" not in answer.text[:60]
    return answer


@pytest.mark.usefixtures("no_fault")
@pytest.mark.parametrize("text", ODD, ids=range(len(ODD)))
def test_odd_text_in_any_field_is_text_or_is_refused(bench, browser, csrf, case, text):
    base = f"/cases/{case.id}"
    clear(post(browser, csrf, f"{base}/name", name=text, version="0"))
    clear(post(browser, csrf, f"{base}/readings", what="fracture", level="L1", to="no", reason=text))
    clear(post(browser, csrf, f"{base}/readings", what=text, level=text, to=text, reason=text, scope=text))
    clear(post(browser, csrf, f"{base}/follow-up/start", levels=text, on="2026-05-01"))
    clear(post(browser, csrf, f"{base}/follow-up/start", levels="L1", on="2026-05-01"))
    clear(post(browser, csrf, f"{base}/follow-up/1/visit", nrs="4", on="2026-05-20", note=text))
    clear(post(browser, csrf, f"{base}/follow-up/1/visit", nrs=text, on=text))
    clear(post(browser, csrf, f"{base}/follow-up/1/step", kind=text))
    clear(post(browser, csrf, f"{base}/follow-up/1/repair", kind=text, levels=text, on="2026-05-20"))
    clear(post(browser, csrf, f"{base}/rehearsal", level=text, procedure=text, needle=text, more=text))
    clear(post(browser, csrf, "/settings/tokens", name=text, role=text))
    clear(post(browser, csrf, "/settings/tokens", name=text, role="reader"))
    version = str(case_row(bench.store, case.id).version)
    fields = {
        "f.age_yr": text,
        "f.cancer.kind": text,
        "f.drugs.names": text,
        "f.<script>": "1",
        "f.levels.L1.cause": text,
    }
    for name in ("answer", "next", f"reasons/nice_ta279/{'L1'}"):
        clear(post(browser, csrf, f"{base}/candidacy/{name}", **fields))
    clear(post(browser, csrf, f"{base}/candidacy/save", version=version, **fields))
    clear(post(browser, csrf, f"{base}/candidacy/save", version=version, **{"f.drugs.names": text}))
    for page in ("/", "/service", "/jobs", "/settings", f"{base}/files", f"{base}/candidacy", f"{base}/follow-up"):
        answer = clear(browser.get(page))
        assert answer.status_code == 200, page
    seen = course(bench.store, 1)
    assert len(seen.visits) <= 2
    assert not any(letter in (row.note or "") for row in seen.visits for letter in "\0\x1b\u202e")
    assert not set(case_row(bench.store, case.id).name) & set("\0\x1b\u202e\ud800")


@pytest.mark.usefixtures("no_fault")
def test_a_form_as_large_as_a_scan_is_refused_before_it_is_read(bench, browser, csrf, case):
    bench.settings.form_bytes = 100_000
    for address in ("/sign-in", f"/cases/{case.id}/candidacy/answer", f"/cases/{case.id}/name"):
        answer = browser.post(address, data={"name": "x" * 200_000}, headers={"X-CSRF-Token": csrf})
        assert answer.status_code == 413, address
        assert "MiB in one request" in answer.text
    assert case_row(bench.store, case.id).name == "spine"


@pytest.mark.usefixtures("no_fault")
def test_more_fields_than_any_form_has_are_refused(browser, csrf, case):
    fields = {f"f.{number}": "1" for number in range(3000)}
    answer = browser.post(f"/cases/{case.id}/candidacy/answer", data=fields, headers={"X-CSRF-Token": csrf})
    assert answer.status_code == 400


@pytest.mark.usefixtures("no_fault")
@pytest.mark.parametrize("length", ["-1", "1e9", "9" * 5000, "abc"])
def test_a_length_that_is_none_is_refused(browser, length):
    assert browser.post("/sign-in", headers={"Content-Length": length}).status_code in (400, 413)


@pytest.mark.usefixtures("no_fault")
def test_a_case_is_not_begun_with_a_name_that_no_database_keeps(bench, browser, csrf):
    given = {"files": ("a.json", json.dumps(RECORD).encode(), "application/json")}
    for name in ODD:
        raw = {"name": name.encode("utf-8", "surrogatepass")}
        clear(browser.post("/cases", files=given, data=raw, headers={"X-CSRF-Token": csrf}))
    assert all("\0" not in row.name and "\x1b" not in row.name for row in case_rows(bench.store))


@pytest.mark.usefixtures("no_fault")
@pytest.mark.parametrize("level", ["<script>", "../../x", "Ω9", "L" * 5000])
def test_a_level_of_the_address_is_only_looked_up(browser, case, level):
    for address in (f"candidacy?level={level}", f"follow-up?episode={level}", f"rehearsal?level={level}"):
        clear(browser.get(f"/cases/{case.id}/{address}"))


RAW = ("Input should", "pydantic", "Field required", "unable to", "validation error", "valid integer")
"""Words of the library that checks requests; none of them tells a nurse what to do."""


@pytest.mark.usefixtures("no_fault")
@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("/?most=x", "most is &#39;x&#39;, but should be a whole number"),
        ("/cases/{id}/follow-up?episode=two", "episode is &#39;two&#39;, but should be a whole number"),
        ("/cases/{id}/view/slice/axial/1e9.png", "index is &#39;1e9&#39;, but should be a whole number"),
        (
            "/cases/{id}/view/slice/axial/1.png?labels=perhaps",
            "labels is &#39;perhaps&#39;, but should be true or false",
        ),
        ("/cases/{id}/rehearsal/clearance", "level is missing"),
    ],
)
def test_a_request_of_another_form_is_told_in_plain_words(browser, case, address, said):
    answer = browser.get(address.format(id=case.id))
    text = " ".join(answer.text.split())
    assert answer.status_code == 422 and said in text
    assert not [word for word in RAW if word in text]


@pytest.mark.usefixtures("no_fault")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"{", "the request is not valid JSON"),
        (b"[]", "the request is [], but should be an object of fields"),
        (b'{"what": "grade"}', "level is missing"),
        (
            b'{"what": "guess", "level": "L1", "reason": "x"}',
            "should be 'renumber', 'set_aside', 'grade' or 'fracture'",
        ),
        (b'{"what": "grade", "level": "L1", "reason": ""}', "reason is '', but should be at least 1 letters long"),
        (b'{"what": "grade", "level": 7, "reason": "x"}', "level is 7, but should be text"),
    ],
)
def test_a_program_is_told_in_plain_words_too(bench, browser, case, body, said):
    key = add_api_token(bench.store, User(name="ada", role="admin"), "a program", "editor")
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    answer = browser.post(f"/api/cases/{case.id}/readings", content=body, headers=headers)
    error = answer.json()["error"]
    assert answer.status_code == 422 and said in error["what"], error
    assert error["why"] and error["fix"] and not [word for word in RAW if word in answer.text]
