"""The receiving side: a storage SCP that takes images from listed titles, logs every association, keeps to limits."""

from __future__ import annotations

import io
import logging
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pydicom

from endplate.errors import OptionError
from endplate.pacs.rule_file import Rules, facts_for_rules
from endplate.pacs.spool import OPEN, UID, Entry, Spool
from endplate.pacs.tls import TlsFiles

log = logging.getLogger("endplate.pacs")
SUCCESS, OUT_OF_RESOURCES, CANNOT_UNDERSTAND = 0x0000, 0xA700, 0xC000
SIZE_EVERY_S = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a listener takes at most.

    Parameters
    ----------
    disk_bytes : int
        Bytes of its spool.
    free_bytes : int
        Bytes that stay free on the disk.
    queue : int
        Series that are on their way or wait.
    associations : int
        Associations at a time.
    """

    disk_bytes: int = 50 * 2**30
    free_bytes: int = 2**30
    queue: int = 1000
    associations: int = 10


class Receiver:
    """Takes instances into a spool.

    Parameters
    ----------
    spool : Spool
        Where they go.
    rules : Rules
        Which series are kept.
    limits : Limits
        When no more is taken.
    """

    def __init__(self, spool: Spool, rules: Rules, limits: Limits) -> None:
        self.spool, self.rules, self.limits = spool, rules, limits
        self._used, self._measured_at = 0, 0.0
        self._server: Any = None

    def start(self, title: str, host: str, port: int, allowed: Sequence[str], tls: TlsFiles | None = None) -> int:
        """Listen; returns the port.

        Parameters
        ----------
        title : str
            Our application entity title.
        host, port : str and int
            Where to listen; port 0 lets the system choose.
        allowed : sequence of str
            Titles that may send.
        tls : TlsFiles, optional
            With these nothing but TLS is spoken.

        Raises
        ------
        OptionError : nobody is allowed, the port cannot be had, or a TLS file not be used.
        """
        from pydicom.uid import AllTransferSyntaxes
        from pynetdicom import AE, AllStoragePresentationContexts, evt
        from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

        if not allowed:
            raise OptionError("no sender is allowed", "nothing would ever be accepted", "name one with --allow TITLE")
        entity = AE(ae_title=title)
        entity.require_called_aet = True
        entity.require_calling_aet = list(allowed)
        entity.maximum_associations = self.limits.associations
        entity.network_timeout = 120
        for context in AllStoragePresentationContexts:
            entity.add_supported_context(str(context.abstract_syntax), list(AllTransferSyntaxes))
        entity.add_supported_context(Verification)
        handlers: Any = [
            (evt.EVT_ACCEPTED, _logged, ["accepted"]),
            (evt.EVT_REJECTED, _logged, ["rejected"]),
            (evt.EVT_RELEASED, _logged, ["released"]),
            (evt.EVT_ABORTED, _logged, ["aborted"]),
            (evt.EVT_CONN_CLOSE, _closed),
            (evt.EVT_C_ECHO, lambda event: SUCCESS),
            (evt.EVT_C_STORE, self._stored),
        ]
        try:
            self._server = entity.start_server(
                (host, port), block=False, evt_handlers=handlers, ssl_context=tls.server_context() if tls else None
            )
        except (OSError, OverflowError) as error:
            why = getattr(error, "strerror", None) or str(error).rstrip(".")
            raise OptionError(f"cannot listen on {host}:{port}", why, "give another --port") from error
        found: int = self._server.socket.getsockname()[1]
        return found

    def stop(self) -> None:
        """Take nothing more."""
        if self._server is not None:
            self._server.shutdown()

    def _stored(self, event: Any) -> int:
        """One C-STORE: success is answered only when the image is on the disk."""
        sender = event.assoc.requestor.ae_title.strip()
        try:
            content = event.encoded_dataset()
            return self.take(content, sender)
        except OSError as error:
            log.error("from %s: cannot be written: %s", sender, error)
            return OUT_OF_RESOURCES

    def take(self, content: bytes, sender: str) -> int:
        """Keep one instance, given as a file; returns the DIMSE status."""
        try:
            header = pydicom.dcmread(io.BytesIO(content), stop_before_pixels=True)
            uids = [str(header[key].value) for key in ("SeriesInstanceUID", "StudyInstanceUID", "SOPInstanceUID")]
            if not all(UID.fullmatch(uid) for uid in uids):
                raise ValueError("an identifier that is no UID")
        except Exception as error:  # pydicom raises many kinds on broken bytes
            log.warning("from %s: an object that cannot be read is refused: %s", sender, error)
            return CANNOT_UNDERSTAND
        series, study, instance = uids
        modality = str(header.get("Modality") or "")
        known = self.spool.entry(series)
        if known is None and modality != "SEG":
            if why := self.rules.refusal(facts_for_rules(header)):
                log.info("series %s from %s is left: %s", series, sender, why)
                self.spool.put(Entry(series_uid=series, study_uid=study, modality=modality, state="left", reason=why))
                return SUCCESS
        elif known is not None and known.state == "left":
            return SUCCESS
        if full := self._full(known is None):
            log.warning("from %s: refused, %s", sender, full)
            return OUT_OF_RESOURCES
        expected = header.get("ImagesInAcquisition")
        fresh = Entry(
            series_uid=series, study_uid=study, modality=modality,
            expected=int(expected) if str(expected or "").isdigit() else None,
        )  # fmt: skip
        what = self.spool.keep(fresh, instance, content)
        self._used += len(content) if what != "again" else 0
        if what == "late":
            log.warning("series %s: an image came after it was measured; it is kept and not measured", series)
        return SUCCESS

    def _full(self, is_new: bool) -> str:
        """Why no more can be taken; empty where it can."""
        now = time.monotonic()
        if now - self._measured_at > SIZE_EVERY_S:
            self._used, self._measured_at = self.spool.bytes_used(), now
        if self._used > self.limits.disk_bytes:
            return f"the spool holds {self._used} bytes"
        if shutil.disk_usage(self.spool.folder).free < self.limits.free_bytes:
            return "the disk is full"
        if is_new and sum(one.state in OPEN for one in self.spool.entries()) >= self.limits.queue:
            return f"{self.limits.queue} series wait"
        return ""


def _logged(event: Any, what: str) -> None:
    peer = event.assoc.requestor
    log.info("association %s: %s from %s:%s", what, peer.ae_title.strip(), peer.address, peer.port)


def _closed(event: Any) -> None:
    log.debug("connection closed")
