"""`endplate serve` from the terminal: users, refusals in one line; the server itself is run in tests/web."""

from __future__ import annotations

import io

import pytest

from endplate.cli import serve
from endplate.cli.app import main
from endplate.store.database import open_store
from endplate.store.users import checked_user

argon2 = pytest.importorskip("argon2", reason="the workbench needs the extra web")
PASSWORD = "correct horse battery"


def say(capsys, *tokens):
    """Exit code and the one line of an error."""
    code = main(["serve", *tokens])
    error = capsys.readouterr().err.strip()
    assert len(error.splitlines()) <= 1
    return code, error


def test_a_user_is_added_and_may_sign_in(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{PASSWORD}\n"))
    assert main(["serve", "--add-user", "ada", "--role", "admin", "--data", str(tmp_path)]) == 0
    assert "ada may sign in as admin." in capsys.readouterr().out
    with open_store(tmp_path / "endplate.db", create=False) as store:
        assert checked_user(store, "ada", PASSWORD).role == "admin"
        assert checked_user(store, "ada", PASSWORD + "!") is None
        assert checked_user(store, "eve", PASSWORD) is None


@pytest.mark.parametrize(
    ("tokens", "said"),
    [
        (["--add-user", "ada"], "short ones are guessed"),
        (["--add-user", "a\nb"], "the user name"),
        (["--host", "192.0.2.1", "--no-browser"], "cannot listen on 192.0.2.1"),
        (["--host", "0.0.0.0", "--port", "0", "--no-browser"], "0.0.0.0 without"),
        (["--port", "99999", "--no-browser"], "cannot listen"),
        (["--database", "nothing://x", "--no-browser"], "cannot be opened here"),
        (["no-such-folder", "--port", "0", "--no-browser"], "is no folder"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line(tmp_path, monkeypatch, capsys, tokens, said):
    monkeypatch.setattr("sys.stdin", io.StringIO("short\n"))
    code, error = say(capsys, *tokens, "--data", str(tmp_path))
    assert code == 2
    assert said in error


def test_a_missing_extra_is_one_line(monkeypatch, capsys):
    monkeypatch.setattr(serve, "NEEDED", ("fastapi", "no_such_library"))
    code, error = say(capsys)
    assert code == 2
    assert "endplate serve needs no_such_library" in error
    assert "pip install 'endplate[web]'" in error
