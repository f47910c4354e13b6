"""Users are disabled and let in again from the page; the last admin stays, and the audit says who did it."""

from __future__ import annotations

import threading

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from endplate.errors import OptionError
from endplate.store import users
from endplate.store.audit import notes
from endplate.store.users import User, add_api_token, add_user, disable_user
from endplate.web.app import create_app


@pytest.fixture
def network(bench, monkeypatch):
    monkeypatch.setattr(users, "_hasher", lambda: PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
    bench.settings.local = False
    for name, role in (("ed", "editor"), ("adam", "admin"), ("eve", "admin")):
        add_user(bench.store, name, role, f"a long password of {name}")
    with TestClient(create_app(bench), base_url="http://127.0.0.1:8420", follow_redirects=False) as client:
        yield client


def sign_in(client, name):
    client.cookies.clear()
    answer = client.post("/sign-in", data={"name": name, "password": f"a long password of {name}"})
    return answer.status_code == 303


def token_of(client):
    return client.get("/").text.partition('name="csrf" content="')[2].partition('"')[0]


def ask(client, what, name):
    return client.post(f"/settings/users/{what}", data={"csrf": token_of(client), "name": name})


def test_who_is_disabled_is_out_at_once_and_may_be_let_in_again(bench, network):
    assert sign_in(network, "ed")
    session = dict(network.cookies)
    key = {"Authorization": f"Bearer {add_api_token(bench.store, User(name='ed', role='editor'), 'p', 'editor')}"}
    assert network.get("/api/cases", headers=key).status_code == 200
    assert sign_in(network, "adam")
    assert ask(network, "disable", "ed").status_code == 303
    text = network.get("/settings").text
    assert "no, disabled" in text and 'aria-label="Enable ed"' in text
    assert network.get("/api/cases", headers=key).status_code == 401
    assert not sign_in(network, "ed")
    network.cookies.clear()
    network.cookies.update(session)
    assert network.get("/").status_code == 303
    assert sign_in(network, "adam")
    assert ask(network, "enable", "ed").status_code == 303
    assert sign_in(network, "ed")
    kept = [(row.who, row.did, row.detail) for row in notes(bench.store) if row.did.endswith("abled a user")]
    assert kept == [("adam", "enabled a user", "ed"), ("adam", "disabled a user", "ed")]


def test_the_last_admin_stays(bench, network):
    assert sign_in(network, "adam")
    assert ask(network, "disable", "eve").status_code == 303
    refused = ask(network, "disable", "adam")
    assert refused.status_code == 400 and "adam is the last admin" in refused.text
    assert sign_in(network, "adam")
    for name in ("nobody", "eve", "<script>alert(1)</script>"):
        refused = ask(network, "disable", name)
        assert refused.status_code == 400 and "<script>alert" not in refused.text
    assert ask(network, "enable", "nobody").status_code == 400


def test_an_editor_disables_nobody(network):
    assert sign_in(network, "ed")
    assert ask(network, "disable", "adam").status_code == 403
    assert sign_in(network, "adam")


def test_two_admins_who_disable_each_other_at_once_leave_one(bench, network):
    refused = []

    def disable(name):
        try:
            disable_user(bench.store, name)
        except OptionError as error:
            refused.append(str(error))

    both = [threading.Thread(target=disable, args=(name,)) for name in ("adam", "eve")]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(refused) == 1 and "last admin" in refused[0]
