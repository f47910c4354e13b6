"""Who is spoken to: an archive by its DICOMweb address, or an application entity by title, host and port."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from endplate.errors import InputError, OptionError
from endplate.pacs.tls import TlsFiles

TITLE = re.compile(r"[!-\[\]-~](?:[ -\[\]-~]{0,14}[!-\[\]-~])?")
DIMSE = re.compile(r"(?P<title>[^@]+)@(?P<host>[^:@\s]+|\[[0-9a-fA-F:]+\]):(?P<port>\d+)")
OWN_TITLE = "ENDPLATE"
TOKEN_VARIABLE = "ENDPLATE_TOKEN"


class PeerError(InputError):
    """The other side cannot be reached, refuses, or answers with a failure."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebPeer:
    """A DICOMweb service: its base address, a bearer token where it wants one, TLS files beside the system's."""

    url: str
    token: str | None = None
    tls: TlsFiles | None = None

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True, slots=True, kw_only=True)
class DimsePeer:
    """An application entity: its title and place, the title that we call ourselves, and TLS where it speaks that."""

    title: str
    host: str
    port: int
    own: str = OWN_TITLE
    tls: TlsFiles | None = None

    def __str__(self) -> str:
        return f"{self.title}@{self.host}:{self.port}"


Peer = WebPeer | DimsePeer


def parse_peer(text: str, own: str = OWN_TITLE, token: str | None = None, tls: TlsFiles | None = None) -> Peer:
    """A peer from `http://host/dicom-web` or `TITLE@host:port`.

    Parameters
    ----------
    text : str
        What was given.
    own : str, optional
        Our application entity title.
    token : str, optional
        Bearer token of a DICOMweb service.
    tls : TlsFiles, optional
        Certificates; an application entity is spoken to by TLS where they are given, a web address by its https.

    Returns
    -------
    WebPeer or DimsePeer

    Raises
    ------
    OptionError
        Neither of the two, or the libraries of the `pacs` extra are not installed.
    """
    need_pacs()
    if re.match(r"https?://[^/\s]+", text):
        if tls is not None and not text.startswith("https://"):
            raise OptionError(f"TLS and {text}", "the address is one without TLS", "give an https address")
        return WebPeer(url=text.rstrip("/"), token=token, tls=tls)
    found = DIMSE.fullmatch(text)
    if found is None or not 0 < int(found["port"]) < 65536:
        raise OptionError(
            f"{text!r} is no archive", "", "give http://host/dicom-web, or TITLE@host:port for an application entity"
        )
    title, host, port = ae_title(found["title"]), found["host"], int(found["port"])
    return DimsePeer(title=title, host=host, port=port, own=ae_title(own), tls=tls)


def ae_title(text: str) -> str:
    """An application entity title, refused where DICOM allows no such one."""
    if not TITLE.fullmatch(text.strip()):
        raise OptionError(f"{text!r} is no application entity title", "", "give 1 to 16 letters, no backslash")
    return text.strip()


def bearer_token(file: Path | None) -> str | None:
    """A token from a file, else from the environment; None where there is none.

    Raises
    ------
    OptionError : the file cannot be read or is empty.
    """
    if file is None:
        return os.environ.get(TOKEN_VARIABLE) or None
    try:
        text = file.read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise OptionError(f"the token file {file} cannot be read", str(error), "check the path") from error
    if not text or any(letter.isspace() for letter in text):
        raise OptionError(f"the token file {file} holds no token", "", "write the token alone into it")
    return text


def network_reason(error: BaseException) -> str:
    """Why a request failed, in a few words, without the address that the libraries put before it."""
    inner = getattr(error.args[0], "reason", None) if error.args else None
    text = " ".join(str(inner or error).split())
    bare = re.sub(r"^<?[\w.]*(Connection|HTTPS?ConnectionPool)\(.*?\)[>:]?:? *", "", text)
    bare = re.sub(r"^Failed to establish a new connection: (\[Errno -?\d+\] )?", "", bare)
    return bare[:200] or text[:200]


def need_pacs() -> None:
    """Refuse where the libraries are missing."""
    for module in ("pynetdicom", "dicomweb_client"):
        if find_spec(module) is None:
            raise OptionError(
                f"archives are spoken to with {module}", "it is not installed", "pip install 'endplate[pacs]'"
            )
