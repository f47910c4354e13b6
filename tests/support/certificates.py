"""Certificates of an authority of the tests' own, made by openssl."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

MISSING = "openssl, which makes the certificates of this test, is not installed"


@dataclass(frozen=True)
class Certificates:
    """An authority, a certificate with its key for 127.0.0.1, and both in one file."""

    authority: Path
    certificate: Path
    key: Path
    both: Path

    @property
    def given(self) -> list[str]:
        """As options."""
        return ["--tls-ca", str(self.authority), "--tls-cert", str(self.certificate), "--tls-key", str(self.key)]


def made_certificates() -> bool:
    return shutil.which("openssl") is not None


def make_certificates(folder: Path, name: str = "127.0.0.1") -> Certificates:
    """A new authority and what it signs; RSA, since the profiles of DICOM's TLS ask for it."""
    folder.mkdir()

    def openssl(*words: str) -> None:
        subprocess.run(["openssl", *words], cwd=folder, check=True, capture_output=True)

    openssl("req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", "ca.key", "-out", "ca.pem", "-days", "2",
            "-subj", f"/CN=authority {folder.name}")  # fmt: skip
    openssl("req", "-new", "-newkey", "rsa:2048", "-nodes", "-keyout", "key.pem", "-out", "request.pem", "-subj",
            f"/CN={name}")  # fmt: skip
    kind = "IP" if name[0].isdigit() else "DNS"
    (folder / "names").write_text(f"subjectAltName={kind}:{name}\n")
    openssl("x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2",
            "-extfile", "names", "-out", "certificate.pem")  # fmt: skip
    both = folder / "both.pem"
    both.write_text((folder / "certificate.pem").read_text() + (folder / "key.pem").read_text())
    return Certificates(
        authority=folder / "ca.pem", certificate=folder / "certificate.pem", key=folder / "key.pem", both=both
    )
