"""The commands of `endplate pacs`; what they do is in `actions`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from endplate.cli import exit_codes as outcome
from endplate.cli.options.dicom import NO_OBJECT, ObjectOptions
from endplate.cli.options.run import NO_RUN, RUN, RunOptions
from endplate.cli.options.scan import NO_MODEL, NO_SCAN, ModelOptions, ScanOptions
from endplate.cli.pacs.options import (
    NO_LISTEN,
    NO_PEER,
    NO_QUERY,
    NO_WAIT,
    Archive,
    ListenOptions,
    PeerOptions,
    QueryOptions,
    WaitOptions,
)

HELP = """Series from an archive, results to it: DICOMweb by address, DIMSE by TITLE@host:port.

    endplate pacs echo ORTHANC@127.0.0.1:4242

    endplate pacs pull http://127.0.0.1:8042/dicom-web --study 1.2.3 --modality CT --out scans

    endplate pacs push ORTHANC@127.0.0.1:4242 results/dicom

    endplate pacs listen --allow SCANNER --archive ORTHANC@127.0.0.1:4242 --spool spool
"""

app = App(name="pacs", help=HELP, help_format="markdown")


@app.command
def echo(archive: Archive, /, *, peer: PeerOptions = NO_PEER, run: RunOptions = NO_RUN) -> int:
    """Ask whether an archive answers."""
    from endplate.cli.pacs.actions import run_echo

    return outcome.answer(lambda talk: run_echo(archive, peer, talk), run)


@app.command
def find(
    archive: Archive, /, *, query: QueryOptions = NO_QUERY, peer: PeerOptions = NO_PEER, run: RunOptions = NO_RUN
) -> int:
    """List the series of an archive that match."""
    from endplate.cli.pacs.actions import run_find

    return outcome.answer(lambda talk: run_find(archive, query, peer, talk), run)


@app.command
def pull(
    archive: Archive,
    /,
    *,
    out: Annotated[Path, Parameter(group=RUN, help="Folder in which each series gets a folder of its own.")],
    query: QueryOptions = NO_QUERY,
    peer: PeerOptions = NO_PEER,
    run: RunOptions = NO_RUN,
) -> int:
    """Fetch series; broken off, the same command fetches what is missing.

    endplate pacs pull ORTHANC@127.0.0.1:4242 --study 1.2.3 --modality CT --out scans
    """
    from endplate.cli.pacs.actions import run_pull

    return outcome.answer(lambda talk: run_pull(archive, query, peer, out, talk), run)


@app.command
def push(
    archive: Archive,
    files: Annotated[list[Path], Parameter(help="DICOM files, or folders that hold them.")],
    /,
    *,
    peer: PeerOptions = NO_PEER,
    run: RunOptions = NO_RUN,
) -> int:
    """Store DICOM files in an archive; what is there already stays as it is.

    endplate pacs push http://127.0.0.1:8042/dicom-web results/dicom
    """
    from endplate.cli.pacs.actions import run_push

    return outcome.answer(lambda talk: run_push(archive, files, peer, talk), run)


@app.command
def listen(
    *,
    spool: Annotated[Path, Parameter(group=RUN, help="Folder in which series wait; a restart goes on with it.")],
    listener: ListenOptions = NO_LISTEN,
    wait: WaitOptions = NO_WAIT,
    scan: ScanOptions = NO_SCAN,
    model: ModelOptions = NO_MODEL,
    objects: ObjectOptions = NO_OBJECT,
    run: RunOptions = NO_RUN,
) -> int:
    """Take series from listed senders, measure each once when it is whole, and push SEG, SR and PDF to the archive.

        endplate pacs listen --allow SCANNER --rules rules.toml --archive ORTHANC@127.0.0.1:4242 --spool spool

    Labels come from a SEG of the same study, sent or asked of the archive, else from --segment or --segment-command:

        endplate pacs listen --allow SCANNER --segment totalsegmentator --archive ORTHANC@127.0.0.1:4242 --spool spool

    Every association is logged, on standard error and in the spool. An application entity title is no password: listen
    on an address that only your network reaches, or by TLS with --tls-cert, --tls-key and --tls-ca.
    """
    from endplate.cli.pacs.listen import run_listen

    return outcome.answer(lambda talk: run_listen(spool, listener, wait, scan, model, objects, talk), run)
