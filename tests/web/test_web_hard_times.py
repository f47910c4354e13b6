"""A lost database, a full disk, a browser without scripts, two servers on one port: each one clear sentence."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import threading
from types import SimpleNamespace

import pytest
from fastapi.testclient import TestClient

from endplate.errors import InputError
from endplate.jobs import queue
from endplate.store.cases import add_case, case_rows
from endplate.store.database import open_store
from endplate.web import upload
from endplate.web.app import create_app
from endplate.web.job_pages import _events
from endplate.web.server import ServeOptions, serve

RECORD = b'{"id": "anna", "age_yr": 74, "sex": "female"}'


def test_a_database_that_was_moved_away_is_told_and_nothing_is_lost(bench, browser, csrf, tmp_path):
    case_id = add_case(bench.store, "spine")
    place = tmp_path / "endplate.db"
    os.rename(place, tmp_path / "elsewhere.db")
    answer = browser.get("/")
    assert answer.status_code == 503
    assert "was moved or removed while it was open" in answer.text
    refused = browser.post(f"/cases/{case_id}/name", data={"csrf": csrf, "name": "lost"})
    assert refused.status_code == 503
    os.rename(tmp_path / "elsewhere.db", place)
    assert "spine" in browser.get("/").text
    with open_store(place) as store:
        assert [row.name for row in case_rows(store)] == ["spine"]


def test_a_full_disk_is_told_and_nothing_is_begun(bench, browser, csrf, monkeypatch):
    def full(*given):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(upload, "unpack", full)
    with TestClient(create_app(bench), base_url="http://127.0.0.1:8420", raise_server_exceptions=False) as client:
        client.cookies = browser.cookies
        answer = client.post("/cases", files={"files": ("a.json", RECORD)}, headers={"X-CSRF-Token": csrf})
    assert answer.status_code == 507
    assert "the disk of the server is full; nothing was kept" in answer.text
    assert case_rows(bench.store) == []
    assert list((bench.files.root / "incoming").iterdir()) == []


def test_a_fault_of_ours_shows_no_inside(bench, browser, monkeypatch):
    def broken(*given):
        raise ZeroDivisionError("secret inside")

    monkeypatch.setattr("endplate.web.worklist.work_rows", broken)
    with TestClient(create_app(bench), base_url="http://127.0.0.1:8420", raise_server_exceptions=False) as client:
        client.cookies = browser.cookies
        answer = client.get("/")
    assert answer.status_code == 500
    assert "a fault of its own" in answer.text
    assert "secret" not in answer.text and "Traceback" not in answer.text


def test_a_form_without_a_script_uploads_too(bench, browser, csrf):
    answer = browser.post("/cases", data={"csrf": csrf, "name": "by hand"}, files={"files": ("a.json", RECORD)})
    assert answer.status_code == 303
    assert [row.name for row in case_rows(bench.store)] == ["by hand"]
    assert len(bench.executor.jobs) == 1


def test_the_page_for_programs_lists_every_request(browser):
    page = browser.get("/settings/api").text
    assert "GET /api/cases/{case_id}/document" in page
    assert "POST /api/jobs/{job_id}/cancel" in page


def test_a_port_that_is_taken_and_a_network_without_users_are_refused(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        options = ServeOptions(data=tmp_path / "a", port=taken.getsockname()[1])
        with pytest.raises(InputError, match="cannot listen on 127"):
            serve(options, print, None)
    with pytest.raises(InputError, match="without users"):
        serve(ServeOptions(data=tmp_path / "b", host="0.0.0.0", port=0), print, None)
    with pytest.raises(InputError, match="is no folder"):
        serve(ServeOptions(data=tmp_path / "c", port=0, results=[tmp_path / "none"]), print, None)


def test_a_long_worklist_is_shown_in_parts(bench, browser):
    for number in range(65):
        add_case(bench.store, f"spine {number}")
    page = browser.get("/").text
    assert page.count('<li class="case') == 60
    assert "Show 5 more" in page
    assert browser.get("/?show=all&most=65").text.count('<li class="case') == 65
    assert browser.get("/?most=-3").status_code == 200
    assert browser.get("/?most=x").status_code == 422


def test_a_job_that_ended_before_the_stream_began_is_told_to_its_page(bench):
    """Between a page that shows it as open and the first look of the page's stream."""
    job_id = queue.submit(bench.store, "weigh", "Write the verdicts", "ada", None, {})
    queue.claim(bench.store, job_id)
    queue.end(bench.store, job_id, "done", {"result": {}})

    async def first_words(named):
        stream = _events(Open(), bench, named)
        return [await anext(stream), await asyncio.wait_for(anext(stream), 5)]

    begins, told = asyncio.run(first_words([job_id]))
    assert begins.startswith(":") and job_id in told and '"state": "done"' in told


class Open:
    """A request whose browser is still there, of a server that does not end."""

    app = SimpleNamespace(state=SimpleNamespace(ending=threading.Event()))

    async def is_disconnected(self):
        return False
