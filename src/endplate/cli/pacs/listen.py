"""What `endplate pacs listen` does: a receiver, a worker, a log, until it is stopped."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import asdict
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import TYPE_CHECKING, Any

from endplate.cli.exit_codes import Output
from endplate.cli.options.dicom import ObjectOptions, choice_of
from endplate.cli.options.scan import ModelOptions, ScanOptions
from endplate.cli.pacs.actions import given_tls
from endplate.cli.pacs.options import ListenOptions, WaitOptions
from endplate.cli.terminal import aside, plain, say
from endplate.errors import OptionError

if TYPE_CHECKING:
    from endplate.pacs.labels import LabelSource
    from endplate.pacs.listen import Worker
    from endplate.pacs.peer import Peer
    from endplate.pacs.spool import Spool
    from endplate.pacs.tls import TlsFiles

LOG, LOG_BYTES, LOGS = "listen.log", 10 * 2**20, 5
PORT = "port"
"""File of the spool that says on which port its listener is."""


def run_listen(
    spool: Path, listener: ListenOptions, wait: WaitOptions, scan: ScanOptions, model: ModelOptions,
    objects: ObjectOptions, talk: Output,
) -> dict[str, Any]:  # fmt: skip
    """Listen until stopped; returns what `--json` prints when it ends by itself.

    Raises
    ------
    InputError : anything given that cannot be used.
    """
    from endplate.pacs.peer import ae_title, need_pacs

    need_pacs()
    from endplate.atomic import write_text
    from endplate.cli.settings import assess_settings, read_settings
    from endplate.pacs.listen import Timing, Worker
    from endplate.pacs.measure import measurer
    from endplate.pacs.receive import Limits, Receiver
    from endplate.pacs.rule_file import read_rules
    from endplate.pacs.spool import Spool

    if min(wait.quiet_s, wait.incomplete_s, wait.disk_gb, wait.queue) <= 0:
        raise OptionError("--quiet-s, --incomplete-s, --disk-gb and --queue", "", "give numbers above 0")
    title, allowed = ae_title(listener.aet), [ae_title(one) for one in listener.allow or ()]
    tls = given_tls(listener)
    archive = _archive(listener, tls)
    if tls is not None and tls.certificate is None and archive is not None and archive.tls is not None:
        tls = None  # the authorities are for the archive alone
    if tls is not None:
        tls.server_context()
    source = _labels(scan, archive)
    if any(isinstance(value, str | float) for value in asdict(model).values()):
        assess_settings(model)  # what has no meaning is refused now, not with the first series
    measure = measurer(lambda: assess_settings(model), lambda: choice_of(objects), read_settings(scan))
    rules = read_rules(listener.rules)
    timing = Timing(quiet_s=wait.quiet_s, incomplete_s=wait.incomplete_s, tick_s=min(1.0, wait.quiet_s / 4))
    held = Spool(spool)
    try:
        _log_to(spool / LOG, quiet=talk.json or talk.quiet)
        limits = Limits(disk_bytes=int(wait.disk_gb * 2**30), queue=wait.queue)
        receiver = Receiver(held, rules, limits)
        port = receiver.start(title, listener.host, listener.port, allowed, tls)
        write_text(spool / PORT, f"{port}\n")
        if talk.for_people:
            say(f"{title} listens on {listener.host}:{port}{' by TLS' if tls else ''} to {', '.join(allowed)}")
        worker = Worker(held, measure, source, archive, timing)
        try:
            worker.run(until=_idle(held, worker, wait.until_idle_s))
        finally:
            worker.stop()
            receiver.stop()
        counts = Counter(one.state for one in held.entries())
    finally:
        held.close()
    return {"series": dict(counts)}


def _archive(listener: ListenOptions, tls: TlsFiles | None) -> Peer | None:
    """Where results go; the certificates of the listener hold for an https address too."""
    from endplate.pacs.peer import bearer_token, parse_peer
    from endplate.pacs.tls import TlsFiles

    address = listener.archive
    if address is None:
        if listener.archive_tls:
            raise OptionError("--archive-tls without --archive", "", "name the archive")
        return None
    by_tls = listener.archive_tls or address.startswith("https://")
    files = (tls or TlsFiles()) if by_tls else None
    return parse_peer(address, listener.aet, bearer_token(listener.token_file), files)


def _labels(scan: ScanOptions, archive: Peer | None) -> LabelSource:
    """Where labels come from; a segmenter that cannot be run is refused now, not with the first series."""
    from endplate.cli.settings import read_settings, segmenter_choice
    from endplate.image.labels.segmenter import check_choice
    from endplate.pacs.labels import LabelSource

    choice = segmenter_choice(scan)
    if choice is not None:
        check_choice(choice)
    return LabelSource(segmenter=choice, scheme=scan.scheme, archive=archive, reading=read_settings(scan))


def _idle(spool: Spool, worker: Worker, seconds: float | None) -> Callable[[], bool]:
    """Whether nothing has been on its way for so long."""
    from endplate.pacs.spool import OPEN

    last = time.monotonic()

    def idle() -> bool:
        nonlocal last
        if seconds is None:
            return False
        if any(one.state in OPEN for one in spool.entries()):
            last = time.monotonic()
        return time.monotonic() - last > seconds

    return idle


def _log_to(path: Path, *, quiet: bool) -> None:
    """Log into the spool and, unless quiet, to standard error; one line a record, whatever it quotes."""
    logger = logging.getLogger("endplate.pacs")
    logger.setLevel(logging.INFO)
    logger.propagate = False
    for handler in list(logger.handlers):
        logger.removeHandler(handler)
        handler.close()
    form = _OneLine("%(asctime)s %(levelname)s %(message)s")
    handlers: list[logging.Handler] = [RotatingFileHandler(path, maxBytes=LOG_BYTES, backupCount=LOGS)]
    path.chmod(0o600)
    if not quiet:
        handlers.append(_Aside())
    for handler in handlers:
        handler.setFormatter(form)
        logger.addHandler(handler)
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)


class _OneLine(logging.Formatter):
    """A record as one line of plain letters: titles and reasons come from elsewhere."""

    def format(self, record: logging.LogRecord) -> str:
        return plain(super().format(record), 2000)


class _Aside(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        aside(self.format(record))
