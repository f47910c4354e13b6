"""What a worker writes of a running rehearsal: real states in their place, a full disk that ends nothing, words."""

from __future__ import annotations

import errno
import json
from types import SimpleNamespace

import numpy as np
import pytest
from tests.repair.cement.test_injection import CEMENT, FREE, MIDDLE, VOXEL_MM
from verification.cylinder_body import cylinder_body

from endplate.errors import OutputError
from endplate.jobs import live as module
from endplate.jobs.live import FULL, LIVE, Live, frame_names, read_live
from endplate.progress import Gauge, Sight, offer_look
from endplate.repair.cement.injection import inject


class Context:
    def __init__(self, folder):
        self.place, self.said, self.words = folder, [], ""

    def folder(self):
        return self.place

    def tell(self, *said):
        self.said.append(said)

    def keep(self, words):
        self.words = words


@pytest.fixture
def context(tmp_path):
    return Context(tmp_path / "run")


def ball(radius=3.0, shape=(20, 18, 16)):
    """A ball on 2 mm voxels whose middle lies at LPS (10, -20, 30)."""
    affine = np.diag([2.0, 2.0, 2.0, 1.0])
    affine[:3, 3] = np.array([10.0, -20.0, 30.0]) - 2.0 * (np.array(shape) // 2)
    far = np.linalg.norm(np.moveaxis(np.indices(shape), 0, -1) - np.array(shape) // 2, axis=-1)
    return Sight(kind="cement", share=np.clip(radius + 0.5 - far, 0, 1).astype(np.float32), affine=affine)


def test_a_frame_lies_where_the_cement_is(context):
    found = Live(context, clock=lambda: 0.0)
    sight = ball()
    found.read("cement", 0.5, 0.125)
    found("cement", 0.1, "vertebroplasty")
    found.see("cement", lambda: sight)
    frame = read_live(context.place)["frames"][0]
    volume = np.load(context.place / frame_names(0)[0])
    assert volume.size < sight.share.size / 4, "cut to what is there"
    assert volume.sum() / FULL == pytest.approx(sight.share.sum(), rel=0.01)
    middle = np.array(np.nonzero(volume == volume.max())).mean(axis=1)
    ras = (np.array(frame["affine"]) @ [*middle, 1.0])[:3]
    assert ras == pytest.approx([-10.0, 20.0, 30.0], abs=0.01)
    assert frame["at"] == ["cement", 0.5, 0.125] and frame["kind"] == "cement"
    corners = np.frombuffer((context.place / frame_names(0)[1]).read_bytes()[-12:], "<f4")
    assert np.linalg.norm(corners - ras) == pytest.approx(7.0, abs=1.5), "a vertex of its surface, RAS"


def test_an_injection_shows_every_state_that_it_had(context, monkeypatch):
    """The states come from the solver itself: their volume is what the gauge read at that moment."""
    monkeypatch.setattr(module, "LOOK_SHARE", 1e9)
    ticks = iter(range(10**6))
    found = Live(context, clock=lambda: float(next(ticks)) * 100)
    vertebra, bone = cylinder_body(VOXEL_MM)
    fill = inject(bone, vertebra, (MIDDLE,), CEMENT, FREE, Gauge(found, "cement", "vertebroplasty"))
    frames = read_live(context.place)["frames"]
    assert len(frames) > 30
    last = np.load(context.place / frame_names(frames[-1]["number"])[0])
    assert (last > FULL / 2).sum() == (fill.saturation > 0.5).sum()
    sizes = [int((np.load(context.place / frame_names(one["number"])[0]) > 0).sum()) for one in frames]
    assert sizes == sorted(sizes), "a front that never draws back"
    assert found.kept().startswith("its curve up to 3.00 mL of cement and ")


def test_pictures_take_a_tenth_of_the_time_and_the_last_state_is_kept(context):
    now = [0.0]
    found = Live(context, clock=lambda: now[0])

    def look():
        now[0] += 1.0  # a look that takes a second
        return ball()

    for _ in range(40):
        now[0] += 0.5
        found.see("cement", look)
    during = len(found.frames)
    assert during == 2
    found("strength", 0.0, "vertebroplasty")
    assert len(found.frames) == during + 1, "the state in which the stage ended"


def test_a_disk_without_room_ends_no_computation(context, monkeypatch):
    found = Live(context, clock=lambda: 0.0)

    def full(path, content):
        raise OutputError(f"cannot write {path.name}: {OSError(errno.ENOSPC, 'No space left on device').strerror}")

    monkeypatch.setattr(module, "write_bytes", full)
    monkeypatch.setattr(module, "write_text", full)
    found.read("cement", 1.0, 0.2)
    found("cement", 0.2, "vertebroplasty")
    found.see("cement", ball)
    found.read("cement", 2.0, 0.3)
    found("cement", 0.4, "vertebroplasty")
    assert "No space left on device" in found.trouble and "not whole" in found.trouble
    assert [stage for stage, *_ in context.said] == ["cement", "cement"], "progress goes on"


def test_a_second_attempt_begins_anew(context):
    context.place.mkdir()
    (context.place / frame_names(7)[0]).write_bytes(b"old")
    (context.place / LIVE).write_text(json.dumps({"points": [["cement", 9.0, 9.0]], "frames": []}))
    Live(context)
    assert list(context.place.iterdir()) == [] and read_live(context.place) == {"points": [], "frames": []}


def test_a_reading_travels_as_numbers_and_its_words_are_for_people(context):
    """The curve has what was read, not what was written for people: other words, or none, change nothing."""
    found = Live(context, clock=lambda: 0.0)
    gauge = Gauge(found, "cement", "9.99 mL 9.999 MPa")
    gauge(0.0)
    gauge.read(0.12345, 0.0456789)
    gauge(0.1)
    gauge.read(0.12345, 0.0456789)
    gauge(0.2)
    assert read_live(context.place)["points"] == [["cement", 0.123, 0.04568]]
    assert context.said[-1] == ("cement", 0.2, "9.99 mL 9.999 MPa 0.12 mL 0.046 MPa")
    assert found.kept().startswith("its curve up to 0.12 mL of cement")


def test_what_nobody_looks_at_is_never_made():
    def never():
        raise AssertionError("made for nobody")

    offer_look(lambda fraction: None, never)
    Gauge(lambda stage, fraction, detail: None, "cement", "x").see(never)
    watch = SimpleNamespace(see=lambda stage, look: look())
    with pytest.raises(AssertionError):
        Gauge(watch, "cement", "x").see(never)
