"""The pinned libraries of the container satisfy what the package asks for, each with a hash."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("dicom", "fhir", "postgres", "pdf", "pacs", "cohort", "web")


def pinned() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, version in re.findall(
        r"(?m)^([\w.-]+)(?:\[[\w,]+\])?==([^\s;\\]+)", (ROOT / "requirements.lock").read_text()
    ):
        found.setdefault(re.sub(r"[-_.]+", "-", name).lower(), []).append(version)
    return found


def test_every_requirement_is_pinned_within_its_bounds() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    wanted = [*project["dependencies"], *(line for extra in EXTRAS for line in project["optional-dependencies"][extra])]
    versions = pinned()
    for requirement in map(Requirement, wanted):
        name = re.sub(r"[-_.]+", "-", requirement.name).lower()
        assert versions.get(name), f"{name} is not pinned; run make lock"
        assert all(requirement.specifier.contains(version) for version in versions[name]), f"{name}: run make lock"


def test_every_pin_has_a_hash_and_no_place_of_one_computer() -> None:
    text = (ROOT / "requirements.lock").read_text()
    assert "file://" not in text and "--find-links" not in text and "index-url" not in text
    for block in re.split(r"(?m)^(?=[\w.-]+(?:\[[\w,]+\])?==)", text)[1:]:
        assert "--hash=sha256:" in block, block.splitlines()[0]
