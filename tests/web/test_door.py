"""The door of the workbench: a token that opens once, and nothing without it."""

from __future__ import annotations

import pytest


@pytest.mark.parametrize(
    "address", ["/", "/jobs", "/settings", "/jobs/events", "/cases/" + 32 * "a", "/nothing", "/api/cases"]
)
def test_nothing_is_shown_without_a_session(stranger, address):
    assert stranger.get(address).status_code in (401, 403)


def test_the_token_opens_once(bench, stranger):
    token = bench.entry_token
    assert stranger.get("/enter?token=wrong").status_code == 403
    answer = stranger.get(f"/enter?token={token}")
    assert answer.status_code == 303
    cookie = answer.headers["set-cookie"].lower()
    assert "httponly" in cookie and "samesite=strict" in cookie
    assert stranger.get("/").status_code == 200
    # The address opened again where it opened before leads on.
    assert stranger.get(f"/enter?token={token}").headers["location"] == "/"
    stranger.cookies.clear()
    assert stranger.get(f"/enter?token={token}").status_code == 403
    assert stranger.get("/").status_code == 401


def test_the_worklist_of_an_empty_store(browser):
    page = browser.get("/")
    assert page.status_code == 200
    assert "No case yet." in page.text
