"""Check a bundle (standard input) against R4 with fhirclient, an implementation of its own, in a process of its own."""

from __future__ import annotations

import json
import sys

from fhirclient.models.bundle import Bundle

bundle = Bundle(json.load(sys.stdin), strict=True)
json.dump({"entries": len(bundle.entry), "again": bundle.as_json()}, sys.stdout)
