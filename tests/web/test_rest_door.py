"""What other programs may ask of a case by a token alone: readings, clearances and rehearsals, as pages have them."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

pytest.importorskip("fastapi", reason="the workbench needs the extra web")
from fastapi.testclient import TestClient
from tests.support.measured_store import copied_store, run_job
from tests.web.conftest import HOST, Asked

from endplate.jobs import queue
from endplate.store.audit import notes
from endplate.store.database import open_store
from endplate.store.files import Files
from endplate.store.users import User, add_api_token
from endplate.web.app import create_app
from endplate.web.bench import Bench, WebSettings


@pytest.fixture(scope="module")
def door(tmp_path_factory):
    """The REST door over a measured case, with a token of an editor and one of a reader."""
    place = tmp_path_factory.mktemp("door")
    case_id = copied_store(place, tmp_path_factory.mktemp("measured"))
    with open_store(place / "endplate.db") as store:
        files = Files(place / "data").prepare()
        settings = WebSettings(hosts=frozenset({HOST}), port=8420, local_user="ada")
        bench = Bench(store=store, files=files, executor=Asked(), settings=settings)
        ada = User(name="ada", role="admin")
        keys = {role: add_api_token(store, ada, f"a {role}", role) for role in ("reader", "editor")}
        with TestClient(create_app(bench), base_url=f"http://{HOST}", follow_redirects=False) as client:

            def ask(method, path="", role="editor", **more):
                headers = {"Authorization": f"Bearer {keys[role]}"}
                return client.request(method, f"/api/cases/{case_id}{path}", headers=headers, **more)

            yield SimpleNamespace(ask=ask, store=store, files=files, client=client, id=case_id, keys=keys)


def test_a_needle_is_judged_as_on_the_page(door):
    lines = door.ask("GET", "/needles", "reader", params={"level": "L1"}).json()["lines"]
    side = "left" if "left" in lines else "right"
    entry, target = (",".join(map(str, place)) for place in lines[side])
    asked = {"level": "L1", "side": side, "entry": entry, "target": target, "needle": "13G"}
    found = door.ask("GET", "/clearances", "reader", params=asked).json()
    assert found["verdict"] in ("safe", "tight", "refused") and found["said"]
    assert {"wall", "mm", "band", "least"} <= set(found["clearances"][0])
    for wrong in ({"entry": "a,b,c"}, {"entry": target}, {"side": "middle"}, {"level": "../L1"}):
        refused = door.ask("GET", "/clearances", "reader", params=asked | wrong)
        assert refused.status_code in (400, 404) and refused.json()["ok"] is False


def test_a_reading_is_kept_computed_with_and_withdrawn(door):
    said = {"what": "fracture", "level": "L2", "to": "old", "reason": "known since 2019"}
    assert door.ask("POST", "/readings", "reader", json=said).status_code == 403
    made = door.ask("POST", "/readings", json=said)
    assert made.status_code == 201
    (kept,) = door.ask("GET", "/readings", "reader").json()
    assert (kept["id"], kept["who"], kept["to"]) == (made.json()["reading"], "ada (a editor)", "old")
    assert door.ask("POST", "/readings", json=said).status_code == 409  # it is being computed again
    run_job(door.store, door.files, made.json()["job"])
    document = door.ask("GET", "/document", "reader").json()
    assert document["provenance"]["parameters"]["readings"][0]["reason"] == "known since 2019"
    job = door.ask("POST", f"/readings/{kept['id']}/withdraw").json()["job"]
    assert (
        door.client.get(f"/api/jobs/{job}", headers={"Authorization": f"Bearer {door.keys['reader']}"}).json()["state"]
        == "queued"
    )
    assert door.ask("GET", "/readings").json() == []
    (gone,) = door.ask("GET", "/readings", params={"withdrawn": True}).json()
    assert gone["withdrawn_by"] == "ada (a editor)"
    assert door.ask("POST", f"/readings/{kept['id']}/withdraw").status_code == 400
    assert {"corrected the case", "withdrew a reading"} <= {row.did for row in notes(door.store, case_id=door.id)}
    queue.ask_cancel(door.store, job)


@pytest.mark.parametrize(
    "said",
    [
        {"what": "delete", "level": "L2", "reason": "x"},
        {"what": "grade", "level": "L2", "to": "9", "reason": "x"},
        {"what": "grade", "level": "S9", "to": "1", "reason": "x"},
        {"what": "set_aside", "level": "L2"},
        {"what": "set_aside", "level": "L2", "reason": "a" * 501},
        [],
    ],
)
def test_a_reading_without_meaning_is_refused(door, said):
    answer = door.ask("POST", "/readings", json=said)
    assert answer.status_code in (400, 409, 422) and answer.json()["error"]["what"]


def test_a_plan_without_needles_is_refused_and_the_kept_ones_are_listed(door):
    plan = {"level": "L1", "run": "mine"}
    assert door.ask("POST", "/rehearsals", "reader", json=plan).status_code == 403
    assert door.ask("POST", "/rehearsals", json=plan).status_code in (400, 409)
    assert door.ask("GET", "/rehearsals", "reader").json() == []


def test_every_request_is_described(door):
    headers = {"Authorization": f"Bearer {door.keys['reader']}"}
    described = door.client.get("/api/openapi.json", headers=headers).json()["paths"]
    for path in ("/readings", "/readings/{number}/withdraw", "/needles", "/clearances", "/rehearsals"):
        methods = described["/cases/{case_id}" + path]
        assert all(one["description"] for one in methods.values())
