"""What the program says of itself: versions and threads, kernels compiled ahead, the schemas of its files."""

from __future__ import annotations

import json
from typing import Literal

from endplate.cli import exit_codes as outcome
from endplate.cli.options.run import NO_RUN, RunOptions
from endplate.cli.terminal import say_json


def info(*, run: RunOptions = NO_RUN) -> int:
    """Print the version, the libraries in use, the threads, and the label schemes that are known."""
    from endplate.cli.info import run_info

    return outcome.answer(run_info, run)


def compile_kernels(*, run: RunOptions = NO_RUN) -> int:
    """Compile every kernel now, so that no later run waits for it: for containers and the nodes of a cluster.

    What is compiled is kept beside the installed sources, or in the folder that NUMBA_CACHE_DIR names.
    """
    from endplate.cli.kernels import run_compile

    return outcome.answer(run_compile, run)


def schema(of: Literal["case", "record"] = "case", /) -> int:
    """Print the JSON Schema of case.json, or of the patient record."""
    from importlib.resources import files

    if of == "record":
        from endplate.patient import PatientRecord

        say_json(PatientRecord.model_json_schema())
        return 0
    say_json(json.loads(files("endplate.report").joinpath("case.schema.json").read_text(encoding="utf-8")))
    return 0
