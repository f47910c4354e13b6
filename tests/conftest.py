"""Fixtures shared by all tests: real data beside the repository, when it is there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def shared_root() -> Path:
    """The folder of public real data: ENDPLATE_SHARED, or `shared` beside the repository."""
    return Path(os.environ.get("ENDPLATE_SHARED", Path(__file__).resolve().parents[2] / "shared"))


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = shared_root() / "data"
    if not folder.is_dir():
        pytest.skip(f"real data not found at {folder}; set ENDPLATE_SHARED to the folder that holds data/")
    return folder
