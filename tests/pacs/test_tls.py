"""TLS: who is heard and who is not, with our own two ends, DCMTK and Orthanc as the other side."""

from __future__ import annotations

import shutil
import socket
import ssl
import subprocess
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pydicom
import pytest
from tests.support.certificates import MISSING as NO_OPENSSL
from tests.support.certificates import Certificates, made_certificates, make_certificates
from tests.support.dicom_scan import scanner_header, write_scan
from tests.support.orthanc import MISSING, free_port, orthanc_program, running_orthanc

from endplate.cli.app import main
from endplate.pacs.receive import Limits, Receiver
from endplate.pacs.rule_file import Rules
from endplate.pacs.spool import Spool
from endplate.pacs.tls import TlsFiles

pytest.importorskip("pynetdicom", reason="pynetdicom (extra `pacs`) speaks DIMSE")
pytestmark = pytest.mark.skipif(not made_certificates(), reason=NO_OPENSSL)
UID = scanner_header().SeriesInstanceUID


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return sorted(write_scan(tmp_path_factory.mktemp("scan"))[0].iterdir())[:4]


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls") / "ours")


@pytest.fixture(scope="module")
def others(tmp_path_factory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("tls") / "theirs", "somewhere.example")


@pytest.fixture
def listening(tmp_path, files):
    """A receiver that asks for a certificate; yields its port and its spool."""
    spool = Spool(tmp_path / "spool")
    receiver = Receiver(spool, Rules(), Limits())
    tls = TlsFiles(certificate=files.certificate, key=files.key, authorities=files.authority)
    port = receiver.start("ENDPLATE", "127.0.0.1", 0, ["SCANNER"], tls)
    yield port, spool
    receiver.stop()
    spool.close()


def echo(port, *more, host="127.0.0.1"):
    return main(["pacs", "echo", f"ENDPLATE@{host}:{port}", "--aet", "SCANNER", "--quiet", *map(str, more)])


def test_only_who_shows_a_certificate_of_the_authority_is_heard(listening, files, others, series, capsys):
    port, spool = listening
    assert echo(port, *files.given) == 0
    assert echo(port, "--tls-ca", files.authority, "--tls-cert", files.both) == 0
    push = ["pacs", "push", f"ENDPLATE@127.0.0.1:{port}", str(series[0].parent), "--aet", "SCANNER", "--quiet"]
    assert main([*push, *files.given]) == 0
    count = spool.arrived(UID)[0]
    assert count == len(list(series[0].parent.iterdir()))
    capsys.readouterr()
    for more, said in (
        ([], "speaks TLS"),
        (["--tls-ca", files.authority], "wants a certificate"),
        (["--tls-ca", files.authority, "--tls-cert", others.both], "wants a certificate"),
        (["--tls-ca", others.authority, "--tls-cert", files.both], "certificate verify failed: self-signed"),
        (["--tls"], "certificate verify failed"),
    ):
        assert echo(port, *more) == 2
        told = capsys.readouterr().err
        assert said in told and told.count("\n") == 1, told
    assert echo(port, *files.given, host="localhost") == 2  # the certificate names 127.0.0.1 alone
    assert "Hostname mismatch" in capsys.readouterr().err
    assert echo(port, *files.given) == 0


def test_a_silent_or_babbling_client_keeps_nobody_out(listening, files):
    port, _ = listening
    with socket.create_connection(("127.0.0.1", port)), socket.create_connection(("127.0.0.1", port)) as babbler:
        babbler.sendall(b"GET / HTTP/1.0\r\n\r\n")
        began = time.monotonic()
        assert echo(port, *files.given) == 0
        assert time.monotonic() - began < 30


def test_dcmtk_sends_to_us_by_tls(listening, files, others, series):
    if shutil.which("storescu") is None:
        pytest.skip("storescu (DCMTK) is not installed")
    port, spool = listening
    ends = ["-aet", "SCANNER", "-aec", "ENDPLATE", "127.0.0.1", str(port)]

    def run(program, ours, *sent):
        tls = ["+tls", str(ours.key), str(ours.certificate), "+cf", str(files.authority)]
        return subprocess.run([program, *tls, *ends, *map(str, sent)], capture_output=True, text=True)

    assert run("echoscu", files).returncode == 0
    done = run("storescu", files, *series)
    assert done.returncode == 0, done.stderr
    assert spool.arrived(UID)[0] == len(series)
    assert run("echoscu", others).returncode != 0


def test_dcmtk_takes_what_we_push_by_tls(files, series, tmp_path):
    if shutil.which("storescp") is None:
        pytest.skip("storescp (DCMTK) is not installed")
    port = free_port()
    command = ["storescp", "+tls", str(files.key), str(files.certificate), "+cf", str(files.authority)]
    server = subprocess.Popen([*command, "-od", str(tmp_path), "-aet", "OTHER", str(port)])
    try:
        last = time.monotonic() + 20
        while main(["pacs", "echo", f"OTHER@127.0.0.1:{port}", "--quiet", *files.given]) and time.monotonic() < last:
            time.sleep(0.2)
        assert main(["pacs", "push", f"OTHER@127.0.0.1:{port}", *map(str, series), "--quiet", *files.given]) == 0
    finally:
        server.terminate()
        server.wait(10)
    assert len(list(tmp_path.iterdir())) == len(series)


def test_orthanc_by_tls(files, series, tmp_path):
    if orthanc_program() is None:
        pytest.skip(MISSING)
    settings = {
        "DicomTlsEnabled": True, "DicomTlsCertificate": str(files.certificate), "DicomTlsPrivateKey": str(files.key),
        "DicomTlsTrustedCertificates": str(files.authority),
    }  # fmt: skip
    uids = sorted(pydicom.dcmread(path, stop_before_pixels=True).SOPInstanceUID for path in series)
    with running_orthanc(tmp_path, {}, settings) as server:
        assert main(["pacs", "push", server.dimse, *map(str, series), "--quiet", *files.given]) == 0
        pull = ["pacs", "pull", server.dimse, "--series", UID, "--out", str(tmp_path / "in"), "--quiet"]
        assert main([*pull, *files.given]) == 0
        assert sorted(path.stem for path in (tmp_path / "in" / UID).iterdir()) == uids
        assert main(["pacs", "echo", server.dimse, "--quiet"]) == 2


class Nothing(BaseHTTPRequestHandler):
    """A DICOMweb service that holds nothing."""

    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/dicom+json")
        self.end_headers()
        self.wfile.write(b"[]")

    def log_message(self, *_):
        pass


def test_a_web_service_whose_authority_is_not_the_systems(files, capsys):
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH, cafile=files.authority)
    context.load_cert_chain(files.certificate, files.key)
    context.verify_mode = ssl.CERT_REQUIRED
    with ThreadingHTTPServer(("127.0.0.1", 0), Nothing) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        find = ["pacs", "find", f"https://127.0.0.1:{server.server_address[1]}/dicom-web", "--quiet"]
        try:
            assert main([*find, *files.given]) == 0
            assert main([*find, "--tls-ca", str(files.authority), "--tls-cert", str(files.both)]) == 0
            capsys.readouterr()
            for more, said in (([], "verify failed"), (["--tls-ca", str(files.authority)], "does not answer")):
                assert main([*find, *more]) == 2
                assert said in capsys.readouterr().err
        finally:
            server.shutdown()


def test_files_that_cannot_be_used_are_one_line(files, tmp_path, capsys):
    empty = tmp_path / "empty.pem"
    empty.write_text("")
    locked = tmp_path / "locked.pem"
    subprocess.run(
        ["openssl", "rsa", "-aes128", "-passout", "pass:secret", "-in", files.key, "-out", locked],
        check=True, capture_output=True,
    )  # fmt: skip
    for more, said in (
        (["--tls-ca", tmp_path / "none.pem"], "does not exist"),
        (["--tls-ca", empty], "holds no certificates"),
        (["--tls-key", files.key], "--tls-key without --tls-cert"),
        (["--tls-cert", files.certificate], "cannot be used"),
        (["--tls-cert", files.certificate, "--tls-key", locked], "cannot be used"),
    ):
        assert echo(1, *more) == 2
        told = capsys.readouterr().err
        assert said in told and told.count("\n") == 1, told
    listen = ["pacs", "listen", "--allow", "A", "--spool", str(tmp_path / "s"), "--tls-ca", str(files.authority)]
    assert main(listen) == 2
    assert "--tls-ca without --tls-cert" in capsys.readouterr().err
    assert main(["pacs", "echo", "http://127.0.0.1:1/x", "--tls"]) == 2
    assert "one without TLS" in capsys.readouterr().err
