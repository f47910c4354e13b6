"""DIMSE: C-ECHO, C-FIND, C-GET, C-MOVE and C-STORE as the asking side."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pydicom
from pydicom.dataset import Dataset
from pydicom.uid import (
    AllTransferSyntaxes,
    Comprehensive3DSRStorage,
    ComprehensiveSRStorage,
    CTImageStorage,
    EncapsulatedPDFStorage,
    EnhancedCTImageStorage,
    LegacyConvertedEnhancedCTImageStorage,
    SecondaryCaptureImageStorage,
    SegmentationStorage,
    SpatialFiducialsStorage,
)

from endplate.pacs.found_series import KEYS, FoundSeries, SeriesQuery, series_of
from endplate.pacs.peer import DimsePeer, PeerError
from endplate.pacs.tls import Connecting

TIMEOUT_S = 30.0
FETCHED = (
    CTImageStorage, EnhancedCTImageStorage, LegacyConvertedEnhancedCTImageStorage, SegmentationStorage,
    Comprehensive3DSRStorage, ComprehensiveSRStorage, EncapsulatedPDFStorage, SecondaryCaptureImageStorage,
    SpatialFiducialsStorage,
)  # fmt: skip
"""What C-GET may hand over."""
PENDING, SUCCESS = (0xFF00, 0xFF01), 0x0000
WARNINGS = range(0xB000, 0xC000)


def echo(peer: DimsePeer) -> str:
    """C-ECHO.

    Raises
    ------
    PeerError : no association, or a status that is no success.
    """
    from pynetdicom.sop_class import Verification  # type: ignore[attr-defined]

    with _associated(peer, [(Verification, None)]) as association:
        status = association.send_c_echo().get("Status")
    if status != SUCCESS:
        raise PeerError(f"{peer} answers C-ECHO with status {status}", "", "look into the log of the archive")
    return f"{peer} answers to C-ECHO"


def find_series(peer: DimsePeer, query: SeriesQuery) -> list[FoundSeries]:
    """C-FIND at the level of series.

    Raises
    ------
    PeerError : no association, or the query failed.
    """
    wanted = Dataset()
    wanted.QueryRetrieveLevel = "SERIES"
    for key in (*KEYS, "AccessionNumber"):
        setattr(wanted, key, "")
    for key, value in query.filters().items():
        setattr(wanted, key, value)
    return [series_of(answer) for answer in _found(peer, wanted)]


def instance_uids(peer: DimsePeer, series: FoundSeries) -> list[str]:
    """C-FIND at the level of instances."""
    wanted = Dataset()
    wanted.QueryRetrieveLevel = "IMAGE"
    wanted.StudyInstanceUID, wanted.SeriesInstanceUID, wanted.SOPInstanceUID = series.study_uid, series.series_uid, ""
    return [str(answer.SOPInstanceUID) for answer in _found(peer, wanted)]


def _found(peer: DimsePeer, wanted: Dataset) -> list[Dataset]:
    from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelFind as Find  # type: ignore[attr-defined]

    with _associated(peer, [(Find, None)]) as association:
        answers, last = [], None
        for status, answer in association.send_c_find(wanted, Find):
            last = status.get("Status")
            if last in PENDING and answer is not None:
                answers.append(answer)
    if last != SUCCESS:
        raise PeerError(f"{peer} answers C-FIND with status {_hex(last)}", "", "look into the log of the archive")
    return answers


def fetch(peer: DimsePeer, series: FoundSeries, wanted: Iterable[str], keep: Callable[[str, Any], None]) -> None:
    """C-GET of instances; each that arrives is handed to `keep`.

    Raises
    ------
    PeerError : no association, or what arrived is not all.
    """
    from pynetdicom import build_role, evt
    from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelGet as Get  # type: ignore[attr-defined]

    def stored(event: Any) -> int:
        arrived = event.dataset
        arrived.file_meta = event.file_meta
        keep(str(event.request.AffectedSOPInstanceUID), arrived)
        return SUCCESS

    roles = [build_role(one, scp_role=True) for one in FETCHED]
    contexts = [(Get, None), *((one, list(AllTransferSyntaxes)) for one in FETCHED)]
    handlers = [(evt.EVT_C_STORE, stored)]
    with _associated(peer, contexts, roles, handlers) as association:
        for uid in wanted:
            last = None
            for status, _ in association.send_c_get(_instance(series, uid), Get):
                last = status.get("Status")
            if last != SUCCESS:
                raise PeerError(f"{peer} answers C-GET with status {_hex(last)}", f"instance {uid}", "try again")


def move(peer: DimsePeer, series: FoundSeries, destination: str) -> None:
    """C-MOVE of a series to a title that the archive knows.

    Raises
    ------
    PeerError : no association, or not everything was sent.
    """
    from pynetdicom.sop_class import StudyRootQueryRetrieveInformationModelMove as Move  # type: ignore[attr-defined]

    wanted = Dataset()
    wanted.QueryRetrieveLevel = "SERIES"
    wanted.StudyInstanceUID, wanted.SeriesInstanceUID = series.study_uid, series.series_uid
    with _associated(peer, [(Move, None)]) as association:
        last = None
        for status, _ in association.send_c_move(wanted, destination, Move):
            last = status.get("Status")
    if last != SUCCESS:
        raise PeerError(
            f"{peer} answers C-MOVE to {destination} with status {_hex(last)}", "",
            "check that the archive knows this title with its host and port",
        )  # fmt: skip


def store(peer: DimsePeer, files: Iterable[Path]) -> list[tuple[Path, str]]:
    """C-STORE of files; what was refused comes back with the reason.

    Raises
    ------
    PeerError : no association, or it broke.
    """
    waiting = {path: pydicom.dcmread(path, specific_tags=["SOPClassUID"]).file_meta for path in files}
    kinds = {(meta.MediaStorageSOPClassUID, meta.TransferSyntaxUID) for meta in waiting.values()}
    refused: list[tuple[Path, str]] = []
    with _associated(peer, [(kind, [syntax]) for kind, syntax in sorted(kinds)]) as association:
        for path in waiting:
            try:
                status = association.send_c_store(path).get("Status")
            except (ValueError, RuntimeError) as error:
                if not association.is_established:
                    raise PeerError(f"the association with {peer} broke: {error}", "", "try again") from error
                refused.append((path, str(error).splitlines()[0][:160]))
                continue
            if status is None:
                raise PeerError(f"{peer} broke off while {path.name} was sent", "", "try again")
            if status != SUCCESS and status not in WARNINGS:
                refused.append((path, f"status {_hex(status)}"))
    return refused


def _instance(series: FoundSeries, uid: str) -> Dataset:
    wanted = Dataset()
    wanted.QueryRetrieveLevel = "IMAGE"
    wanted.StudyInstanceUID, wanted.SeriesInstanceUID, wanted.SOPInstanceUID = series.study_uid, series.series_uid, uid
    return wanted


@contextmanager
def _associated(
    peer: DimsePeer, contexts: Iterable[tuple[Any, Any]], roles: list[Any] | None = None, handlers: Any = None
) -> Iterator[Any]:
    from pynetdicom import AE

    entity = AE(ae_title=peer.own)
    entity.acse_timeout = entity.dimse_timeout = entity.network_timeout = entity.connection_timeout = TIMEOUT_S
    for kind, syntaxes in contexts:
        entity.add_requested_context(kind, syntaxes) if syntaxes else entity.add_requested_context(kind)
    context = peer.tls.client_context() if peer.tls is not None else None
    association = entity.associate(
        peer.host, peer.port, ae_title=peer.title, ext_neg=roles or [], evt_handlers=handlers or [],
        tls_args=(context, peer.host.strip("[]")) if context is not None else None,
    )  # fmt: skip
    if not association.is_established:
        raise _not_associated(peer, association.is_rejected, context)
    try:
        yield association
    finally:
        if association.is_established:
            association.release()


def _not_associated(peer: DimsePeer, refused: bool, context: Connecting | None) -> PeerError:
    if refused:
        why, fix = f"rejects an association with {peer.own}", "check title, host and port, and that it lists our title"
    elif context is None:
        why, fix = "cannot be reached", "check host and port, and whether it speaks TLS"
    elif context.failure:
        why, fix = f"does not agree on TLS: {context.failure}", "check --tls-ca and the name in its certificate"
    else:
        why, fix = "cannot be reached by TLS", "check host and port, and whether it wants a certificate (--tls-cert)"
    return PeerError(f"{peer} {why}", "", fix)


def _hex(status: int | None) -> str:
    return "none (the association broke)" if status is None else f"{status:#06x}"
