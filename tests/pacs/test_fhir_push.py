"""The bundle on a FHIR server: made once, the second time nothing changes, a refusal changes nothing.

No real server could be had here: a stub stands in that keeps the rules of transactions and conditional creates.
"""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.support.fhir_stub import fhir_stub

from endplate.cli.app import main

pytest.importorskip("requests", reason="requests (extra `pacs`) speaks to FHIR servers")


@pytest.fixture(scope="module")
def advice(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("advice")
    record = {"id": "anna|1", "age_yr": 74, "sex": "female", "mass_kg": 61, "height_cm": 158}
    (folder / "patient.json").write_text(json.dumps(record))
    given = ["--record", str(folder / "patient.json"), "--level", "L1", "--out", str(folder / "advice"), "--quiet"]
    assert main(["decide", *given]) == 0
    return folder / "advice"


def pushed(capsys, url, place, *more):
    assert main(["fhir", "push", url, str(place), "--json", *more]) == 0
    return json.loads(capsys.readouterr().out)["result"]


def test_a_second_push_changes_nothing(advice, capsys):
    count = len(json.loads((advice / "fhir.json").read_text())["entry"])
    with fhir_stub() as (url, store):
        assert pushed(capsys, url, advice) == {"created": count, "already": 0}
        before = json.dumps(store.resources)
        assert pushed(capsys, url, advice / "fhir.json") == {"created": 0, "already": count}
        assert json.dumps(store.resources) == before and store.versions == 1
        assert sum(place.startswith("Patient/") for place in store.resources) == 1
        subjects = {one["subject"]["reference"] for one in store.resources.values() if "subject" in one}
        assert subjects == {next(place for place in store.resources if place.startswith("Patient/"))}


def refused(capsys, arguments, *words):
    assert main(["fhir", "push", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and all(word in said for word in words), said


def test_a_token_comes_from_a_file_or_the_environment(advice, capsys, tmp_path, monkeypatch):
    (tmp_path / "token").write_text("secret\n")
    with fhir_stub(token="secret") as (url, store):
        refused(capsys, [url, str(advice)], "HTTP 401", "no valid token", "nothing was changed")
        assert store.resources == {}
        pushed(capsys, url, advice, "--token-file", str(tmp_path / "token"))
        monkeypatch.setenv("ENDPLATE_TOKEN", "secret")
        assert pushed(capsys, url, advice)["created"] == 0


def test_a_token_is_never_sent_readable_to_another_machine(advice, capsys, monkeypatch):
    monkeypatch.setenv("ENDPLATE_TOKEN", "secret")
    refused(capsys, ["http://server.example/fhir", str(advice)], "travel readable")


def test_a_refused_transaction_is_said_and_leaves_nothing(advice, capsys):
    with fhir_stub() as (url, store):
        store.fail_after = 3
        refused(capsys, [url, str(advice)], "HTTP 422", "an entry is not valid")
        assert store.resources == {}


def test_bad_input_is_one_line(advice, capsys, tmp_path):
    refused(capsys, ["nowhere", str(advice)], "no address")
    refused(capsys, ["http://127.0.0.1:1/fhir", str(advice)], "does not answer")
    refused(capsys, ["http://127.0.0.1:1/fhir", str(tmp_path)], "cannot read")
    (tmp_path / "fhir.json").write_text("{")
    refused(capsys, ["http://127.0.0.1:1/fhir", str(tmp_path)], "not JSON")
    (tmp_path / "fhir.json").write_text('{"resourceType": "Bundle", "type": "collection"}')
    refused(capsys, ["http://127.0.0.1:1/fhir", str(tmp_path)], "no FHIR transaction")
    bundle = json.loads((advice / "fhir.json").read_text())
    del bundle["entry"][1]["request"]["ifNoneExist"]
    (tmp_path / "fhir.json").write_text(json.dumps(bundle))
    refused(capsys, ["http://127.0.0.1:1/fhir", str(tmp_path)], "no condition for their creation")
