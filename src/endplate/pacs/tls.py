"""TLS for DIMSE and DICOMweb: our certificate, whose certificates we trust, TLS 1.2 or newer."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from endplate.errors import OptionError

WAIT_S = 120.0
"""Longest silence within a handshake or a record."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsFiles:
    """Files in PEM form.

    Parameters
    ----------
    certificate : Path, optional
        Ours, with the chain up to an authority.
    key : Path, optional
        Its private key, without a password; left out where it stands in the same file.
    authorities : Path, optional
        Certificates of the authorities that are trusted; the system's when left out.
    """

    certificate: Path | None = None
    key: Path | None = None
    authorities: Path | None = None

    def client_context(self) -> Connecting:
        """For connections that we begin: the other side's name must be that of its certificate.

        Raises
        ------
        OptionError : a file that cannot be used.
        """
        context = Connecting(ssl.PROTOCOL_TLS_CLIENT)
        _load(context, self)
        if self.authorities is None:
            context.load_default_certs(ssl.Purpose.SERVER_AUTH)
        return context

    def server_context(self) -> Accepting:
        """For connections that we accept: with authorities given, only from who shows a certificate of theirs.

        Raises
        ------
        OptionError : no certificate, or a file that cannot be used.
        """
        if self.certificate is None:
            raise OptionError("--tls-ca without --tls-cert", "a listener has to show a certificate", "give --tls-cert")
        context = Accepting(ssl.PROTOCOL_TLS_SERVER)
        _load(context, self)
        if self.authorities is not None:
            context.verify_mode = ssl.CERT_REQUIRED
        return context


def tls_files(certificate: Path | None, key: Path | None, authorities: Path | None) -> TlsFiles:
    """The files that were given, after a look whether they can be used.

    Raises
    ------
    OptionError : a key without a certificate, or a file that cannot be used.
    """
    if certificate is None and key is not None:
        raise OptionError("--tls-key without --tls-cert", "a key belongs to a certificate", "give both")
    files = TlsFiles(certificate=certificate, key=key, authorities=authorities)
    files.client_context()
    return files


class _Noting(ssl.SSLSocket):
    """A socket that leaves word of a handshake that failed, since pynetdicom only logs it."""

    def do_handshake(self, block: bool = False) -> None:
        try:
            super().do_handshake(block)
        except OSError as error:
            if isinstance(self.context, Connecting):
                self.context.failure = _words(error)
            raise


class Connecting(ssl.SSLContext):
    """The context of one connection that we begin; `failure` says why its handshake failed."""

    failure: str = ""
    sslsocket_class = _Noting


class Accepting(ssl.SSLContext):
    """A context whose handshakes are done by the thread of each connection.

    Done by the accepting thread, as pynetdicom would, one silent client would keep all others out.
    """

    def wrap_socket(self, sock: Any, server_side: bool = False, *given: Any, **named: Any) -> ssl.SSLSocket:
        """As of `ssl.SSLContext`, without the handshake."""
        sock.settimeout(WAIT_S)
        named["do_handshake_on_connect"] = False
        return super().wrap_socket(sock, server_side, *given, **named)


def _load(context: ssl.SSLContext, files: TlsFiles) -> None:
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    certificate, key, authorities = files.certificate, files.key, files.authorities
    for path in (certificate, key, authorities):
        if path is not None and not path.is_file():
            raise OptionError(f"the TLS file {path} does not exist", "", "check the path")
    if certificate is not None:
        try:
            # An empty password keeps OpenSSL from asking for one on the terminal.
            context.load_cert_chain(certificate, key, password="")
        except (OSError, ValueError) as error:
            raise OptionError(
                f"{certificate} and {key or 'the key in it'} cannot be used: {_words(error)}", "",
                "give a certificate and its key in PEM form, the key without a password",
            ) from error  # fmt: skip
    if authorities is not None:
        try:
            context.load_verify_locations(cafile=authorities)
        except (OSError, ValueError) as error:
            raise OptionError(
                f"{authorities} holds no certificates: {_words(error)}", "", "give certificates in PEM form"
            ) from error


def _words(error: BaseException) -> str:
    """What OpenSSL says, without its numbers."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"certificate verify failed: {error.verify_message}"
    reason = getattr(error, "reason", None)
    return str(reason).replace("_", " ").lower() if reason else " ".join(str(error).split())[:160]
