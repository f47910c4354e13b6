"""Where the public real data lies: one answer for checks, tests and benchmarks."""

from __future__ import annotations

import os
from pathlib import Path


def data_folder() -> Path:
    """The folder of public data: `data` in ENDPLATE_SHARED, or in `shared` beside the repository; it may be absent."""
    return Path(os.environ.get("ENDPLATE_SHARED", Path(__file__).resolve().parents[2] / "shared")) / "data"
