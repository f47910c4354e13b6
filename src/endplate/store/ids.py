"""Numbers that nobody guesses, hashes by which secrets are kept, and the time as the store writes it."""

from __future__ import annotations

import hashlib
import secrets
from datetime import UTC, datetime


def new_id() -> str:
    """A random id of 32 letters, safe in a name and an address."""
    return secrets.token_hex(16)


def new_key() -> str:
    """A secret of 256 bits, safe in an address."""
    return secrets.token_urlsafe(32)


def key_hash(key: str) -> str:
    """The SHA-256 of a secret: a copy of the database opens nothing."""
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).hexdigest()


def now() -> datetime:
    """The time in UTC, without a zone, as every table holds it."""
    return datetime.now(UTC).replace(tzinfo=None)
