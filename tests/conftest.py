"""Fixtures shared by all tests: real data beside the repository, when it is there."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

# Two test processes share two cores. Set for good: a test that sets it for a while would leave a compiler that has
# begun with another number, and numba refuses to change it; and before numba is imported, for the same reason.
os.environ.setdefault("NUMBA_NUM_THREADS", "1")

import pytest
from verification.public_data import data_folder

from endplate.numerics.threads import one_blas_thread


@pytest.fixture(scope="session", autouse=True)
def quiet_blas() -> Iterator[None]:
    """As the verbs do: two test processes on two cores would wait for each other."""
    with one_blas_thread():
        yield


@pytest.fixture(scope="session")
def shared_data() -> Path:
    folder = data_folder()
    if not folder.is_dir():
        pytest.skip(f"real data not found at {folder}; set ENDPLATE_SHARED to the folder that holds data/")
    return folder
