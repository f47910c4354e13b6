"""Series out of a real archive and results into it, by both protocols and beside a second implementation."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pydicom
import pytest
from tests.support.dicom_scan import scanner_header, write_scan
from tests.support.orthanc import MISSING, Orthanc, free_port, orthanc_program, running_orthanc

from endplate.cli.app import main
from endplate.pacs import dimse_client
from endplate.pacs.found_series import SeriesQuery
from endplate.pacs.peer import PeerError, parse_peer
from endplate.pacs.receive import Limits, Receiver
from endplate.pacs.rule_file import Rules
from endplate.pacs.spool import Spool
from endplate.pacs.transfer import find_series

pytest.importorskip("pynetdicom", reason="pynetdicom (extra `pacs`) speaks DIMSE")
pytest.importorskip("dicomweb_client", reason="dicomweb-client (extra `pacs`) speaks DICOMweb")

SOURCE = {"PYTHONPATH": str(Path(__file__).resolve().parents[2] / "src")}


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Orthanc]:
    if orthanc_program() is None:
        pytest.skip(MISSING)
    with running_orthanc(tmp_path_factory.mktemp("orthanc"), {}) as server:
        yield server


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_scan(tmp_path_factory.mktemp("scan"))[0]


@pytest.fixture(scope="module")
def stored(archive: Orthanc, series: Path) -> Orthanc:
    """The archive with the series in it, sent twice: by DICOMweb and by DIMSE."""
    assert main(["pacs", "push", archive.web, str(series), "--quiet"]) == 0
    assert main(["pacs", "push", archive.dimse, str(series), "--quiet"]) == 0
    return archive


def test_both_protocols_are_answered(archive, capsys):
    assert main(["pacs", "echo", archive.dimse]) == 0
    assert main(["pacs", "echo", archive.web]) == 0
    assert capsys.readouterr().out.count("answers to") == 2


def test_pushed_twice_is_there_once(stored, series):
    (one,) = [found for found in stored.series() if uid_of(found) == scanner_header().SeriesInstanceUID]
    assert len(one["Instances"]) == len(list(series.iterdir()))


@pytest.mark.parametrize("way", ["web", "dimse"])
def test_a_series_comes_back_as_it_was(stored, series, tmp_path, way):
    uid = scanner_header().SeriesInstanceUID
    given = ["pacs", "pull", getattr(stored, way), "--series", uid, "--study", scanner_header().StudyInstanceUID]
    assert main([*given, "--out", str(tmp_path / "in"), "--quiet"]) == 0
    came = {p.SOPInstanceUID: p for p in map(pydicom.dcmread, (tmp_path / "in" / uid).glob("*.dcm"))}
    sent = {p.SOPInstanceUID: p for p in map(pydicom.dcmread, series.iterdir())}
    assert set(came) == set(sent)
    for name, one in sent.items():
        assert came[name].PixelData == one.PixelData
        assert came[name].ImagePositionPatient == one.ImagePositionPatient
        assert str(came[name].PatientName) == "Müller^Anna"
    assert not list((tmp_path / "in").glob(".endplate-pulling-*"))


def test_a_pull_that_was_broken_off_fetches_what_is_missing(stored, tmp_path, capsys):
    import json

    uid, study = scanner_header().SeriesInstanceUID, scanner_header().StudyInstanceUID
    given = ["pacs", "pull", stored.web, "--study", study, "--modality", "CT", "--json", "--out", str(tmp_path)]
    assert main(given) == 0
    capsys.readouterr()
    (tmp_path / uid).rename(tmp_path / f".endplate-pulling-{uid}")
    for path in sorted((tmp_path / f".endplate-pulling-{uid}").iterdir())[:5]:
        path.unlink()
    assert main(given) == 0
    assert json.loads(capsys.readouterr().out)["result"]["series"][0]["fetched"] == 5
    assert main(given) == 0
    assert json.loads(capsys.readouterr().out)["result"]["series"][0]["fetched"] == 0


def killed_after(arguments: list[str], ready: Callable[[], bool]) -> None:
    """Run a command and kill it as soon as something holds, or let it end."""
    process = subprocess.Popen([sys.executable, "-m", "endplate", *arguments, "--quiet"], env=os.environ | SOURCE)
    try:
        last = time.monotonic() + 120
        while process.poll() is None and not ready():
            assert time.monotonic() < last
            time.sleep(0.003)
    finally:
        process.kill()
        process.wait()


def test_push_and_pull_killed_in_the_middle_lose_nothing_and_do_nothing_twice(archive, tmp_path):
    header = scanner_header("killed")
    folder, _ = write_scan(tmp_path, header)
    count = len(list(folder.iterdir()))

    def stored() -> int:
        return sum(len(one["Instances"]) for one in archive.series() if uid_of(one) == header.SeriesInstanceUID)

    killed_after(["pacs", "push", archive.dimse, str(folder)], lambda: stored() > 0)
    assert main(["pacs", "push", archive.dimse, str(folder), "--quiet"]) == 0
    assert stored() == count
    pull = ["pacs", "pull", archive.web, "--series", header.SeriesInstanceUID, "--study", header.StudyInstanceUID]
    pull += ["--out", str(tmp_path / "in")]
    killed_after(pull, lambda: len(list((tmp_path / "in").glob(".endplate-pulling-*/*.dcm"))) > 4)
    assert main([*pull, "--quiet"]) == 0
    came = [pydicom.dcmread(path).SOPInstanceUID for path in (tmp_path / "in" / header.SeriesInstanceUID).iterdir()]
    assert sorted(came) == sorted(pydicom.dcmread(path).SOPInstanceUID for path in folder.iterdir())
    assert not list((tmp_path / "in").glob(".*"))


def uid_of(series: dict) -> str:
    return series["MainDicomTags"]["SeriesInstanceUID"]


def test_dcmtk_finds_what_we_stored(stored):
    if shutil.which("findscu") is None:
        pytest.skip("findscu (DCMTK) is not installed")
    done = subprocess.run(
        ["findscu", "-S", "-k", "QueryRetrieveLevel=SERIES", "-k", "Modality=CT", "-k", "SeriesInstanceUID",
         "127.0.0.1", str(stored.dicom)], capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert scanner_header().SeriesInstanceUID in done.stdout + done.stderr


def test_dcmtk_takes_what_we_push(series, tmp_path):
    if shutil.which("storescp") is None:
        pytest.skip("storescp (DCMTK) is not installed")
    port = free_port()
    server = subprocess.Popen(["storescp", "-od", str(tmp_path), "-aet", "OTHER", str(port)])
    try:
        last = time.monotonic() + 20
        while main(["pacs", "echo", f"OTHER@127.0.0.1:{port}", "--quiet"]) and time.monotonic() < last:
            time.sleep(0.2)
        assert main(["pacs", "push", f"OTHER@127.0.0.1:{port}", str(series), "--quiet"]) == 0
    finally:
        server.terminate()
        server.wait(10)
    assert len(list(tmp_path.iterdir())) == len(list(series.iterdir()))


def refused(capsys, arguments, *words):
    assert main(["pacs", *arguments]) == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1 and "Traceback" not in said
    assert all(word in said for word in words), said


def test_bad_input_is_one_line(capsys, tmp_path):
    port = free_port()
    refused(capsys, ["echo", "nonsense"], "no archive")
    refused(capsys, ["echo", f"X@127.0.0.1:{port}"], "cannot be reached")
    refused(capsys, ["echo", f"http://127.0.0.1:{port}/dicom-web"], "does not answer")
    refused(capsys, ["push", f"X@127.0.0.1:{port}", str(tmp_path)], "no DICOM file")
    refused(capsys, ["pull", f"X@127.0.0.1:{port}", "--out", str(tmp_path)], "no series named")
    (tmp_path / "token").write_text("two words")
    refused(capsys, ["echo", "http://x/y", "--token-file", str(tmp_path / "token")], "no token")


def test_an_archive_that_has_no_such_series(archive, tmp_path, capsys):
    refused(capsys, ["pull", archive.web, "--study", "1.2.3", "--out", str(tmp_path)], "no such series")
    refused(capsys, ["pull", archive.dimse, "--study", "1.2.3", "--out", str(tmp_path)], "no such series")


def test_what_is_no_dicomweb_is_said(archive, capsys):
    refused(capsys, ["echo", f"http://127.0.0.1:{archive.http}/nothing"], "HTTP 404")


def test_an_archive_moves_a_series_to_our_listener(tmp_path, series):
    """C-MOVE: the archive sends by C-STORE to a title that it knows."""
    if orthanc_program() is None:
        pytest.skip(MISSING)
    spool = Spool(tmp_path / "spool")
    receiver = Receiver(spool, Rules(), Limits())
    port = receiver.start("ENDPLATE", "127.0.0.1", 0, ["ORTHANC"])
    try:
        with running_orthanc(tmp_path, {"ENDPLATE": ("ENDPLATE", "127.0.0.1", port)}) as server:
            assert main(["pacs", "push", server.dimse, str(series), "--quiet"]) == 0
            peer = parse_peer(server.dimse)
            (found,) = find_series(peer, SeriesQuery(series_uid=scanner_header().SeriesInstanceUID))
            dimse_client.move(peer, found, "ENDPLATE")
            with pytest.raises(PeerError, match="C-MOVE to NOBODY"):
                dimse_client.move(peer, found, "NOBODY")
    finally:
        receiver.stop()
        spool.close()
    count, _ = spool.arrived(scanner_header().SeriesInstanceUID)
    assert count == len(list(series.iterdir())) == found.instances
