"""Two senders send series in pieces, one broken, one an MRI, one twice, and the listener is killed at random: nothing
is lost and nothing is done twice.

Four series and two kills by default; `make listen` sends 50 and kills 20 times.
"""

from __future__ import annotations

import logging
import os
import random
import sys
import time
from pathlib import Path

import pytest
from tests.support.listening import Listener, sender, series_uid, write_series
from tests.support.orthanc import MISSING, free_port, orthanc_program, running_orthanc

from endplate.pacs.spool import Spool

pytest.importorskip("pynetdicom", reason="pynetdicom (extra `pacs`) speaks DIMSE")
SENT, KILLS = int(os.environ.get("ENDPLATE_LISTEN_SERIES", "4")), int(os.environ.get("ENDPLATE_LISTEN_KILLS", "2"))
LAST_S = float(os.environ.get("ENDPLATE_LISTEN_SECONDS", "400"))
GOOD = SENT - 3
"""One is broken, one an MRI, one is sent twice."""


def states(spool: Path) -> dict[str, str]:
    """State of each series in a spool that another process may be using."""
    import json

    found = {}
    for path in (spool / "series").glob("*/state.json"):
        try:
            found[path.parent.name] = json.loads(path.read_text())["state"]
        except (OSError, ValueError):
            continue
    return found


@pytest.mark.slow
def test_killed_at_random_each_series_is_measured_once(tmp_path):
    if orthanc_program() is None:
        pytest.skip(MISSING)
    series = write_series(tmp_path / "scans", GOOD)
    labels, port = tmp_path / "scans" / "labels.nii.gz", free_port()
    copy = f"{sys.executable} -c 'import shutil, sys; shutil.copy(sys.argv[1], sys.argv[3])' {labels} {{ct}} {{out}}"
    spool, rng = tmp_path / "spool", random.Random(20261130)
    logging.getLogger("pynetdicom").setLevel(logging.CRITICAL)  # a listener that is being killed is no news
    with running_orthanc(tmp_path, {}) as archive:
        given = ["--allow", "ONE", "--allow", "TWO", "--archive", archive.dimse, "--segment-command", copy]
        listener = Listener(
            spool, port, [*given, "--no-mechanics", "--no-pdf", "--quiet-s", "4", "--incomplete-s", "15"]
        )
        listener.start()
        try:
            began, until = time.monotonic(), time.monotonic() + LAST_S
            names = list(series)
            rng.shuffle(names)
            first, second = names[::2], names[1::2]
            again = next(name for name in names if name.startswith("good"))
            (second if again in first else first).append(again)
            senders = [
                sender([series[name] for name in first], port, "ONE", 1, until),
                sender([series[name] for name in second], port, "TWO", 2, until),
            ]
            for one in senders:
                one.start()
            settled = {"done", "left", "failed"}
            up_since, pause = 0.0, rng.uniform(0.5, 8)
            while time.monotonic() < until:
                now = states(spool)
                busy = any(one.is_alive() for one in senders) or len(now) < GOOD + 2 or set(now.values()) - settled
                if not busy and listener.kills >= KILLS:
                    break
                if not listener.up:
                    up_since = time.monotonic()
                elif listener.kills < KILLS and time.monotonic() - up_since > pause:
                    listener.kill()
                    pause = rng.uniform(0.5, 8) * (4 if KILLS > 5 else 1)
                time.sleep(0.25)
            took = time.monotonic() - began
            assert not any(one.is_alive() for one in senders), "not everything was heard"
        finally:
            code = listener.stop()
        found = states(spool)
        report(found, listener, took, archive.series())
        assert code == 143
        wanted = {series_uid(series[name]): state_of(name) for name in series}
        assert found == wanted
        kept = Spool(spool)
        assert all(
            "gap" in one.reason or " images came" in one.reason for one in kept.entries() if one.state == "failed"
        )
        assert all("modality is MR" in one.reason for one in kept.entries() if one.state == "left")
        kept.close()
        check_archive(archive, {series_uid(files): name for name, files in series.items() if name.startswith("good")})


def state_of(name: str) -> str:
    return {"broken": "failed", "mri": "left"}.get(name, "done")


def check_archive(archive, good):
    """Every good series has one measurement report and one segmentation of each kind in its study, and no other."""
    of_study: dict[str, list[tuple[str, int]]] = {}
    for one in archive.series():
        study = archive.get(f"/studies/{one['ParentStudy']}")["MainDicomTags"]["StudyInstanceUID"]
        of_study.setdefault(study, []).append((one["MainDicomTags"]["Modality"], len(one["Instances"])))
    assert len(of_study) == len(good)
    assert all(sorted(found) == [("SEG", 2), ("SR", 1)] for found in of_study.values()), of_study


def report(found, listener, took, objects):
    counts = {state: list(found.values()).count(state) for state in sorted(set(found.values()))}
    instances = sum(len(one["Instances"]) for one in objects)
    sys.stdout.write(
        f"\n{SENT} series sent, {listener.kills} kills, {took:.0f} s: {counts}; {instances} objects in the archive\n"
    )
