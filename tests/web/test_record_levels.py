"""A record whose vertebrae are called otherwise since: the pages ask which it means, and the answer carries through."""

from __future__ import annotations

import json
from types import SimpleNamespace

import pytest

pytest.importorskip("fastapi", reason="the workbench needs the extra web")
from fastapi.testclient import TestClient
from tests.support.measured_store import copied_store, run_job
from tests.web.conftest import HOST, Asked

from endplate.jobs import queue
from endplate.jobs.record_levels import question_of
from endplate.report import write
from endplate.store.audit import notes
from endplate.store.cases import case_row, change_case, input_paths
from endplate.store.database import open_store
from endplate.store.files import Files
from endplate.store.readings import add_reading, readings_of, withdraw_reading
from endplate.store.users import User, add_api_token
from endplate.web.app import create_app
from endplate.web.bench import Bench, WebSettings
from endplate.web.candidacy import _keep_file

SAID = {"fracture": True, "oedema": True, "concordant": True}
RECORD = {"id": "P1", "age_yr": 76, "sex": "female", "levels": {"L2": SAID}}


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    """A measured case T12 to L3 with a record of L2, and a browser that is signed in."""
    place = tmp_path_factory.mktemp("levels")
    case_id = copied_store(place, tmp_path_factory.mktemp("measured"))
    with open_store(place / "endplate.db") as store:
        files = Files(place / "data").prepare()
        settings = WebSettings(hosts=frozenset({HOST}), port=8420, local_user="ada")
        bench = Bench(store=store, files=files, executor=Asked(), settings=settings)
        change_case(store, case_id, {"record": RECORD, "patient_id": "P1"})
        _keep_file(bench, case_row(store, case_id), RECORD)
        with TestClient(create_app(bench), base_url=f"http://{HOST}", follow_redirects=False) as client:
            assert client.get(f"/enter?token={bench.entry_token}").status_code == 303
            csrf = client.get("/").text.partition('name="csrf" content="')[2].partition('"')[0]
            yield SimpleNamespace(bench=bench, store=store, files=files, client=client, csrf=csrf, id=case_id)


def post(work, path, **fields):
    return work.client.post(f"/cases/{work.id}/{path}", data={"csrf": work.csrf, **fields})


def page(work, path):
    return " ".join(work.client.get(f"/cases/{work.id}/{path}").text.split())


def case(work):
    return case_row(work.store, work.id)


def answer(work, means, version=None):
    return post(work, "record-levels", means=means, version=str(case(work).version if version is None else version))


def decided(work):
    return [level["level"] for level in json.loads((case(work).folder / "decision.json").read_text())["levels"]]


def test_a_renumbering_asks_and_the_answer_carries_through_and_back(work, monkeypatch):
    """The answer comes while the case is measured again: after its files were read, before the results are written."""
    assert "does the record mean" not in page(work, "candidacy")
    assert answer(work, "vertebra").status_code == 409, "nothing is asked yet"
    assert post(work, "readings", what="renumber", level="L2", to="L1", scope="all", reason="rib").status_code == 303
    for where in ("view", "candidacy"):
        shown = page(work, where)
        assert "Which vertebra does the record mean?" in shown
        assert "speaks of L2" in shown and "the vertebra that was called L2 is called <strong>L1</strong>" in shown
    before = case(work)
    assert answer(work, "perhaps").status_code == 400
    assert answer(work, "vertebra", version=before.version - 1).status_code == 409
    assert case(work).record == RECORD, "nothing was changed by what was refused"
    whole = write.write_report

    def meanwhile(*given, **more):
        assert answer(work, "vertebra").status_code == 303
        return whole(*given, **more)

    monkeypatch.setattr(write, "write_report", meanwhile)
    (job,) = queue.jobs(work.store, ("queued",), case_id=work.id)
    run_job(work.store, work.files, job.id)
    assert decided(work) == ["L1"], "scan and record speak of one vertebra by one name"
    assert case(work).record == RECORD | {"levels": {"L1": SAID}}
    assert json.loads(input_paths(work.store, work.files, work.id)["record"].read_text()) == case(work).record
    assert "does the record mean" not in page(work, "candidacy")
    did = [row for row in notes(work.store, case_id=work.id) if row.did == "moved the levels of the record"]
    assert [row.detail for row in did] == ["L2 is L1"]

    post(work, f"readings/{readings_of(work.store, work.id)[0].id}/withdraw")
    assert "the vertebra that was called L1 is called <strong>L2</strong>" in page(work, "candidacy")
    assert answer(work, "name").status_code == 303
    assert list(case(work).record["levels"]) == ["L1"]
    assert question_of(work.store, case(work)) is None


def test_a_name_that_would_come_twice_is_not_moved(work):
    twice = RECORD | {"levels": {"L3": {"fracture": True}, "L4": {"oedema": True}}}
    change_case(work.store, work.id, {"record": twice, "record_names": None})
    said = {"what": "renumber", "level": "L3", "to": "L4", "scope": "down", "reason": "a sixth lumbar"}
    add_reading(work.store, work.id, said, "ada")
    shown = page(work, "candidacy")
    assert "The record speaks of L4 already" in shown and 'value="vertebra"' not in shown
    refused = answer(work, "vertebra")
    assert refused.status_code == 409 and "it would speak of it twice" in refused.text
    assert case(work).record == twice


def test_a_course_that_was_begun_under_another_name_says_so(work):
    for number in [one.id for one in readings_of(work.store, work.id)]:
        withdraw_reading(work.store, work.id, number, "ada")
    change_case(work.store, work.id, {"record": RECORD, "record_names": None})
    assert post(work, "follow-up/start", levels=["L2"], on="2026-05-05").status_code == 303
    assert "were corrected after this course was begun" not in page(work, "follow-up")
    add_reading(work.store, work.id, {"what": "renumber", "level": "L3", "to": "L4", "reason": "one"}, "ada")
    assert "what was called L2 then is called L3 now" in page(work, "follow-up")
    for number in [one.id for one in readings_of(work.store, work.id)]:
        withdraw_reading(work.store, work.id, number, "ada")
    assert "were corrected after this course was begun" not in page(work, "follow-up")


def test_programs_ask_and_answer_the_same(work):
    change_case(work.store, work.id, {"record": RECORD | {"levels": {"L3": SAID}}, "record_names": None})
    keys = {role: add_api_token(work.store, User(name="ada", role="admin"), f"a {role}", role) for role in
            ("reader", "editor")}  # fmt: skip
    address = f"/api/cases/{work.id}/record-levels"
    said = {"what": "renumber", "level": "L3", "to": "L4", "scope": "down", "reason": "a sixth lumbar"}
    add_reading(work.store, work.id, said, "ada")

    def ask(method, role, **more):
        return work.client.request(method, address, headers={"Authorization": f"Bearer {keys[role]}"}, **more)

    assert ask("GET", "reader").json() == {"moves": {"L3": "L4"}}
    assert ask("POST", "reader", json={"means": "vertebra"}).status_code == 403
    assert ask("POST", "editor", json={"means": "both"}).status_code == 422
    assert ask("POST", "editor", json={"means": "vertebra"}).status_code == 202
    assert ask("GET", "reader").json() == {"moves": {}}
    assert list(case(work).record["levels"]) == ["L4"]
