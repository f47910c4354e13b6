"""Pull a series, push objects: the same for both protocols, and both can be broken off and begun again."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

from endplate.atomic import PREFIX, atomic_path, private_folder, try_lock
from endplate.errors import InputError, OptionError, OutputError
from endplate.image.file_type import is_dicom
from endplate.pacs import dimse_client, web_client
from endplate.pacs.found_series import FoundSeries, SeriesQuery
from endplate.pacs.peer import Peer, PeerError, WebPeer
from endplate.progress import Progress, silent

UID = re.compile(r"[0-9.]{1,64}")
PARTIAL = ".endplate-pulling-"
"""How the folder begins in which a series arrives before it is whole."""


def client_of(peer: Peer) -> ModuleType:
    """The module that speaks the peer's protocol."""
    return web_client if isinstance(peer, WebPeer) else dimse_client


def echo(peer: Peer) -> str:
    """Whether the peer answers, in a line; raises PeerError."""
    answer: str = client_of(peer).echo(peer)
    return answer


def find_series(peer: Peer, query: SeriesQuery) -> list[FoundSeries]:
    """Series that match; raises PeerError."""
    found: list[FoundSeries] = client_of(peer).find_series(peer, query)
    return found


def pull_series(peer: Peer, series: FoundSeries, out: Path, progress: Progress = silent) -> tuple[Path, int]:
    """Fetch a series into a folder of its own, whole or not at all.

    What arrived before a kill is kept beside under a hidden name and is not fetched again.

    Parameters
    ----------
    peer : WebPeer or DimsePeer
        Where it lies.
    series : FoundSeries
        What is fetched.
    out : Path
        Folder in which its folder is made, named by its UID.
    progress : callable, optional
        Called after each instance.

    Returns
    -------
    tuple of Path and int
        The folder, and how many instances were fetched now.

    Raises
    ------
    PeerError
        The archive does not answer, or not all arrived.
    OutputError
        The folder cannot be written.
    """
    if not UID.fullmatch(series.series_uid):
        raise PeerError(f"{peer} lists a series without a valid UID", "", "look into the archive")
    client, folder = client_of(peer), out / series.series_uid
    uids = list(dict.fromkeys(client.instance_uids(peer, series)))
    if not uids or not all(UID.fullmatch(uid) for uid in uids):
        raise PeerError(f"{peer} lists no instances of series {series.series_uid}", "", "look into the archive")
    if folder.is_dir() and all((folder / f"{uid}.dcm").is_file() for uid in uids):
        return folder, 0
    if folder.exists():
        raise OutputError(f"{folder} is there and is not this series whole", "it is not replaced", "move it away")
    partial = out / f"{PARTIAL}{series.series_uid}"
    private_folder(partial)
    with _alone(partial):
        fetched = _fill(client, peer, series, uids, partial, progress)
        os.replace(partial, folder)
    return folder, fetched


def _fill(
    client: ModuleType, peer: Peer, series: FoundSeries, uids: Sequence[str], partial: Path, progress: Progress
) -> int:
    """Fetch what is missing in the folder in which a series arrives; returns how many instances that was."""
    for left in partial.glob(f"{PREFIX}*"):  # what a killed run was writing
        left.unlink(missing_ok=True)
    wanted = [uid for uid in uids if not (partial / f"{uid}.dcm").is_file()]

    def keep(uid: str, arrived: Any) -> None:
        with atomic_path(partial / f"{uid}.dcm") as path:
            arrived.save_as(path, enforce_file_format=True)
        progress("pull", len(list(partial.glob("*.dcm"))) / len(uids), series.series_uid)

    client.fetch(peer, series, wanted, keep)
    lacking = [uid for uid in uids if not (partial / f"{uid}.dcm").is_file()]
    if lacking:
        raise PeerError(
            f"{len(lacking)} of {len(uids)} instances of series {series.series_uid} did not arrive",
            "",
            "run the same command again: it fetches what is missing",
        )
    return len(wanted)


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Refuse where another run fetches the same series into the same place."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        if try_lock(handle) is False:
            raise OutputError(f"another run is fetching into {folder}", "", "wait for it, or choose another folder")
        yield
    finally:
        os.close(handle)


def files_to_push(given: Sequence[Path]) -> list[Path]:
    """The DICOM files among files and folders.

    Raises
    ------
    OptionError : there are none, or something given is no DICOM file.
    """
    found: list[Path] = []
    for path in given:
        if path.is_dir():
            found += [file for file in sorted(path.rglob("*")) if file.is_file() and is_dicom(file)]
        elif path.is_file() and is_dicom(path):
            found.append(path)
        else:
            raise OptionError(f"{path} is no DICOM file", "", "give .dcm files or the folder that holds them")
    if not found:
        raise OptionError("no DICOM file in what was given", "", "write results with `endplate dicom` first")
    return found


def push_files(peer: Peer, files: Sequence[Path]) -> int:
    """Store files in an archive; an object that is there already is not stored twice, since its UID is the same.

    Raises
    ------
    PeerError : the archive does not answer, or refused some; the others are stored.
    """
    try:
        refused = client_of(peer).store(peer, files)
    except InputError:
        raise
    except OSError as error:
        raise PeerError(f"{peer} broke off: {error}", "", "run the same command again") from error
    if refused:
        path, why = refused[0]
        raise PeerError(
            f"{peer} refused {len(refused)} of {len(files)} objects, the first {path.name}: {why}",
            "the others are stored", "look into the log of the archive",
        )  # fmt: skip
    return len(files)
