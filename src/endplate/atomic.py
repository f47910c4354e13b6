"""Files that are whole or absent: written under a temporary name, then renamed.

Sits at the ground floor because every stage that writes needs it and it knows nothing of any of them.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from endplate.errors import OutputError


@contextmanager
def atomic_path(path: Path | str) -> Iterator[Path]:
    """A temporary path beside `path` that takes its name only when the block ends without an error.

    Parameters
    ----------
    path : the file to be; its folder is made when absent. The temporary name keeps all suffixes, since writers
        choose the format by them.

    Raises
    ------
    OutputError : the folder or file cannot be written, or the disk is full. Nothing is left behind.
    """
    target = Path(path)
    temporary = _temporary_beside(target)
    try:
        yield temporary
        _flush_to_disk(temporary)
        os.replace(temporary, target)
    except OSError as error:
        raise OutputError(
            f"cannot write {target}: {error.strerror or error}", "nothing was left half-written", _advice(error)
        ) from error
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text whole or not at all; raises OutputError."""
    with atomic_path(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: Path | str, content: bytes) -> None:
    """Write bytes whole or not at all; raises OutputError."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def _temporary_beside(target: Path) -> Path:
    """An empty temporary file in the target's folder: a rename is atomic only within one file system."""
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        if target.is_dir():
            raise IsADirectoryError(21, "a folder of that name is in the way")
        if target.exists() and not target.is_file():
            raise FileExistsError(17, "what stands there is no ordinary file")
        handle, name = tempfile.mkstemp(prefix=".writing-", suffix="".join(target.suffixes[-2:]), dir=target.parent)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}", "", _advice(error)) from error
    os.close(handle)
    # mkstemp makes the file private; results get the permissions any new file would have.
    umask = os.umask(0)
    os.umask(umask)
    os.chmod(name, 0o666 & ~umask)
    return Path(name)


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _advice(error: OSError) -> str:
    return "free some space" if error.errno == 28 else "choose a folder that you may write to"
