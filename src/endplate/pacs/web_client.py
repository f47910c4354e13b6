"""DICOMweb: QIDO-RS to find, WADO-RS to fetch, STOW-RS to store."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pydicom

from endplate.errors import EndplateError
from endplate.pacs.found_series import KEYS, FoundSeries, SeriesQuery, series_of
from endplate.pacs.peer import PeerError, WebPeer, network_reason
from endplate.pacs.tls import TlsFiles

TIMEOUT_S = 60.0
BATCH = 20
"""Instances in one STOW-RS request: a request that is lost is sent again whole."""


def echo(peer: WebPeer) -> str:
    """Ask for one study: whether the service answers.

    Raises
    ------
    PeerError : it does not.
    """
    with _speaking(peer) as client:
        client.search_for_studies(limit=1)
    return f"{peer} answers to QIDO-RS"


def find_series(peer: WebPeer, query: SeriesQuery) -> list[FoundSeries]:
    """Series that match a query.

    Raises
    ------
    PeerError : no answer.
    """
    filters = query.filters()
    study = filters.pop("StudyInstanceUID", None)
    with _speaking(peer) as client:
        answers = client.search_for_series(study_instance_uid=study, search_filters=filters or None, fields=list(KEYS))
        return [series_of(_dataset(one)) for one in answers]


def instance_uids(peer: WebPeer, series: FoundSeries) -> list[str]:
    """The instances of a series."""
    with _speaking(peer) as client:
        answers = client.search_for_instances(series.study_uid, series.series_uid)
        return [str(_dataset(one).SOPInstanceUID) for one in answers]


def fetch(peer: WebPeer, series: FoundSeries, wanted: Iterable[str], keep: Callable[[str, Any], None]) -> None:
    """Fetch instances one by one and hand each to `keep`.

    Raises
    ------
    PeerError : the service does not answer or refuses.
    """
    with _speaking(peer) as client:
        for uid in wanted:
            keep(uid, client.retrieve_instance(series.study_uid, series.series_uid, uid))


def store(peer: WebPeer, files: Iterable[Path]) -> list[tuple[Path, str]]:
    """Store files; what was refused comes back with the reason.

    Raises
    ------
    PeerError : the service does not answer.
    """
    refused: list[tuple[Path, str]] = []
    waiting = list(files)
    with _speaking(peer) as client:
        for start in range(0, len(waiting), BATCH):
            batch = {path: pydicom.dcmread(path) for path in waiting[start : start + BATCH]}
            answer = client.store_instances(list(batch.values()))
            failed = {str(item.ReferencedSOPInstanceUID): item for item in answer.get("FailedSOPSequence") or ()}
            stored = {str(item.ReferencedSOPInstanceUID) for item in answer.get("ReferencedSOPSequence") or ()}
            for path, made in batch.items():
                uid = str(made.SOPInstanceUID)
                if uid in failed:
                    refused.append((path, f"reason {int(failed[uid].get('FailureReason', 0)):#06x}"))
                elif uid not in stored:
                    refused.append((path, "the archive does not say that it was stored"))
    return refused


@contextmanager
def _speaking(peer: WebPeer) -> Iterator[Any]:
    """A client; whatever it raises about the network becomes one line."""
    from dicomweb_client.api import DICOMwebClient
    from requests import Session
    from requests.exceptions import RequestException

    logging.getLogger("dicomweb_client").setLevel(logging.ERROR)
    session = Session()
    session.trust_env = False  # an archive is never spoken to by a proxy that happens to be set
    if peer.tls is not None:
        session.verify = str(peer.tls.authorities) if peer.tls.authorities else True
        session.cert = _certificate(peer.tls)
    if peer.token:
        session.headers["Authorization"] = f"Bearer {peer.token}"
    session.request = _with_timeout(session.request)  # type: ignore[method-assign]
    client = DICOMwebClient(url=peer.url, session=session)
    client.set_http_retry_params(retry=False)
    try:
        yield client
    except EndplateError:
        raise
    except RequestException as error:
        raise PeerError(f"{peer} does not answer as a DICOMweb service: {_short(error)}", "", _FIX) from error
    except (ValueError, KeyError, AttributeError) as error:
        raise PeerError(f"{peer} answers what is no DICOMweb: {_short(error)}", "", _FIX) from error
    finally:
        session.close()


def _certificate(files: TlsFiles) -> str | tuple[str, str] | None:
    """Ours, as requests takes it."""
    if files.certificate is None:
        return None
    return (str(files.certificate), str(files.key)) if files.key is not None else str(files.certificate)


_FIX = "check the address, the token and that the service runs"


def _with_timeout(request: Callable[..., Any]) -> Callable[..., Any]:
    def call(*given: Any, **named: Any) -> Any:
        return request(*given, **({"timeout": TIMEOUT_S} | named))

    return call


def _dataset(answer: Any) -> pydicom.Dataset:
    return pydicom.Dataset.from_json(answer)


def _short(error: BaseException) -> str:
    response = getattr(error, "response", None)
    if response is not None:
        return f"HTTP {response.status_code} {response.reason}"
    return network_reason(error)
