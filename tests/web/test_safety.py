"""Each attack that the workbench must survive: nothing is read, nothing is changed, nothing is run."""

from __future__ import annotations

import io
import json
import re
import zipfile
from urllib.parse import quote

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from endplate.jobs import queue
from endplate.store import users
from endplate.store.audit import notes
from endplate.store.cases import add_case, case_row, case_rows, change_case
from endplate.store.users import User, add_api_token, add_user
from endplate.web.app import create_app
from endplate.web.screens import routers

SCRIPT = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>"
RECORD = json.dumps({"id": "anna", "age_yr": 74, "sex": "female"}).encode()


@pytest.fixture
def case(bench):
    """A measured case with an odd name and odd words in all that its row shows."""
    folder = bench.files.root / "results" / ("a" * 32)
    folder.mkdir()
    (folder / "report.html").write_text("<!doctype html><script>alert(1)</script><p>report</p>")
    case_id = add_case(bench.store, SCRIPT, folder)
    grades = {"L1": {"genant_grade": 2, "fracture": "yes", "height_loss": 0.3, "deformity_shape": SCRIPT}}
    summary = {"levels": ["L1"], "grades": grades, "worst": "L1", "fractured": ["L1"], "decided": True, "gaps": 0,
               "emergencies": [{"certainty": "certain", "level": "L1", "words": SCRIPT, "action": SCRIPT}]}  # fmt: skip
    change_case(bench.store, case_id, {"summary": summary, "patient_id": SCRIPT})
    return case_row(bench.store, case_id)


def attack(browser, method, address, **more):
    return browser.request(method, address, **more)


def changes():
    """Every address of every screen that changes something, but for the door."""
    paths = {route.path for router in routers() for route in router.routes if {"POST", "PUT", "DELETE"} & route.methods}
    return sorted(re.sub(r"\{(\w+)\}", filled, path) for path in paths - {"/sign-in"})


def filled(name):
    return 32 * "b" if name[1].endswith("_id") else "L1" if name[1] == "level" else "1"


def test_a_change_without_the_token_of_the_session_is_refused(bench, browser):
    assert len(changes()) > 15
    for address in changes():
        answer = browser.post(address, data={"name": "x"})
        assert answer.status_code == 403, address
        assert "does not belong to your session" in answer.text
        assert browser.post(address, data={"csrf": "wrong"}).status_code == 403
    assert bench.executor.jobs == []


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "cross-site"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_another_origin_changes_nothing(bench, browser, csrf, case, headers):
    answer = browser.post(f"/cases/{case.id}/name", data={"csrf": csrf, "name": "taken"}, headers=headers)
    assert answer.status_code == 403
    assert case_row(bench.store, case.id).name == SCRIPT


def test_another_origin_reads_nothing(browser, case):
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}
    assert browser.get(f"/cases/{case.id}/picture", headers=headers).status_code == 403


@pytest.mark.parametrize("host", ["evil.example", "evil.example:8420", "127.0.0.1:9999", "127.0.0.1", ""])
def test_a_name_that_is_not_ours_is_refused(browser, host):
    answer = browser.get("/", headers={"Host": host})
    assert answer.status_code == 400
    assert "No case" not in answer.text


@pytest.mark.parametrize("wrong", ["a" * 32, "1", "A" * 32, "%2e%2e", "..%2f..%2fetc%2fpasswd", "%00", "a" * 5000])
def test_a_wrong_id_reads_nothing(browser, case, wrong):
    for rest in ("", "/files", "/report", "/report.html", "/picture", "/row"):
        answer = browser.get(f"/cases/{wrong}{rest}")
        assert answer.status_code == 404
        assert "root:" not in answer.text


def test_of_a_job_only_what_it_made_is_given(bench, browser, case):
    """A number beyond the list, a job of another kind, a name that is none of an export."""
    job_id = queue.submit(bench.store, "export", "Export", "ada", case.id)
    queue.claim(bench.store, job_id)
    (bench.files.run(job_id)).mkdir()
    (bench.files.run(job_id) / "report.pdf").write_bytes(b"%PDF")
    assert browser.get(f"/jobs/{job_id}/made/0").status_code == 404
    queue.end(bench.store, job_id, "done", {"result": {"files": ["report.pdf", "../../../endplate.db"]}})
    assert browser.get(f"/jobs/{job_id}/made/0").content == b"%PDF"
    for number in ("1", "2", "-1", "x", "../0"):
        assert browser.get(f"/jobs/{job_id}/made/{number}").status_code in (404, 422)
    for word in ("nothing", "..%2fcase.json", "case.json"):
        assert browser.get(f"/cases/{case.id}/documents/{word}").status_code == 404


@pytest.mark.parametrize("path", ["../app.py", "%2e%2e/app.py", "..%2fapp.py", "....//app.py", "%2fetc%2fpasswd"])
def test_static_files_stay_in_their_folder(stranger, path):
    answer = stranger.get(f"/static/{path}")
    assert answer.status_code in (401, 404)
    assert "import" not in answer.text and "root:" not in answer.text


def test_a_script_in_any_text_is_text(bench, browser, csrf, case):
    browser.post("/settings/tokens", data={"csrf": csrf, "name": SCRIPT, "role": "reader"})
    asked = f"/?q={quote(SCRIPT)}&show={quote(SCRIPT)}"
    for page in ("/", "/cases/{id}/files", "/cases/{id}/report", "/cases/{id}/row", "/settings", "/jobs", asked):
        text = browser.get(page.replace("{id}", case.id)).text
        assert "<img src=x" not in text
        assert "<script>alert" not in text


def test_pages_allow_no_inline_script(browser, case):
    for address in ("/", f"/cases/{case.id}/files", "/settings"):
        answer = browser.get(address)
        policy = answer.headers["content-security-policy"]
        assert "script-src 'self';" in policy
        assert "unsafe" not in policy
        assert " style=" not in answer.text
        assert " onclick" not in answer.text
        assert answer.headers["cache-control"] == "no-store"
    report = browser.get(f"/cases/{case.id}/report.html").headers["content-security-policy"]
    assert "script" not in report.replace("default-src 'none'", "")
    assert "sandbox" in report


@pytest.mark.parametrize(
    "name",
    ["../../../../tmp/evil.json", "..\\..\\evil.json", "/etc/cron.d/evil.json", SCRIPT + ".json", "a\0b.json", ""],
)
def test_a_name_of_a_file_is_never_a_path(bench, browser, csrf, name, tmp_path):
    before = {path for path in tmp_path.rglob("*") if "incoming" not in path.parts}
    files = {"files": (name, RECORD, "application/json")}
    answer = browser.post("/cases", files=files, headers={"X-CSRF-Token": csrf, "Accept": "application/json"})
    after = {path for path in tmp_path.rglob("*") if "incoming" not in path.parts}
    assert after == before
    assert answer.status_code in (200, 400)
    lying = [path.name for path in (bench.files.root / "incoming").rglob("*") if path.is_file()]
    assert set(lying) <= {"00000.json", "00000", "names.json"}
    assert "<img src=x" not in browser.get("/").text


def zipped(**entries):
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return made.getvalue()


def give(browser, csrf, name, content):
    headers = {"X-CSRF-Token": csrf, "Accept": "application/json", "HX-Request": "true"}
    return browser.post("/cases", files={"files": (name, content, "application/octet-stream")}, headers=headers)


def test_a_zip_that_grows_beyond_the_limit_is_refused(bench, browser, csrf):
    bench.settings.expanded_bytes = 10_000
    answer = give(browser, csrf, "bomb.zip", zipped(a=b"0" * 1_000_000))
    assert answer.status_code == 400
    assert "bomb.zip" in answer.text
    assert list((bench.files.root / "incoming").iterdir()) == []
    assert case_rows(bench.store) == []


def test_a_zip_that_lies_about_its_sizes_is_refused(bench, browser, csrf):
    bench.settings.expanded_bytes = 10_000
    whole = bytearray(zipped(a=b"0" * 1_000_000))
    for mark, place in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        at = whole.index(mark) + place
        whole[at : at + 4] = (100).to_bytes(4, "little")
    assert give(browser, csrf, "bomb.zip", bytes(whole)).status_code == 400
    assert list((bench.files.root / "incoming").iterdir()) == []


def test_a_zip_with_a_way_out_of_its_folder_writes_nothing_there(bench, browser, csrf, tmp_path):
    answer = give(browser, csrf, "out.zip", zipped(**{"../../../evil.json": RECORD, "/abs.json": RECORD}))
    assert answer.status_code == 200
    assert not list(tmp_path.rglob("evil.json")) and not list(tmp_path.rglob("abs.json"))


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("notes.docx", b"\x00\x01\x02 nothing", "none of the kinds of file"),
        ("patient.json", b'{"age_yr": 300, "sex": "female"}', "age_yr"),
        ("patient.json", b'{"age_yr": 74', "is not valid JSON or TOML"),
        ("broken.zip", b"PK\x03\x04 no zip", "cannot be opened"),
        ("zip.zip", zipped(inner=zipped(a=b"1")), "none of the kinds of file"),
    ],
)
def test_what_cannot_be_used_is_refused_at_once_in_one_line(bench, browser, csrf, name, content, said):
    answer = give(browser, csrf, name, content)
    assert answer.status_code == 400
    assert said in answer.text
    assert str(bench.files.root) not in answer.text
    assert "Traceback" not in answer.text
    assert case_rows(bench.store) == []
    assert list((bench.files.root / "incoming").iterdir()) == []


def test_an_upload_beyond_the_limit_is_refused_before_it_is_read(bench, browser, csrf):
    bench.settings.upload_bytes = 1000
    assert give(browser, csrf, "a.json", b" " * 5000).status_code == 413


def test_an_upload_of_unknown_length_is_refused(browser, csrf):
    answer = browser.post("/cases", content=iter([b"a" * 10]), headers={"X-CSRF-Token": csrf})
    assert answer.status_code == 411


def test_who_read_and_who_changed_a_patient_is_kept(bench, browser, csrf, case):
    browser.get(f"/cases/{case.id}/files")
    browser.get(f"/cases/{case.id}/files")
    browser.post(f"/cases/{case.id}/name", data={"csrf": csrf, "name": "anna"})
    found = [(row.who, row.did) for row in notes(bench.store, patient_id=SCRIPT)]
    assert found == [("ada", "renamed the case"), ("ada", "read")]


def test_of_two_who_rename_a_case_the_second_is_told(bench, browser, csrf, case):
    given = {"csrf": csrf, "version": str(case.version)}
    assert browser.post(f"/cases/{case.id}/name", data=given | {"name": "one"}).status_code == 303
    answer = browser.post(f"/cases/{case.id}/name", data=given | {"name": "two"})
    assert answer.status_code == 400
    assert "changed by somebody else meanwhile" in answer.text
    assert case_row(bench.store, case.id).name == "one"


# On a network: users, roles, and a limit on wrong passwords


@pytest.fixture
def network(bench, monkeypatch):
    # One pass over little memory: what is tried here is not how long a password withstands.
    monkeypatch.setattr(users, "_hasher", lambda: PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    bench.settings.local = False
    for name, role in (("rita", "reader"), ("ed", "editor"), ("adam", "admin")):
        add_user(bench.store, name, role, f"a long password of {name}")
    with TestClient(create_app(bench), base_url="http://127.0.0.1:8420", follow_redirects=False) as client:
        yield client


def sign_in(network, name, password=None):
    network.cookies.clear()
    return network.post("/sign-in", data={"name": name, "password": password or f"a long password of {name}"})


def token_of(network):
    return network.get("/").text.partition('name="csrf" content="')[2].partition('"')[0]


def test_on_a_network_the_token_of_an_address_opens_nothing(bench, network):
    assert network.get(f"/enter?token={bench.entry_token}").status_code == 403
    assert network.get("/").headers["location"] == "/sign-in"


def test_a_session_of_this_computer_opens_nothing_on_a_network(bench, browser):
    assert browser.get("/").status_code == 200
    bench.settings.local = False
    assert browser.get("/").status_code == 303


def test_roles_bound_what_a_user_may_do(bench, network):
    case_id = add_case(bench.store, "spine")
    tried = {"rita": (403, 403), "ed": (303, 403), "adam": (303, 200)}
    for name, (rename, settings) in tried.items():
        assert sign_in(network, name).status_code == 303
        csrf = token_of(network)
        assert network.post(f"/cases/{case_id}/name", data={"csrf": csrf, "name": name}).status_code == rename
        assert network.get("/settings").status_code == settings
        assert network.get("/").status_code == 200


def test_a_stranger_sends_little(network):
    assert network.post("/sign-in", data={"name": "a" * 100_000, "password": "b"}).status_code == 413


def test_few_wrong_passwords_then_a_wait(bench, network):
    for _ in range(5):
        assert sign_in(network, "rita", "wrong").status_code == 403
    assert sign_in(network, "rita", "wrong").status_code == 429
    assert sign_in(network, "rita").status_code == 429
    assert sum(row.did == "was refused at sign-in" for row in notes(bench.store)) == 5


def test_signing_out_ends_the_session(network):
    sign_in(network, "ed")
    cookies = dict(network.cookies)
    network.post("/sign-out", data={"csrf": token_of(network)})
    network.cookies.update(cookies)
    assert network.get("/").status_code == 303


def test_passwords_and_keys_are_kept_as_hashes_alone(bench, network):
    sign_in(network, "ed")
    key = add_api_token(bench.store, User(name="ed", role="editor"), "program", "reader")
    content = b"".join(path.read_bytes() for path in bench.files.root.parent.glob("endplate.db*"))
    assert b"a long password of ed" not in content
    assert key.encode() not in content
    assert next(iter(network.cookies.values())).encode() not in content


# The REST door


def test_the_rest_door_needs_a_token_of_its_own(bench, browser):
    case_id = add_case(bench.store, "spine")
    assert browser.get("/api/cases").status_code == 401  # the cookie of a page opens no door
    key = add_api_token(bench.store, User(name="ada", role="admin"), "program", "reader")
    headers = {"Authorization": f"Bearer {key}"}
    assert browser.get("/api/cases", headers=headers).json()[0]["id"] == case_id
    assert browser.get("/api/openapi.json", headers=headers).json()["info"]["title"] == "endplate"
    refused = browser.post(f"/api/cases/{case_id}/measure", headers=headers)
    assert refused.status_code == 403
    assert refused.json()["error"]["what"] == "this needs the role editor"
    assert browser.get("/api/cases/../../etc", headers=headers).status_code == 404
    assert browser.get(f"/api/cases/{'f' * 32}", headers=headers).json()["error"]["what"] == "there is no such case"
    # The token opens no page.
    browser.cookies.clear()
    assert browser.get("/", headers=headers).status_code == 401


def test_a_token_never_may_more_than_its_user(bench, network):
    key = add_api_token(bench.store, User(name="adam", role="admin"), "program", "admin")
    headers = {"Authorization": f"Bearer {key}"}
    assert network.get("/api/cases", headers=headers).status_code == 200
    add_user(bench.store, "adam", "reader", "a long password of adam")
    case_id = add_case(bench.store, "spine")
    assert network.post(f"/api/cases/{case_id}/measure", headers=headers).status_code == 403
