"""Files that are whole or absent: written under a temporary name, then renamed; readable by their owner alone.

Sits at the ground floor because every stage that writes needs it and it knows nothing of any of them.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from endplate.errors import OutputError

try:
    import fcntl
except ImportError:  # Windows
    fcntl = None  # type: ignore[assignment]

PREFIX = ".writing-"
FILE_MODE, FOLDER_MODE = 0o600, 0o700
"""Results are about a patient: their owner alone reads them, whatever the umask."""
STALE_S = 60.0
"""Age from which an unlocked temporary file is what a killed run left."""


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
    handle, temporary = _temporary_beside(target)
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
        os.close(handle)


def write_text(path: Path | str, text: str) -> None:
    """Write UTF-8 text whole or not at all; what is no letter is written as its code. Raises OutputError."""
    write_bytes(path, text.encode("utf-8", "backslashreplace"))


def write_bytes(path: Path | str, content: bytes) -> None:
    """Write bytes whole or not at all; raises OutputError."""
    with atomic_path(path) as temporary:
        temporary.write_bytes(content)


def private_folder(folder: Path) -> list[Path]:
    """Make a folder that its owner alone may enter; returns the folders that were missing, innermost first."""
    missing = []
    for path in (folder, *folder.parents):
        if path.exists():
            break
        missing.append(path)
    for path in reversed(missing):
        with suppress(FileExistsError):
            path.mkdir(FOLDER_MODE)
            path.chmod(FOLDER_MODE)
    if not folder.is_dir():
        raise NotADirectoryError(20, "a file of that name is in the way")
    return missing


def try_lock(handle: int) -> bool | None:
    """Take the lock of an open file or folder; False where another process holds it, None where there are no locks.

    The system lets go of it when the process ends, however it ends.
    """
    if fcntl is None:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks
        return None
    return True


def readable(name: str) -> str:
    """A file name as text: bytes that are no letter of UTF-8 are written as their code (caf\\xe9)."""
    return os.fsencode(name).decode("utf-8", "backslashreplace") if not name.isascii() else name


def _temporary_beside(target: Path) -> tuple[int, Path]:
    """An empty, locked temporary file in the target's folder: a rename is atomic only within one file system."""
    try:
        private_folder(target.parent)
        if target.is_dir():
            raise IsADirectoryError(21, "a folder of that name is in the way")
        if target.exists() and not target.is_file():
            raise FileExistsError(17, "what stands there is no ordinary file")
        _sweep(target.parent)
        handle, name = tempfile.mkstemp(prefix=PREFIX, suffix="".join(target.suffixes[-2:]), dir=target.parent)
    except OSError as error:
        raise OutputError(f"cannot write {target}: {error.strerror or error}", "", _advice(error)) from error
    os.chmod(name, FILE_MODE)
    try_lock(handle)
    return handle, Path(name)


def _sweep(folder: Path) -> None:
    """Remove what killed runs left under temporary names: it may hold rows of patients."""
    for path in folder.glob(f"{PREFIX}*"):
        with suppress(OSError):
            if path.is_symlink() or not path.is_file() or time.time() - path.stat().st_mtime < STALE_S:
                continue
            handle = os.open(path, os.O_RDONLY)
            try:
                if try_lock(handle):
                    path.unlink()
            finally:
                os.close(handle)


def _flush_to_disk(path: Path) -> None:
    with path.open("rb+") as stream:
        os.fsync(stream.fileno())


def _advice(error: OSError) -> str:
    if error.errno in (28, 122):
        return "free some space"
    return "choose a shorter name" if error.errno == 36 else "choose a folder that you may write to"
