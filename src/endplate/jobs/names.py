"""Messages about files under the names that users gave them, not under ours."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from endplate.errors import EndplateError


@contextmanager
def by_given_names(names: Mapping[Path, str]) -> Iterator[None]:
    """Let an error within the block speak of a file by the name that it was given.

    Parameters
    ----------
    names : by path of ours.
    """
    try:
        yield
    except EndplateError as error:
        parts = [error.what, error.why, error.fix]
        for path, name in sorted(names.items(), key=lambda pair: -len(str(pair[0]))):
            parts = [part.replace(str(path), name).replace(path.name, name) for part in parts]
        if type(error).__init__ is not EndplateError.__init__:
            raise
        raise type(error)(*parts) from error
