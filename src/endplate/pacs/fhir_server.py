"""Send a transaction bundle to a FHIR R4 server; conditional creates, so that a second time changes nothing."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endplate.errors import OptionError, text_fault
from endplate.pacs.peer import PeerError, network_reason

BUNDLE = "fhir.json"
FHIR_JSON = "application/fhir+json"
TIMEOUT_S = 120.0
MAX_BYTES = 2**26


@dataclass(frozen=True, slots=True, kw_only=True)
class Pushed:
    """What a server did: resources that it made, and those that it had."""

    created: int
    already: int


def read_bundle(path: Path) -> dict[str, Any]:
    """The bundle of a results folder, or of a file.

    Raises
    ------
    OptionError : no transaction bundle, or one in which a resource would be made anew each time.
    """
    file = path / BUNDLE if path.is_dir() else path
    try:
        if file.stat().st_size > MAX_BYTES:
            raise OptionError(f"{file} is larger than {MAX_BYTES >> 20} MiB", "", "give a bundle that endplate wrote")
        bundle = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise OptionError(
            f"cannot read {file}", error.strerror or "", "give the folder of a plan or decide run"
        ) from error
    except ValueError as error:
        raise OptionError(f"{file} is not JSON", text_fault(error), "give a bundle that endplate wrote") from error
    if not isinstance(bundle, dict) or bundle.get("resourceType") != "Bundle" or bundle.get("type") != "transaction":
        raise OptionError(f"{file} is no FHIR transaction bundle", "", "give a bundle that endplate wrote")
    loose = [entry for entry in bundle.get("entry", ()) if not _repeatable(entry)]
    if loose:
        raise OptionError(
            f"{len(loose)} resources of {file} have no condition for their creation",
            "a second push would make them twice", "write the bundle again with this version of endplate",
        )  # fmt: skip
    return bundle


def push_bundle(url: str, bundle: dict[str, Any], token: str | None = None) -> Pushed:
    """Post a transaction.

    Parameters
    ----------
    url : str
        Base address of the server.
    bundle : dict
        The transaction.
    token : str, optional
        Bearer token.

    Returns
    -------
    Pushed
        How many resources were made, and how many were there.

    Raises
    ------
    OptionError
        No http address, or a token that would travel unprotected to another machine.
    PeerError
        The server does not answer or refuses; it has then changed nothing.
    """
    _check_address(url, token)
    import requests

    session = requests.Session()
    session.trust_env = False
    headers = {"Content-Type": FHIR_JSON, "Accept": FHIR_JSON}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    try:
        answer = session.post(
            url.rstrip("/"), data=json.dumps(bundle).encode(), headers=headers, timeout=TIMEOUT_S, allow_redirects=False
        )
    except requests.RequestException as error:
        raise PeerError(f"{url} does not answer: {network_reason(error)}", "", "check the address") from error
    finally:
        session.close()
    if answer.status_code != 200:
        raise PeerError(
            f"{url} refuses the transaction: HTTP {answer.status_code}{_outcome(answer)}", "nothing was changed",
            "check the token and what the server says",
        )  # fmt: skip
    return _counted(url, answer, len(bundle.get("entry", ())))


def _check_address(url: str, token: str | None) -> None:
    if not url.startswith(("http://", "https://")):
        raise OptionError(f"{url!r} is no address of a FHIR server", "", "give https://host/fhir")
    host = url.split("/")[2].rsplit("@", 1)[-1].partition(":")[0]
    if token and url.startswith("http://") and host not in ("localhost", "127.0.0.1", "[") and not host.startswith("["):
        raise OptionError(f"a token for {url}", "without https it would travel readable", "give an https address")


def _repeatable(entry: Any) -> bool:
    request = entry.get("request", {}) if isinstance(entry, dict) else {}
    return request.get("method") == "PUT" or (request.get("method") == "POST" and bool(request.get("ifNoneExist")))


def _counted(url: str, answer: Any, sent: int) -> Pushed:
    try:
        statuses = [str(entry["response"]["status"])[:3] for entry in answer.json()["entry"]]
    except (ValueError, KeyError, TypeError) as error:
        raise PeerError(f"{url} answers what is no transaction response", str(error), "check the address") from error
    if len(statuses) != sent or any(status not in ("200", "201") for status in statuses):
        raise PeerError(f"{url} answers {len(statuses)} entries for {sent}", "", "look into the log of the server")
    return Pushed(created=statuses.count("201"), already=statuses.count("200"))


def _outcome(answer: Any) -> str:
    """What an OperationOutcome says, in a few words."""
    try:
        issues = answer.json()["issue"]
        words = "; ".join(str(one.get("diagnostics") or one.get("details", {}).get("text", "")) for one in issues)
    except (ValueError, KeyError, TypeError, AttributeError):
        return ""
    return f", {words[:300]}" if words.strip("; ") else ""
