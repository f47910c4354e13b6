"""Fixtures shared by all tests: real data beside the repository, when it is there."""

from __future__ import annotations

from pathlib import Path

import pytest
from verification.public_data import data_folder


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = data_folder()
    if not folder.is_dir():
        pytest.skip(f"real data not found at {folder}; set ENDPLATE_SHARED to the folder that holds data/")
    return folder
