"""One scan for all tests of this folder: its series, and results with the objects that `--dicom` wrote among them."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.dicom_scan import assessed


@pytest.fixture(scope="package")
def scan(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return assessed(tmp_path_factory.mktemp("scan"), "--no-mechanics", "--dicom")
