"""Where a listener's labels come from: a SEG that is sent, a SEG of the archive, a segmenter."""

from __future__ import annotations

import io
import sys
import time
from pathlib import Path

import numpy as np
import pydicom
import pytest
from tests.support.dicom_scan import SPEC, scanner_header, write_scan
from tests.support.orthanc import MISSING, orthanc_program, running_orthanc
from tests.support.small_spine import save_nifti

from endplate.cli.app import main
from endplate.errors import LabelError, OptionError
from endplate.image.labels import read_labels
from endplate.image.labels.segmenter import SegmenterChoice
from endplate.image.phantom import make_phantom
from endplate.level import Level
from endplate.pacs import dimse_client, labels
from endplate.pacs.labels import Labels, LabelSource, NoLabelsYetError
from endplate.pacs.listen import Timing, Worker
from endplate.pacs.peer import DimsePeer, PeerError, parse_peer
from endplate.pacs.receive import Limits, Receiver
from endplate.pacs.rule_file import Rules
from endplate.pacs.spool import Spool

pytest.importorskip("pynetdicom", reason="pynetdicom (extra `pacs`) speaks DIMSE")
UID = scanner_header().SeriesInstanceUID
SOON = Timing(quiet_s=0.05, tick_s=0.01, labels_s=0.2)
OURS = "The endplate authors"


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return sorted(write_scan(tmp_path_factory.mktemp("scan"))[0].iterdir())


@pytest.fixture
def spool(tmp_path):
    one = Spool(tmp_path / "spool")
    yield one
    one.close()


@pytest.fixture
def received(spool, series):
    for path in series:
        receiver_of(spool).take(path.read_bytes(), "A")
    return spool


def receiver_of(spool):
    return Receiver(spool, Rules(), Limits())


@pytest.fixture(scope="module")
def segmentation(series) -> bytes:
    hd = pytest.importorskip("highdicom")
    from pydicom.sr.codedict import codes

    headers = sorted(map(pydicom.dcmread, series), key=lambda ds: ds.ImagePositionPatient[2])
    verse = make_phantom(SPEC).labels.labels
    masks = np.stack([(verse == level.verse_id).transpose(2, 1, 0) for level in (Level.L1, Level.L2)], -1)
    described = [
        hd.seg.SegmentDescription(
            segment_number=n, segment_label=name, segmented_property_category=codes.SCT.AnatomicalStructure,
            segmented_property_type=code, algorithm_type="MANUAL",
        ) for n, (name, code) in enumerate([("L1", codes.SCT.L1Vertebra), ("L2", codes.SCT.L2Vertebra)], start=1)
    ]  # fmt: skip
    made = hd.seg.Segmentation(
        source_images=headers, pixel_array=masks, segmentation_type="BINARY", segment_descriptions=described,
        series_instance_uid=hd.UID(), series_number=9, sop_instance_uid=hd.UID(), instance_number=1,
        manufacturer="Hospital", manufacturer_model_name="hand", software_versions="1", device_serial_number="1",
    )  # fmt: skip
    content = io.BytesIO()
    made.save_as(content)
    return content.getvalue()


def saved(segmentation, folder: Path, **changes) -> Path:
    """The SEG as a file, a new object, with other values where given."""
    copy = pydicom.dcmread(io.BytesIO(segmentation))
    copy.SOPInstanceUID, copy.SeriesInstanceUID = pydicom.uid.generate_uid(), pydicom.uid.generate_uid()
    copy.file_meta.MediaStorageSOPInstanceUID = copy.SOPInstanceUID
    for key, value in changes.items():
        setattr(copy, key, value)
    path = folder / f"{copy.SOPInstanceUID}.dcm"
    copy.save_as(path, enforce_file_format=True)
    return path


def sent(spool, path: Path) -> str:
    receiver_of(spool).take(path.read_bytes(), "B")
    return path.stem


def labels_of(spool, **source):
    return Labels(spool, LabelSource(**source)).of(spool.entry(UID))


def test_the_latest_fitting_segmentation_that_was_sent_is_taken(received, segmentation, tmp_path):
    with pytest.raises(NoLabelsYetError):
        labels_of(received)
    sent(received, saved(segmentation, tmp_path, Manufacturer=OURS))  # our own results are no source of labels
    liver = pydicom.dcmread(io.BytesIO(segmentation)).SegmentSequence
    for item in liver:
        item.SegmentLabel = item.SegmentedPropertyTypeCodeSequence[0].CodeMeaning = "Liver"
    sent(received, saved(segmentation, tmp_path, SegmentSequence=liver))
    with pytest.raises(NoLabelsYetError):
        labels_of(received)
    last = sent(received, saved(segmentation, tmp_path, ContentDate="20261130", ContentTime="120000"))
    sent(received, saved(segmentation, tmp_path, ContentDate="20261130", ContentTime="080000"))
    found = labels_of(received)
    assert found.path.stem == last and found.facts == {} and found.scheme is None


def test_a_series_without_labels_waits_and_fails_at_last(spool, series):
    receiver_of(spool).take(series[0].read_bytes(), "A")
    worker = Worker(spool, lambda *_: pytest.fail("measured"), LabelSource(), None, SOON)
    last = time.monotonic() + 5
    worker.run(until=lambda: spool.entry(UID).state == "failed" or time.monotonic() > last)
    assert "no segmentation" in spool.entry(UID).reason


def test_a_segmenter_is_run_with_its_facts_and_numbering(received, tmp_path):
    phantom = make_phantom(SPEC)
    truth = save_nifti(tmp_path / "truth.nii.gz", phantom.labels.labels, phantom.labels.grid)
    command = f"{sys.executable} -c 'import shutil, sys; shutil.copy(sys.argv[1], sys.argv[3])' {truth} {{ct}} {{out}}"
    left = received.place(UID) / "labels" / ".segmenting-killed"
    left.mkdir(parents=True)
    made = labels_of(received, segmenter=SegmenterChoice(command=command), scheme="verse")
    assert made.scheme == "verse" and made.facts["command"] == command and made.facts["licence"]
    assert np.array_equal(read_labels(made.path, made.scheme).labels, phantom.labels.labels) and not left.exists()


def test_a_segmenter_that_fails_or_hangs_is_said(received, monkeypatch):
    def failing(text):
        return labels_of(received, segmenter=SegmenterChoice(command=text))

    with pytest.raises(LabelError, match="no weights"):
        failing("sh -c 'echo no weights >&2; exit 3; : {ct} {out}'")
    with pytest.raises(OptionError, match="not on the PATH"):
        failing("/no/such/program {ct} {out}")
    monkeypatch.setattr(labels, "LONGEST_S", 0.5)
    began = time.monotonic()
    with pytest.raises(LabelError, match=r"ended after 0\.5 s"):
        failing("sh -c 'sleep 60; : {ct} {out}'")
    assert time.monotonic() - began < 30


def test_a_segmenter_that_cannot_be_run_is_refused_before_listening(tmp_path, capsys):
    listen = ["pacs", "listen", "--allow", "A", "--port", "0", "--spool", str(tmp_path / "s")]
    for more, said in (
        (["--segment", "nobody"], "no segmenter has that name"),
        (["--segment-command", "program {ct}"], "has no {out}"),
        (["--segment-fast"], "no segmenter is named"),
    ):
        assert main([*listen, *more]) == 2
        assert said in capsys.readouterr().err
    assert not (tmp_path / "s").exists()


@pytest.fixture(scope="module")
def archive(tmp_path_factory, segmentation, series):
    """An archive that holds the series with a SEG of it, one of our own, and one of another structure."""
    if orthanc_program() is None:
        pytest.skip(MISSING)
    folder = tmp_path_factory.mktemp("held")
    with running_orthanc(tmp_path_factory.mktemp("archive"), {}) as server:
        held = [*series, saved(segmentation, folder), saved(segmentation, folder, Manufacturer=OURS)]
        assert dimse_client.store(parse_peer(server.dimse), held) == []
        yield server, held[-2].stem


@pytest.mark.parametrize("way", ["web", "dimse"])
def test_the_archive_is_asked_for_a_segmentation(received, archive, way):
    server, uid = archive
    found = labels_of(received, archive=parse_peer(getattr(server, way)))
    assert pydicom.dcmread(found.path, stop_before_pixels=True).SOPInstanceUID == uid
    assert {int(n) for n in np.unique(read_labels(found.path).labels)} == {0, 20, 21}
    received.drop_images(UID)
    assert not found.path.exists()


def test_an_archive_without_c_get_moves_it_to_the_listener(received, archive, tmp_path, monkeypatch, segmentation):
    monkeypatch.setattr(dimse_client, "fetch", refuse)
    receiver = receiver_of(received)
    port = receiver.start("ENDPLATE", "127.0.0.1", 0, ["ORTHANC"])
    try:
        with running_orthanc(tmp_path, {"ENDPLATE": ("ENDPLATE", "127.0.0.1", port)}) as server:
            path = saved(segmentation, tmp_path)
            assert dimse_client.store(parse_peer(server.dimse), [path]) == []
            found = labels_of(received, archive=parse_peer(server.dimse))
    finally:
        receiver.stop()
    assert found.path.name == path.name


def refuse(*_):
    raise PeerError("answers C-GET with status 0x0122", "", "")


def test_an_archive_that_is_away_is_waited_for_and_not_asked_all_the_time(received, monkeypatch):
    asked = []

    def find(peer, query):
        asked.append(query.modality)
        raise PeerError("away", "", "")

    monkeypatch.setattr(labels, "find_series", find)
    away = DimsePeer(title="X", host="127.0.0.1", port=1)
    finder = Labels(received, LabelSource(archive=away, segmenter=SegmenterChoice(command="false {ct} {out}")))
    for _ in range(3):
        with pytest.raises(NoLabelsYetError, match="cannot be asked") as caught:
            finder.of(received.entry(UID))
        assert caught.value.away
    assert asked == ["SEG"]
    worker = Worker(received, lambda *_: pytest.fail("measured"), LabelSource(archive=away), None, SOON)
    last = time.monotonic() + 0.6
    worker.run(until=lambda: time.monotonic() > last)
    assert received.entry(UID).state == "waiting"  # longer than it waits for a segmentation that nobody has


def test_the_archive_without_one_is_followed_by_the_segmenter(received, monkeypatch):
    monkeypatch.setattr(labels, "find_series", lambda peer, query: [])
    chosen = SegmenterChoice(command="sh -c 'touch {out}; : {ct}'")
    finder = Labels(received, LabelSource(archive=DimsePeer(title="X", host="127.0.0.1", port=1), segmenter=chosen))
    for _ in range(2):
        assert finder.of(received.entry(UID)).facts["name"] == "sh"
