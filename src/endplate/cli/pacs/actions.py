"""What `endplate pacs echo`, `find`, `pull` and `push` do."""

from __future__ import annotations

import re
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endplate.cli.exit_codes import Output
from endplate.cli.pacs.options import PeerOptions, QueryOptions, TlsOptions
from endplate.cli.progress import progress_bars
from endplate.cli.terminal import say
from endplate.errors import OptionError

if TYPE_CHECKING:
    from endplate.pacs.found_series import SeriesQuery
    from endplate.pacs.peer import Peer
    from endplate.pacs.tls import TlsFiles

UID = re.compile(r"(?=.{1,64}$)[0-9]+(\.[0-9]+)*")
COLUMNS = ("modality", "instances", "study_date", "body_part", "description", "series_uid")


def run_echo(archive: str, peer: PeerOptions, talk: Output) -> dict[str, Any]:
    """Whether an archive answers; raises InputError where not."""
    from endplate.pacs.transfer import echo

    answer = echo(_peer(archive, peer))
    if talk.for_people:
        say(answer)
    return {"answer": answer}


def run_find(archive: str, query: QueryOptions, peer: PeerOptions, talk: Output) -> dict[str, Any]:
    """The series that match."""
    from endplate.pacs.transfer import find_series

    found = [asdict(one) for one in find_series(_peer(archive, peer), _query(query))]
    if talk.for_people:
        for one in found:
            say("  ".join(str(one[name]) for name in COLUMNS if one[name] not in ("", None)))
        say(f"{len(found)} series")
    return {"series": found}


def run_pull(archive: str, query: QueryOptions, peer: PeerOptions, out: Path, talk: Output) -> dict[str, Any]:
    """Fetch every series that matches."""
    from endplate.pacs.transfer import find_series, pull_series

    wanted = _query(query)
    if not (wanted.study_uid or wanted.series_uid or wanted.accession):
        raise OptionError("no series named", "a whole archive is not fetched", "give --study, --series or --accession")
    whom = _peer(archive, peer)
    found = find_series(whom, wanted)
    if not found:
        raise OptionError(f"{whom} has no such series", "", "look with `endplate pacs find`")
    folders = []
    with progress_bars(talk.progress) as tell:
        for one in found:
            folder, fetched = pull_series(whom, one, out, tell)
            folders.append({"series_uid": one.series_uid, "folder": str(folder.resolve()), "fetched": fetched})
    if talk.for_people:
        for row in folders:
            say(f"{row['folder']}  {row['fetched']} fetched")
    return {"series": folders}


def run_push(archive: str, files: list[Path], peer: PeerOptions, talk: Output) -> dict[str, Any]:
    """Store files."""
    from endplate.pacs.transfer import files_to_push, push_files

    whom = _peer(archive, peer)
    count = push_files(whom, files_to_push(files))
    if talk.for_people:
        say(f"{count} objects are in {whom}")
    return {"stored": count}


def _peer(archive: str, options: PeerOptions) -> Peer:
    from endplate.pacs.peer import bearer_token, need_pacs, parse_peer
    from endplate.pacs.tls import TlsFiles

    need_pacs()
    tls = given_tls(options) or (TlsFiles() if options.tls else None)
    return parse_peer(archive, options.aet, bearer_token(options.token_file), tls)


def given_tls(options: TlsOptions) -> TlsFiles | None:
    """The certificates that were given; None where none was.

    Raises
    ------
    OptionError : a file that cannot be used, or a key without its certificate.
    """
    from endplate.pacs.tls import tls_files

    given = (options.tls_cert, options.tls_key, options.tls_ca)
    return tls_files(*given) if any(given) else None


def _query(options: QueryOptions) -> SeriesQuery:
    from endplate.pacs.found_series import SeriesQuery

    for name, uid in (("study", options.study), ("series", options.series)):
        if uid is not None and not UID.fullmatch(uid):
            why = "a DICOM UID has digits and points, 64 at most"
            raise OptionError(f"--{name} {uid!r} is no UID", why, "copy it from `endplate pacs find`")
    return SeriesQuery(
        study_uid=options.study,
        series_uid=options.series,
        patient_id=options.patient,
        accession=options.accession,
        modality=options.modality,
    )
