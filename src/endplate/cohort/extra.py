"""Libraries of the `cohort` extra, imported where they are needed."""

from __future__ import annotations

import importlib
from typing import Any

from endplate.errors import OptionError


def needs(name: str) -> Any:
    """A module of the `cohort` extra.

    Raises
    ------
    OptionError : it is not installed.
    """
    try:
        return importlib.import_module(name)
    except ImportError as error:
        library = name.partition(".")[0]
        raise OptionError(
            f"{library} is not installed", "a cohort is run and written with it", "pip install 'endplate[cohort]'"
        ) from error
