"""The scripts that are kept are what their manifest says, each with its licence."""

from __future__ import annotations

import hashlib
import importlib.util
import json
from pathlib import Path

import endplate.web

ROOT = Path(__file__).resolve().parents[2]
VENDOR = Path(endplate.web.__file__).parent / "static" / "vendor"
ROWS = json.loads((VENDOR / "manifest.json").read_text())["files"]


def refresher():
    spec = importlib.util.spec_from_file_location("vendor", ROOT / "scripts" / "vendor.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_file_is_the_one_of_the_manifest():
    lies = {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in VENDOR.iterdir()}
    lies.pop("manifest.json")
    assert lies == {row["file"]: row["sha256"] for row in ROWS}


def test_every_package_has_its_licence_and_the_pinned_version():
    pinned = {name: (known["version"], known["licence"]) for name, known in refresher().PACKAGES.items()}
    assert {row["package"]: (row["version"], row["licence"]) for row in ROWS} == pinned
    for package in pinned:
        names = [row["file"] for row in ROWS if row["package"] == package]
        assert any("LICENSE" in name for name in names), package


def test_a_changed_file_is_noticed(tmp_path, monkeypatch):
    module = refresher()
    for path in VENDOR.iterdir():
        (tmp_path / path.name).write_bytes(path.read_bytes())
    monkeypatch.setattr(module, "VENDOR", tmp_path)
    monkeypatch.setattr(module, "MANIFEST", tmp_path / "manifest.json")
    assert module.differing() == []
    (tmp_path / "htmx.min.js").write_bytes(b"alert(1)")
    (tmp_path / "other.js").write_bytes(b"")
    assert module.differing() == ["htmx.min.js", "other.js"]
