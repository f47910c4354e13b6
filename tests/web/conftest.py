"""A workbench in memory of the test: a store in a folder of its own, an executor that does nothing by itself."""

from __future__ import annotations

import pytest

pytest.importorskip("fastapi", reason="the workbench needs the extra web")
pytest.importorskip("argon2", reason="the workbench needs the extra web")
from fastapi.testclient import TestClient

from endplate.store.database import open_store
from endplate.store.files import Files
from endplate.web.app import create_app
from endplate.web.bench import Bench, WebSettings

HOST = "127.0.0.1:8420"


class Asked:
    """An executor that only keeps what it was asked to do."""

    name = "nobody"

    def __init__(self):
        self.jobs = []

    def start(self, job_id):
        self.jobs.append(job_id)

    def recover(self):
        pass

    def close(self):
        pass


@pytest.fixture
def bench(tmp_path):
    with open_store(tmp_path / "endplate.db") as store:
        settings = WebSettings(hosts=frozenset({HOST}), port=8420, local_user="ada")
        yield Bench(store=store, files=Files(tmp_path / "data").prepare(), executor=Asked(), settings=settings)


@pytest.fixture
def stranger(bench):
    """A browser without a session."""
    with TestClient(create_app(bench), base_url=f"http://{HOST}", follow_redirects=False) as client:
        yield client


@pytest.fixture
def browser(bench, stranger):
    """A browser that opened the address with its token."""
    answer = stranger.get(f"/enter?token={bench.entry_token}")
    assert answer.status_code == 303
    return stranger


@pytest.fixture
def csrf(browser):
    """The token of the session, as a script of the page finds it."""
    return browser.get("/").text.partition('name="csrf" content="')[2].partition('"')[0]
