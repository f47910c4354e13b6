"""The listener in one process: who is heard, when a series is whole, where labels come from, what limits do."""

from __future__ import annotations

import shutil
import subprocess
import time
from pathlib import Path

import numpy as np
import pydicom
import pytest
from tests.support.dicom_scan import scanner_header, write_scan
from tests.support.orthanc import free_port

from endplate.errors import OptionError
from endplate.image.labels.segmenter import SegmenterChoice
from endplate.pacs import dimse_client
from endplate.pacs.labels import LabelSource
from endplate.pacs.listen import Timing, Worker
from endplate.pacs.peer import DimsePeer, PeerError
from endplate.pacs.receive import CANNOT_UNDERSTAND, OUT_OF_RESOURCES, SUCCESS, Limits, Receiver
from endplate.pacs.rule_file import Rules
from endplate.pacs.spool import Spool

pytest.importorskip("pynetdicom", reason="pynetdicom (extra `pacs`) speaks DIMSE")
UID = scanner_header().SeriesInstanceUID
SOON = Timing(quiet_s=0.05, tick_s=0.01, incomplete_s=0.3, labels_s=0.2, retry_s=0.05)


@pytest.fixture(scope="module")
def series(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return sorted(write_scan(tmp_path_factory.mktemp("scan"))[0].iterdir())


@pytest.fixture
def spool(tmp_path):
    one = Spool(tmp_path / "spool")
    yield one
    one.close()


def receiver_of(spool, **limits):
    return Receiver(spool, Rules(), Limits(**limits))


class Counted:
    """Measures nothing and counts how often."""

    def __init__(self, spool):
        self.calls, self.spool, self.during = [], spool, None

    def __call__(self, images, labels, results):
        self.calls.append(len(list(images.glob("*.dcm"))))
        if self.during:
            self.during()
        return []


TOUCH = SegmenterChoice(command="sh -c 'touch {out}; : {ct}'")


def worker_of(spool, measure, segmenter=TOUCH, archive=None, timing=SOON):
    return Worker(spool, measure, LabelSource(segmenter=segmenter), archive, timing)


def work(worker, seconds=3.0, until=lambda: False):
    last = time.monotonic() + seconds
    worker.run(until=lambda: until() or time.monotonic() > last)


def settled(spool):
    return lambda: all(one.state in ("done", "left", "failed") for one in spool.entries())


def test_only_listed_titles_are_heard(spool, series, caplog):
    caplog.set_level("INFO", "endplate.pacs")
    receiver = receiver_of(spool)
    port = receiver.start("ENDPLATE", "127.0.0.1", 0, ["SCANNER"])
    try:
        known, other = (
            DimsePeer(title="ENDPLATE", host="127.0.0.1", port=port, own=own) for own in ("SCANNER", "EVIL")
        )
        assert dimse_client.store(known, series[:3]) == []
        with pytest.raises(PeerError, match="rejects an association"):
            dimse_client.store(other, series[3:])
        with pytest.raises(PeerError, match="rejects an association"):
            dimse_client.echo(DimsePeer(title="WRONG", host="127.0.0.1", port=port, own="SCANNER"))
        assert dimse_client.echo(known).endswith("C-ECHO")
    finally:
        receiver.stop()
    assert spool.arrived(UID)[0] == 3
    said = caplog.text
    assert "association accepted: SCANNER" in said and "association rejected: EVIL" in said


def test_dcmtk_sends_to_us(spool, series):
    if shutil.which("storescu") is None:
        pytest.skip("storescu (DCMTK) is not installed")
    receiver = receiver_of(spool)
    port = str(receiver.start("ENDPLATE", "127.0.0.1", 0, ["DCMTK"]))
    try:
        subprocess.run(["echoscu", "-aet", "DCMTK", "-aec", "ENDPLATE", "127.0.0.1", port], check=True)
        given = ["-aec", "ENDPLATE", "127.0.0.1", port, *map(str, series)]
        subprocess.run(["storescu", "-aet", "DCMTK", *given], check=True, capture_output=True)
        other = subprocess.run(["storescu", "-aet", "OTHER", *given], capture_output=True)
        assert other.returncode != 0
    finally:
        receiver.stop()
    assert spool.arrived(UID)[0] == len(series)
    kept = {p.stem: p for p in spool.images(UID).iterdir()}
    for path in series:
        sent = pydicom.dcmread(path)
        assert np.array_equal(pydicom.dcmread(kept[sent.SOPInstanceUID]).pixel_array, sent.pixel_array)


def test_nobody_allowed_and_a_taken_port_are_refused(spool):
    with pytest.raises(OptionError, match="no sender"):
        receiver_of(spool).start("ENDPLATE", "127.0.0.1", 0, [])
    first = receiver_of(spool)
    port = first.start("ENDPLATE", "127.0.0.1", free_port(), ["A"])
    try:
        with pytest.raises(OptionError, match="cannot listen"):
            receiver_of(spool).start("ENDPLATE", "127.0.0.1", port, ["A"])
        with pytest.raises(OptionError, match=r"cannot listen on 127\.0\.0\.1:99999"):
            receiver_of(spool).start("ENDPLATE", "127.0.0.1", 99999, ["A"])
    finally:
        first.stop()


def test_a_second_listener_on_a_spool_is_refused(spool):
    with pytest.raises(OptionError, match="another listener"):
        Spool(spool.folder)


def test_sent_twice_it_is_measured_once(spool, series):
    receiver, measure = receiver_of(spool), Counted(spool)
    for path in series:
        assert receiver.take(path.read_bytes(), "A") == SUCCESS
    work(worker_of(spool, measure), until=settled(spool))
    assert spool.entry(UID).state == "done" and not spool.images(UID).exists()
    for path in series:
        assert receiver.take(path.read_bytes(), "B") == SUCCESS
    work(worker_of(spool, measure), 0.3)
    assert measure.calls == [len(series)]
    assert spool.entry(UID).state == "done" and spool.entry(UID).late == 0


def test_a_pause_within_a_series_that_says_its_size_is_waited_for(spool, series):
    receiver, measure = receiver_of(spool), Counted(spool)

    def sent(paths):
        for path in paths:
            ds = pydicom.dcmread(path)
            ds.ImagesInAcquisition = len(series)
            import io

            content = io.BytesIO()
            ds.save_as(content)
            assert receiver.take(content.getvalue(), "A") == SUCCESS

    sent(series[:10])
    work(worker_of(spool, measure), 0.2)
    assert measure.calls == [] and spool.entry(UID).state == "receiving"
    sent(series[10:])
    work(worker_of(spool, measure), until=settled(spool))
    assert measure.calls == [len(series)]


def test_images_that_never_come_are_said_and_may_still_come(spool, series):
    receiver, measure = receiver_of(spool), Counted(spool)
    receiver.take(series[0].read_bytes(), "A")
    spool.put(spool.entry(UID).__class__(**{**vars_of(spool.entry(UID)), "expected": len(series)}))
    work(worker_of(spool, measure), until=settled(spool))
    assert spool.entry(UID).state == "failed"
    assert spool.entry(UID).reason == f"1 of {len(series)} images came"
    for path in series[1:]:
        receiver.take(path.read_bytes(), "A")
    work(worker_of(spool, measure), until=settled(spool))
    assert spool.entry(UID).state == "done" and measure.calls == [len(series)]


def vars_of(entry):
    from dataclasses import asdict

    return asdict(entry)


def test_an_image_that_comes_while_its_series_is_measured_is_measured_too(spool, series):
    receiver, measure = receiver_of(spool), Counted(spool)
    for path in series[:-1]:
        receiver.take(path.read_bytes(), "A")

    def during():
        measure.during = None
        receiver.take(series[-1].read_bytes(), "A")

    measure.during = during
    work(worker_of(spool, measure), until=settled(spool))
    assert measure.calls == [len(series) - 1, len(series)]
    assert spool.entry(UID).state == "done"


def test_what_was_begun_before_a_kill_is_begun_again_and_given_up_at_last(spool, series):
    receiver, measure = receiver_of(spool), Counted(spool)
    receiver.take(series[0].read_bytes(), "A")
    spool.change(UID, "measuring", attempts=3)
    work(worker_of(spool, measure), until=settled(spool))
    assert measure.calls == [1] and spool.entry(UID).state == "done"
    spool.change(UID, "measuring", attempts=10)
    work(worker_of(spool, measure), until=settled(spool))
    assert spool.entry(UID).state == "failed" and "10 measurements" in spool.entry(UID).reason


def test_an_archive_that_is_away_gets_the_results_later(spool, series, monkeypatch):
    receiver_of(spool).take(series[0].read_bytes(), "A")
    answers = [PeerError("away", "", ""), PeerError("away", "", ""), None]

    def push(archive, files):
        answer = answers.pop(0)
        if answer is not None:
            raise answer

    monkeypatch.setattr("endplate.pacs.listen.push_files", push)
    measure = Counted(spool)
    archive = DimsePeer(title="X", host="127.0.0.1", port=1)
    work(worker_of(spool, measure, archive=archive), until=settled(spool))
    assert answers == [] and measure.calls == [1] and spool.entry(UID).state == "done"


def test_one_series_that_fails_does_not_stop_the_next(spool, series, tmp_path):
    other = sorted(write_scan(tmp_path, scanner_header("other"))[0].iterdir())
    for path in (series[0], other[0]):
        receiver_of(spool).take(path.read_bytes(), "A")

    def measure(images, labels, results):
        if UID in str(images):
            raise RuntimeError("boom")
        return []

    work(worker_of(spool, measure), until=settled(spool))
    states = {one.series_uid == UID: (one.state, one.reason) for one in spool.entries()}
    assert states[True] == ("failed", "a fault of endplate: RuntimeError: boom")
    assert states[False][0] == "done"


def test_disk_and_queue_limits_refuse_and_keep_what_is_there(spool, series, tmp_path):
    size = series[0].stat().st_size
    small = receiver_of(spool, disk_bytes=3 * size)
    statuses = [small.take(path.read_bytes(), "A") for path in series[:6]]
    assert statuses[0] == SUCCESS and statuses[-1] == OUT_OF_RESOURCES
    assert spool.arrived(UID)[0] == statuses.count(SUCCESS)
    other = sorted(write_scan(tmp_path, scanner_header("other"))[0].iterdir())
    full = receiver_of(spool, queue=1)
    assert full.take(other[0].read_bytes(), "A") == OUT_OF_RESOURCES
    assert full.take(series[5].read_bytes(), "A") == SUCCESS  # of a series that is on its way


def test_what_cannot_be_read_is_refused(spool, series):
    receiver = receiver_of(spool)
    assert receiver.take(b"nonsense", "A") == CANNOT_UNDERSTAND
    ds = pydicom.dcmread(series[0])
    ds.SeriesInstanceUID = "../../etc"
    import io

    content = io.BytesIO()
    ds.save_as(content)
    assert receiver.take(content.getvalue(), "A") == CANNOT_UNDERSTAND
    assert spool.entries() == []
