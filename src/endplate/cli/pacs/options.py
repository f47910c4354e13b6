"""The options of `endplate pacs`."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from cyclopts import Group, Parameter

from endplate.cli.options.run import option

PEER = Group("Archive", sort_key=1)
LISTEN = Group("Listener", sort_key=1)
WHEN = Group("Waiting and limits", sort_key=2)

Archive = Annotated[str, Parameter(group=PEER, show_default=False, help="http://host/dicom-web, or TITLE@host:port.")]


@dataclass(frozen=True, slots=True, kw_only=True)
class TlsOptions:
    """Certificates, in PEM form."""

    tls_cert: Annotated[
        Path | None, option("Our TLS certificate (PEM) with its chain. A listener with one speaks nothing but TLS.")
    ] = None
    tls_key: Annotated[Path | None, option("Its key, without a password, where it is not in the same file.")] = None
    tls_ca: Annotated[
        Path | None,
        option("Certificates (PEM) of trusted authorities. A listener takes nobody without a certificate of theirs."),
    ] = None


@Parameter(name="*", group=PEER)
@dataclass(frozen=True, slots=True, kw_only=True)
class PeerOptions(TlsOptions):
    """How we speak to an archive."""

    aet: Annotated[str, option("Our application entity title; default ENDPLATE.")] = "ENDPLATE"
    token_file: Annotated[
        Path | None, option("File with the bearer token of a DICOMweb service; else ENDPLATE_TOKEN.")
    ] = None
    tls: Annotated[
        bool, option("Speak TLS to an application entity, as with any --tls-* option; trust the system's authorities.")
    ] = False


@Parameter(name="*", group=PEER)
@dataclass(frozen=True, slots=True, kw_only=True)
class QueryOptions:
    """Which series."""

    study: Annotated[str | None, option("StudyInstanceUID.")] = None
    series: Annotated[str | None, option("SeriesInstanceUID.")] = None
    patient: Annotated[str | None, option("PatientID.")] = None
    accession: Annotated[str | None, option("Accession number.")] = None
    modality: Annotated[str | None, option("CT, SEG, SR and so on.")] = None


@Parameter(name="*", group=LISTEN)
@dataclass(frozen=True, slots=True, kw_only=True)
class ListenOptions(TlsOptions):
    """Where we listen, to whom, and what is done with what comes."""

    allow: Annotated[list[str] | None, option("Title that may send; may be repeated. Others are rejected.")] = None
    host: Annotated[str, option("Address to listen on; default 127.0.0.1, this machine alone.")] = "127.0.0.1"
    port: Annotated[int, option("Port to listen on; default 11112, 0 lets the system choose.")] = 11112
    aet: Annotated[str, option("Our application entity title; default ENDPLATE.")] = "ENDPLATE"
    rules: Annotated[Path | None, option("TOML file that says which series are measured; default every CT.")] = None
    archive: Annotated[
        str | None, option("Where results go and a SEG of the study is asked for; without it results stay here.")
    ] = None
    token_file: Annotated[Path | None, option("File with the bearer token of the archive; else ENDPLATE_TOKEN.")] = None
    archive_tls: Annotated[bool, option("Speak TLS to the archive, with the --tls-* files.")] = False


@Parameter(name="*", group=WHEN)
@dataclass(frozen=True, slots=True, kw_only=True)
class WaitOptions:
    """When a series is whole, and how much is taken."""

    quiet_s: Annotated[float, option("Seconds without a new image after which a series is whole; default 30.")] = 30.0
    incomplete_s: Annotated[
        float, option("Seconds to wait for images that the headers say there are; default 600.")
    ] = 600.0
    disk_gb: Annotated[float, option("Most gigabytes of the spool; default 50.")] = 50.0
    queue: Annotated[int, option("Most series that wait; default 1000.")] = 1000
    until_idle_s: Annotated[
        float | None, option("End when nothing has waited for so many seconds; default never ends.")
    ] = None


NO_PEER, NO_QUERY, NO_LISTEN, NO_WAIT = PeerOptions(), QueryOptions(), ListenOptions(), WaitOptions()
