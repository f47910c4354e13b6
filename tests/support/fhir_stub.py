"""A small FHIR R4 server in this process: transactions all or nothing, conditional creates, references in a bundle.

It is no real server; it refuses what R4 says that a server must refuse (sections 3.1.0.11.2 and 3.1.0.8.1).
"""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote


class Store:
    """Resources by kind and id."""

    def __init__(self, token: str | None) -> None:
        self.token, self.resources, self.versions = token, {}, 0
        self.fail_after: int | None = None
        self.requests: list[str] = []

    def transaction(self, bundle: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        """All entries or none; the answer has one entry for each."""
        if bundle.get("resourceType") != "Bundle" or bundle.get("type") != "transaction":
            return 400, outcome("no transaction")
        staged, address, entries = dict(self.resources), {}, []
        for number, entry in enumerate(bundle["entry"]):
            if self.fail_after is not None and number >= self.fail_after:
                return 422, outcome("an entry is not valid")
            found = matching(staged, entry)
            if len(found) > 1:
                return 412, outcome("several resources match the condition")
            kind = entry["resource"]["resourceType"]
            place = found[0] if found else f"{kind}/{len(staged) + 1}"
            address[entry["fullUrl"]] = place
            if not found:
                staged[place] = entry["resource"]
            entries.append({"response": {"status": "200 OK" if found else "201 Created", "location": place}})
        text = json.dumps(staged)
        for uuid, place in address.items():
            text = text.replace(f'"reference": "{uuid}"', f'"reference": "{place}"')
        if '"reference": "urn:uuid:' in text:
            return 400, outcome("a reference leads nowhere")
        self.versions += json.loads(text) != self.resources
        self.resources = json.loads(text)
        return 200, {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}


def matching(staged: dict[str, Any], entry: dict[str, Any]) -> list[str]:
    """Resources that meet `ifNoneExist`; without it every create makes a new one."""
    condition = entry["request"].get("ifNoneExist")
    if not condition:
        return []
    name, _, wanted = condition.partition("=")
    assert name == "identifier"
    system, _, value = unquote(wanted).replace("\\|", "\0").partition("|")
    wanted_pair = (system.replace("\0", "|"), value.replace("\0", "|"))
    found = []
    for place, resource in staged.items():
        given = resource.get("identifier") or []
        given = given if isinstance(given, list) else [given]
        if place.startswith(f"{entry['request']['url']}/") and any(
            (one.get("system"), one.get("value")) == wanted_pair for one in given
        ):
            found.append(place)
    return found


def outcome(words: str) -> dict[str, Any]:
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "diagnostics": words}]}


@contextmanager
def fhir_stub(token: str | None = None) -> Iterator[tuple[str, Store]]:
    """Base address and store of a running stub."""
    store = Store(token)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            store.requests.append(self.path)
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            if store.token and self.headers.get("Authorization") != f"Bearer {store.token}":
                code, answer = 401, outcome("no valid token")
            elif self.headers.get("Content-Type") != "application/fhir+json":
                code, answer = 415, outcome("not FHIR JSON")
            else:
                code, answer = store.transaction(body)
            text = json.dumps(answer).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/fhir+json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *given: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/fhir", store
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
