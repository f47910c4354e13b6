"""Users with a password, the sessions they begin, and the tokens of other programs."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Literal, get_args

from sqlalchemy import delete, insert, select, update

from endplate.errors import OptionError
from endplate.store import work_tables as tables
from endplate.store.database import Store
from endplate.store.ids import key_hash, new_key, now

Role = Literal["reader", "editor", "admin"]
ROLES: tuple[Role, ...] = get_args(Role)
"""What a user may do: read; change and compute; also see the audit and keep tokens."""
SESSION_IDLE = timedelta(hours=8)
SESSION_LONGEST = timedelta(hours=24)
SHORTEST_PASSWORD = 12
LONGEST_PASSWORD = 1024
"""A longer one costs time to hash and protects no better."""


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Who asks: name and role, and the CSRF token of the session (empty for a token of a program)."""

    name: str
    role: Role
    csrf: str = ""

    def may(self, role: Role) -> bool:
        """Whether the user has this role or a higher one."""
        return ROLES.index(self.role) >= ROLES.index(role)


def add_user(store: Store, name: str, role: Role, password: str) -> None:
    """Add a user, or give a known one a new role and password; sessions of that name end.

    Raises
    ------
    OptionError : an empty or odd name, no role of ours, or a password that is too short or too long.
    """
    name = unicodedata.normalize("NFC", name.strip())
    if not 0 < len(name) <= 100 or not name.isprintable():
        raise OptionError(f"the user name {name!r}", "", "use 1 to 100 printable letters")
    if role not in ROLES:
        raise OptionError(f"the role {role!r}", "", f"one of {', '.join(ROLES)}")
    if not SHORTEST_PASSWORD <= len(password) <= LONGEST_PASSWORD:
        raise OptionError(
            f"a password of {len(password)} letters", "short ones are guessed", f"use at least {SHORTEST_PASSWORD}"
        )
    values = {"role": role, "password_hash": _hasher().hash(password), "disabled_at": None}
    table = tables.user
    with store.writing() as connection:
        known = connection.execute(select(table.c.name).where(table.c.name == name)).first()
        if known is None:
            connection.execute(insert(table).values(name=name, added_at=now(), **values))
        else:
            connection.execute(update(table).where(table.c.name == name).values(**values))
            connection.execute(delete(tables.session).where(tables.session.c.user_name == name))


def checked_user(store: Store, name: str, password: str) -> User | None:
    """The user of this name and password; None where they do not belong together, after the same time either way."""
    from argon2.exceptions import InvalidHashError, VerificationError

    name = unicodedata.normalize("NFC", name.strip())[:100]
    with store.reading() as connection:
        table = tables.user
        found = connection.execute(select(table).where(table.c.name == name, table.c.disabled_at.is_(None))).first()
    try:
        right = _hasher().verify(found.password_hash if found else _decoy(), password[:LONGEST_PASSWORD])
    except (VerificationError, InvalidHashError):
        return None
    return User(name=found.name, role=found.role) if found is not None and right else None


def users(store: Store) -> list[Any]:
    """All users, by name."""
    with store.reading() as connection:
        return list(connection.execute(select(tables.user).order_by(tables.user.c.name)).all())


def disable_user(store: Store, name: str) -> None:
    """Let nobody in by this name any more, and end its sessions; what was done under it stays in the audit.

    Raises
    ------
    OptionError : there is no such user, or nobody else could let others in again.
    """
    table = tables.user
    with store.writing() as connection:
        # Two admins who disable each other at once wait here for one another.
        query = select(table.c.name, table.c.role).where(table.c.disabled_at.is_(None)).with_for_update()
        active = {row.name: row.role for row in connection.execute(query)}
        if name not in active:
            raise OptionError(f"there is no user {name!r} who may sign in", "", "load the page again")
        if active[name] == "admin" and sum(role == "admin" for role in active.values()) == 1:
            raise OptionError(
                f"{name} is the last admin", "nobody could let others in again", "make another user an admin first"
            )
        connection.execute(update(table).where(table.c.name == name).values(disabled_at=now()))
        connection.execute(delete(tables.session).where(tables.session.c.user_name == name))


def enable_user(store: Store, name: str) -> None:
    """Let a user in again, with the role and password from before.

    Raises
    ------
    OptionError : there is no such user.
    """
    table = tables.user
    with store.writing() as connection:
        done = connection.execute(update(table).where(table.c.name == name).values(disabled_at=None))
    if done.rowcount != 1:
        raise OptionError(f"there is no user {name!r}", "", "load the page again")


def begin_session(store: Store, user: User, local: bool) -> str:
    """Begin a session; returns the secret of its cookie, of which only the hash is kept."""
    key, table = new_key(), tables.session
    with store.writing() as connection:
        connection.execute(delete(table).where(table.c.begun_at < now() - SESSION_LONGEST))
        connection.execute(
            insert(table).values(
                key_sha256=key_hash(key), user_name=user.name, role=user.role, local=local, csrf=new_key(),
                begun_at=now(), seen_at=now(),
            )
        )  # fmt: skip
    return key


def session_user(store: Store, key: str, local: bool) -> User | None:
    """Whose session a cookie opens; None where there is none, it is too old, or its user was changed.

    Parameters
    ----------
    local : whether the server listens on this computer alone; a session that was begun so opens nothing else.
    """
    table, moment = tables.session, now()
    with store.reading() as connection:
        found = connection.execute(select(table).where(table.c.key_sha256 == key_hash(key))).first()
        if found is None or found.local != local:
            return None
        if moment - found.seen_at > SESSION_IDLE or moment - found.begun_at > SESSION_LONGEST:
            return None
        role = found.role
        if not local:
            user = tables.user
            row = connection.execute(
                select(user.c.role).where(user.c.name == found.user_name, user.c.disabled_at.is_(None))
            ).first()
            if row is None:
                return None
            role = row.role
    if moment - found.seen_at > timedelta(minutes=5):
        with store.writing() as connection:
            connection.execute(update(table).where(table.c.key_sha256 == found.key_sha256).values(seen_at=moment))
    return User(name=found.user_name, role=role, csrf=found.csrf)


def end_session(store: Store, key: str) -> None:
    """End the session of a cookie."""
    with store.writing() as connection:
        connection.execute(delete(tables.session).where(tables.session.c.key_sha256 == key_hash(key)))


def add_api_token(store: Store, user: User, name: str, role: Role) -> str:
    """A token for another program; shown once, of which only the hash is kept.

    Raises
    ------
    OptionError : a role above that of the user.
    """
    if role not in ROLES or not user.may(role):
        raise OptionError(f"a token with the role {role!r}", f"you are {user.role}", "choose your own role or a lower")
    key = "endplate_" + new_key()
    with store.writing() as connection:
        connection.execute(
            insert(tables.api_token).values(
                key_sha256=key_hash(key), name=name.strip()[:200] or "token", user_name=user.name, role=role,
                added_at=now(),
            )
        )  # fmt: skip
    return key


def api_user(store: Store, key: str, local: bool) -> User | None:
    """Whose token this is; None where it is unknown or was withdrawn, or on a network its user is gone.

    Parameters
    ----------
    local : whether the server listens on this computer alone.
    """
    table, user = tables.api_token, tables.user
    with store.reading() as connection:
        query = select(table).where(table.c.key_sha256 == key_hash(key), table.c.withdrawn_at.is_(None))
        found = connection.execute(query).first()
        if found is None:
            return None
        role = found.role
        if not local:
            owner = connection.execute(
                select(user.c.role).where(user.c.name == found.user_name, user.c.disabled_at.is_(None))
            ).first()
            if owner is None:
                return None
            # A token never may more than its user may by now.
            role = min(role, owner.role, key=ROLES.index)
    return User(name=f"{found.user_name} ({found.name})", role=role)


def api_tokens(store: Store) -> list[Any]:
    """All tokens that still open the door, newest first."""
    table = tables.api_token
    with store.reading() as connection:
        return list(
            connection.execute(select(table).where(table.c.withdrawn_at.is_(None)).order_by(table.c.id.desc())).all()
        )


def withdraw_api_token(store: Store, number: int) -> None:
    """Let a token open nothing any more."""
    table = tables.api_token
    with store.writing() as connection:
        connection.execute(update(table).where(table.c.id == number).values(withdrawn_at=now()))


def _hasher() -> Any:
    from argon2 import PasswordHasher

    return PasswordHasher()


_DECOY: list[str] = []


def _decoy() -> str:
    """A hash of nobody, so that an unknown name takes as long as a wrong password."""
    if not _DECOY:
        _DECOY.append(_hasher().hash(new_key()))
    return _DECOY[0]
