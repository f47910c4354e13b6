"""A real Orthanc with its DICOMweb plug-in on loopback, on ports and in a folder of its own; and free ports."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PLUGIN = Path("/usr/share/orthanc/plugins/libOrthancDicomWeb.so")
MISSING = "Orthanc with its DICOMweb plug-in (Debian orthanc, orthanc-dicomweb) is not installed: no real archive here"


def orthanc_program() -> str | None:
    """The server, where it and its plug-in are installed."""
    program = shutil.which("Orthanc") or shutil.which("/usr/sbin/Orthanc")
    return program if program and PLUGIN.exists() else None


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


@dataclass(frozen=True)
class Orthanc:
    """A running archive."""

    http: int
    dicom: int

    @property
    def web(self) -> str:
        return f"http://127.0.0.1:{self.http}/dicom-web"

    @property
    def dimse(self) -> str:
        return f"ORTHANC@127.0.0.1:{self.dicom}"

    def get(self, path: str) -> Any:
        """An answer of its own REST interface: a second opinion beside DICOMweb."""
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(f"http://127.0.0.1:{self.http}{path}", timeout=30) as answer:
            return json.load(answer)

    def series(self) -> list[dict[str, Any]]:
        return self.get("/series?expand")


@contextmanager
def running_orthanc(
    folder: Path, modalities: dict[str, tuple[str, str, int]], more: dict[str, Any] | None = None
) -> Iterator[Orthanc]:
    """Start an archive that knows these titles, with further settings; stopped when the block ends."""
    program = orthanc_program()
    assert program is not None
    server = Orthanc(http=free_port(), dicom=free_port())
    settings = {
        "Name": "test", "StorageDirectory": str(folder / "storage"), "IndexDirectory": str(folder / "storage"),
        "HttpPort": server.http, "DicomPort": server.dicom, "DicomAet": "ORTHANC", "RemoteAccessAllowed": False,
        "AuthenticationEnabled": False, "Plugins": [str(PLUGIN)], "DicomWeb": {"Enable": True, "Root": "/dicom-web/"},
        "DicomModalities": modalities, "DicomAlwaysAllowEcho": True, "DicomAlwaysAllowStore": True,
        "DicomAlwaysAllowFind": True, "DicomAlwaysAllowGet": True, "DicomCheckCalledAet": False, "SaveJobs": False,
        **(more or {}),
    }  # fmt: skip
    (folder / "orthanc.json").write_text(json.dumps(settings))
    with (folder / "orthanc.log").open("wb") as log:
        process = subprocess.Popen([program, str(folder / "orthanc.json")], stdout=log, stderr=log)
        try:
            _wait(server, process, folder / "orthanc.log")
            yield server
        finally:
            process.terminate()
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _wait(server: Orthanc, process: subprocess.Popen[bytes], log: Path) -> None:
    last = time.monotonic() + 60
    while True:
        try:
            server.get("/system")
            return
        except OSError:
            assert process.poll() is None, log.read_text(errors="replace")[-2000:]
            assert time.monotonic() < last, "Orthanc did not answer in a minute"
            time.sleep(0.2)
