"""Files that belong together change at once: built under a hidden name, then exchanged for the old, or left as it was.

Built *inside* the target folder rather than beside it, so that a mounted folder, the current folder, or a folder that
also holds the user's own files all work: renames stay within one file system, and foreign files are never touched.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from endplate.atomic import FILE_MODE, private_folder, readable, write_bytes, write_text
from endplate.errors import EndplateError, OptionError, OutputError
from endplate.report.journal import InTheWayError, Journal, folders_missing
from endplate.report.manifest import MANIFEST, Entry, Manifest, file_sha256, manifest_text, read_manifest, standing
from endplate.report.owned import BESIDE, DOCUMENT, KINDS, PAGE, VIEW, VOLUMES, kind_of, refuse_inputs, refuse_standing
from endplate.report.stage import Stage, begin_stage, folder_lock, sweep

__all__ = ["BESIDE", "DOCUMENT", "PAGE", "VIEW", "VOLUMES"]
MAX_KEPT = 100
OF_A_RUN = ("case", "decision", "pdf")
"""Kinds that go with an earlier run: its case, what was decided about it, and pages made from both."""


def check_writable(folder: Path, kinds: Sequence[str] = OF_A_RUN, inputs: Iterable[Path] = ()) -> None:
    """Refuse early, before minutes of work, a folder that cannot take the results.

    Leaves nothing behind; what a killed run left is completed, undone or removed.

    Parameters
    ----------
    kinds : what will be replaced there (see `owned.KINDS`). inputs : files and folders that the run reads.

    Raises
    ------
    OutputError : a file is in the way, the place cannot be written, an output would replace an input, or the folder
    holds files of these names that are not ours as we left them.
    """
    with _refusing(folder):
        made = private_folder(folder)
        try:
            with folder_lock(folder):
                sweep(folder)
            begin_stage(folder).end()
            _refuse(folder, kinds, inputs, (), read_manifest(folder))
        finally:
            _unmake(made)


@contextmanager
def exchanged(folder: Path, kinds: Sequence[str], inputs: Iterable[Path] = ()) -> Iterator[Path]:
    """A hidden folder to fill; its files take their places when the block ends without an error, all or none.

    What earlier runs wrote of these kinds and this one does not write again goes. Interrupted or failed, everything
    that was there before is there still, and nothing new; killed, the next run completes or undoes the exchange.

    Parameters
    ----------
    kinds, inputs : as of `check_writable`.

    Raises
    ------
    OutputError : as `check_writable`, or the disk is full.
    """
    with _refusing(folder):
        made = private_folder(folder)
        stage: Stage | None = None
        try:
            with folder_lock(folder):
                sweep(folder)
            stage = begin_stage(folder)
            yield stage.new
            _flush(stage.new)
            with folder_lock(folder):
                _commit(folder, stage, _journal(folder, stage, kinds, inputs))
            made = []
        finally:
            if stage is not None:
                stage.end()
            _unmake(made)


@contextmanager
def exchanged_file(path: Path, kind: str, inputs: Iterable[Path] = ()) -> Iterator[Path]:
    """A hidden file to write; it takes its place when the block ends without an error.

    Raises
    ------
    OutputError : as `exchanged`: a file that stands there is replaced only where an endplate run of this kind left it.
    """
    check_file(path, kind, inputs)
    with exchanged(path.parent, (kind,), inputs) as new:
        yield new / path.name


def write_file(path: Path, content: str | bytes, kind: str, inputs: Iterable[Path] = ()) -> None:
    """Write one file as `exchanged_file` does."""
    with exchanged_file(path, kind, inputs) as new:
        write_bytes(new, content.encode("utf-8", "backslashreplace") if isinstance(content, str) else content)


def settle(folder: Path) -> None:
    """Complete or undo what a killed run began in a folder; where nothing may be changed, it is read as it is."""
    with suppress(OSError, OutputError):
        if folder.is_dir():
            with folder_lock(folder):
                sweep(folder)


def kept(folder: Path) -> list[str]:
    """Names in a results folder that endplate did not write, or that were changed since: they were left as they are."""
    manifest = read_manifest(folder)
    found = []
    for place in (folder, folder / VOLUMES):
        with suppress(OSError):
            for path in sorted(place.iterdir()):
                name = path.relative_to(folder).as_posix()
                if path.name.startswith(".") or name == VOLUMES or any(n.startswith(f"{name}/") for n in manifest):
                    continue
                if standing(folder, name, manifest.get(name)) != "ours":
                    found.append(readable(name))
    return found[:MAX_KEPT]


def check_file(path: Path, kind: str, inputs: Iterable[Path]) -> None:
    """Refuse before any work a file that could not be written, or would not be replaced; errors as `exchanged_file`."""
    if not path.name:
        raise OptionError(f"{str(path)!r} names no file", "", "name the file to write")
    with _refusing(path.parent):
        if path.is_dir():
            raise OutputError(f"cannot write {path}: a folder of that name is in the way", "", "name another file")
        refuse_inputs(path.parent, [path.name], inputs)
        if path.parent.is_dir():
            refuse_standing(path.parent, [path.name], (kind,), (path.name,), read_manifest(path.parent))


def _refuse(
    folder: Path, kinds: Sequence[str], inputs: Iterable[Path], names: Collection[str], manifest: Manifest
) -> None:
    """Refuse what may not be replaced: names known before the work, listed ones of these kinds, and `names`."""
    fixed = [name for kind in kinds for name in KINDS.get(kind, ())]
    wanted = list(dict.fromkeys((*fixed, *_listed(manifest, kinds), *names)))
    refuse_inputs(folder, wanted, inputs)
    refuse_standing(folder, wanted, kinds, names, manifest)


def _listed(manifest: Manifest, kinds: Sequence[str]) -> list[str]:
    """What an earlier run left of these kinds; of one-file kinds nothing, since each file is a document of its own."""
    return [name for name, entry in manifest.items() if entry.of in kinds and entry.of in KINDS]


def _journal(folder: Path, stage: Stage, kinds: Sequence[str], inputs: Iterable[Path]) -> Journal:
    """What is to be exchanged, checked at the last moment; the new list of files is part of it."""
    manifest = read_manifest(folder)
    names = [path.relative_to(stage.new).as_posix() for path in sorted(stage.new.rglob("*")) if path.is_file()]
    _refuse(folder, kinds, inputs, names, manifest)
    put = {name: file_sha256(stage.new / name) for name in names}
    gone = _listed(manifest, kinds)
    old = {name: manifest[name].sha256 for name in {*gone, *names} if _stands(folder, name, manifest)}
    listed = {name: entry for name, entry in manifest.items() if name not in gone}
    listed |= {name: Entry(sha256=put[name], of=_of(name, kinds, manifest)) for name in names}
    write_text(stage.new / MANIFEST, manifest_text(listed))
    put[MANIFEST] = file_sha256(stage.new / MANIFEST)
    if os.path.lexists(folder / MANIFEST):
        old[MANIFEST] = file_sha256(folder / MANIFEST)
    return Journal(put=put, old=old, made=folders_missing(folder, names))


def _of(name: str, kinds: Sequence[str], manifest: Manifest) -> str:
    """A page that a decision renews stays what it was."""
    listed = manifest.get(name)
    return listed.of if listed is not None and listed.of not in kinds else kind_of(name, kinds)


def _stands(folder: Path, name: str, manifest: Manifest) -> bool:
    return name in manifest and standing(folder, name, manifest[name]) == "ours"


def _commit(folder: Path, stage: Stage, journal: Journal) -> None:
    """Exchange, and tell what happened where that fails."""
    try:
        stage.commit(folder, journal)
    except (OSError, InTheWayError) as error:
        if stage.pending:
            raise OutputError(
                f"the exchange of results in {folder} stopped half-way: {error}",
                f"old and new are both kept, in part in {stage.path.name} there",
                "the next run in this folder completes it",
            ) from error
        if isinstance(error, InTheWayError):
            why = "it is not replaced, and nothing was changed"
            raise OutputError(f"{folder / error.name} appeared meanwhile", why, "run again") from error
        raise


@contextmanager
def _refusing(folder: Path) -> Iterator[None]:
    """Turn what the operating system says into one clear line."""
    try:
        yield
    except EndplateError:
        raise
    except OSError as error:
        full = error.errno in (28, 122)
        fix = "free some space or choose another disk" if full else "choose a folder that you may write to"
        raise OutputError(
            f"cannot write results to {folder}: {error.strerror or error}", "nothing was left half-written", fix
        ) from error


def _unmake(made: Sequence[Path]) -> None:
    for path in made:
        with suppress(OSError):
            path.rmdir()


def _flush(new: Path) -> None:
    """Bring everything to the disk before any of it gets its name, so that a full disk is met here."""
    for file in new.rglob("*"):
        if file.is_file():
            file.chmod(FILE_MODE)
            with file.open("rb+") as stream:
                os.fsync(stream.fileno())
