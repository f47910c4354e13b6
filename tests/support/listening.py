"""A listener as a process that can be killed, senders that send again until they are heard, and series to send."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import pydicom
from pydicom.uid import MRImageStorage
from tests.support.dicom_scan import phantom_slices, scanner_header
from tests.support.small_spine import save_series

from endplate.image.nifti import write_labels
from endplate.image.phantom import PhantomSpec, make_phantom
from endplate.level import Level
from endplate.pacs import dimse_client
from endplate.pacs.peer import DimsePeer, PeerError

SMALL = PhantomSpec(levels=(Level.L1, Level.L2), spacing_mm=(2.0, 2.0, 3.0), field_mm=(100, 120))
ROOT = Path(__file__).resolve().parents[2]


def write_series(folder: Path, count: int) -> dict[str, list[Path]]:
    """Good series by name, and among them `broken` (an image is missing) and `mri`; `labels.nii.gz` beside them.

    Every second series says how many images it has.
    """
    phantom = make_phantom(SMALL)
    folder.mkdir(parents=True, exist_ok=True)
    write_labels(folder / "labels.nii.gz", phantom.labels)
    found = {}
    for number, name in enumerate([*(f"good{n}" for n in range(count)), "broken", "mri"]):
        header = scanner_header(name, PatientID=f"P-{name}")
        slices = phantom_slices(phantom, header)
        for ds in slices:
            if number % 2:
                ds.ImagesInAcquisition = len(slices)
            if name == "mri":
                ds.Modality, ds.SOPClassUID = "MR", MRImageStorage
                ds.file_meta.MediaStorageSOPClassUID = MRImageStorage
        if name == "broken":
            del slices[len(slices) // 2]
        save_series(folder / name, slices)
        found[name] = sorted((folder / name).iterdir())
    return found


class Listener:
    """`endplate pacs listen` as a process of its own."""

    def __init__(self, spool: Path, port: int, more: Sequence[str]) -> None:
        self.spool, self.port = spool, port
        self.command = [
            sys.executable, "-m", "endplate", "pacs", "listen", "--spool", str(spool), "--port", str(port), *more,
        ]  # fmt: skip
        self.process: subprocess.Popen[bytes] | None = None
        self.kills = 0

    def start(self) -> None:
        environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"}
        self.spool.mkdir(parents=True, exist_ok=True)
        with (self.spool.parent / "listener.err").open("ab") as log:
            self.process = subprocess.Popen(self.command, stdout=log, stderr=log, env=environment)

    def kill(self) -> None:
        """As a power cut would end it; started again at once."""
        assert self.process is not None
        assert self.process.poll() is None, "the listener ended by itself"
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        (self.spool / "port").unlink(missing_ok=True)
        self.kills += 1
        self.start()

    @property
    def up(self) -> bool:
        """Whether it listens by now."""
        return (self.spool / "port").exists()

    def stop(self) -> int:
        assert self.process is not None
        self.process.terminate()
        return self.process.wait(60)


def send_in_pieces(files: Sequence[Path], port: int, title: str, seed: int, until: float) -> int:
    """Send files a few at a time, each piece again until it is taken whole; returns how often a piece was sent."""
    rng, waiting, tries = random.Random(seed), list(files), 0
    peer = DimsePeer(title="ENDPLATE", host="127.0.0.1", port=port, own=title)
    while waiting:
        piece = waiting[: rng.randint(4, 25)]
        while True:
            assert time.monotonic() < until, f"{title} was not heard"
            tries += 1
            try:
                refused = dimse_client.store(peer, piece)
                assert not refused, refused
                break
            except PeerError:
                time.sleep(0.3)
        waiting = waiting[len(piece) :]
    return tries


def sender(lists: Sequence[Sequence[Path]], port: int, title: str, seed: int, until: float) -> threading.Thread:
    """A thread that sends series one after another."""

    def send() -> None:
        for number, files in enumerate(lists):
            send_in_pieces(files, port, title, seed + number, until)

    return threading.Thread(target=send, name=title)


def series_uid(files: Sequence[Path]) -> str:
    return str(pydicom.dcmread(files[0], specific_tags=["SeriesInstanceUID"]).SeriesInstanceUID)
