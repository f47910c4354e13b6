"""Broken inputs without end: each reader takes it sanely, or refuses it in one clean line; nothing else happens.

Hypothesis breaks whole inputs and shrinks what fails. A few hundred cases each by default; `make fuzz` sets
ENDPLATE_FUZZ_SECONDS, the time for each target, and goes on with new seeds until it is over.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st
from tests.fuzz import target
from tests.support.broken import sane
from tests.support.corpus import SCHEMES, SIDECARS, TABLE, dicom_series, nifti_files, seg_file

from endplate.errors import InputError
from endplate.image.ct import read_ct
from endplate.image.labels import read_labels
from endplate.image.labels.level_name import level_from_name
from endplate.image.labels.scheme import scheme_by_name
from endplate.image.nifti.extension import stored_names
from endplate.image.volume import LabelMap, Volume
from endplate.level import FROM_VERSE_ID, Level

hunt = functools.partial(target.hunt, examples=120)
INTERESTING = st.sampled_from([b"\0", b"\x01", b"\x7f", b"\x80", b"\xff", b"\xff\xff", b"\xff\xff\xff\x7f", bytes(4)])
DAMAGE = st.lists(
    st.tuples(
        st.sampled_from(["set", "set", "set", "insert", "drop", "cut", "copy"]),
        st.floats(0, 1, exclude_max=True),
        st.one_of(INTERESTING, st.binary(min_size=1, max_size=8)),
    ),
    min_size=1,
    max_size=6,
)


def damaged(content: bytes, damage: list[tuple[str, float, bytes]], header: int) -> bytes:
    """A file with damages, most of them in its header."""
    data = bytearray(content)
    for number, (kind, where, what) in enumerate(damage):
        reach = len(data) if number % 5 == 4 else min(header, len(data))
        at = int(where * reach)
        if kind == "set":
            data[at : at + len(what)] = what
        elif kind == "insert":
            data[at:at] = what
        elif kind == "drop":
            del data[at : at + len(what)]
        elif kind == "copy":
            data[at:at] = data[at : at + 16 * len(what)]
        elif number == len(damage) - 1:
            del data[max(at, 1) :]
    return bytes(data)


def judged(read: Callable[[], Any], check: Callable[[Any], bool]) -> None:
    """Read; what comes back is sane, or the refusal is one clean line."""
    try:
        found = read()
    except InputError as refusal:
        assert target.clean(refusal)
    else:
        assert check(found)


def sane_labels(found: LabelMap) -> bool:
    known = np.isin(np.unique(found.labels), [0, *FROM_VERSE_ID]).all()
    return bool(known and found.labels.any() and np.isfinite(found.grid.affine).all())


def sane_either(found: Volume | LabelMap) -> bool:
    return sane(found) if isinstance(found, Volume) else sane_labels(found)


@pytest.mark.parametrize("reader", [read_ct, read_labels])
def test_nifti(tmp_path: Path, reader) -> None:
    whole = nifti_files(tmp_path)

    def case(which: int, damage) -> None:
        name, content = whole[which]
        (tmp_path / name).write_bytes(damaged(content, damage, 560))
        judged(lambda: reader(tmp_path / name), sane_either)

    hunt(case, st.integers(0, len(whole) - 1), DAMAGE)


@pytest.mark.parametrize("kind", ["plain", "rle", "deflated", "bare"])
def test_dicom_series(tmp_path: Path, kind: str) -> None:
    files = dicom_series(tmp_path / "whole")[kind]
    folder = tmp_path / "broken"
    folder.mkdir()
    for name, content in files:
        (folder / name).write_bytes(content)

    def case(which: int, damage) -> None:
        name, content = files[which]
        (folder / name).write_bytes(damaged(content, damage, 1400))
        judged(lambda: read_ct(folder), sane)
        (folder / name).write_bytes(content)

    hunt(case, st.integers(0, len(files) - 1), DAMAGE)


def test_dicom_seg(tmp_path: Path) -> None:
    pytest.importorskip("highdicom", reason="highdicom (extra `dicom`) reads DICOM SEG")
    content = seg_file(tmp_path)

    def case(damage) -> None:
        (tmp_path / "broken.dcm").write_bytes(damaged(content, damage, len(content)))
        judged(lambda: read_labels(tmp_path / "broken.dcm"), sane_labels)

    hunt(case, DAMAGE)


LEAVES = st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12))
TREES = st.recursive(
    LEAVES,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4),
        st.dictionaries(st.sampled_from(["L1", "20", "ignore", "levels", "²", "Th12", "1" * 5000]), inner, max_size=4),
    ),
    max_leaves=8,
)


def test_scheme_file(tmp_path: Path) -> None:
    import json

    def is_scheme(found: Any) -> bool:
        return bool(found.levels) and all(0 < n < 2**16 and isinstance(v, Level) for n, v in found.levels.items())

    def case(which: int, damage, tree) -> None:
        (tmp_path / "s.toml").write_bytes(damaged(SCHEMES[which], damage, 200))
        judged(lambda: scheme_by_name(tmp_path / "s.toml"), is_scheme)
        (tmp_path / "s.json").write_text(json.dumps(tree))
        judged(lambda: scheme_by_name(tmp_path / "s.json"), is_scheme)

    hunt(case, st.integers(0, len(SCHEMES) - 1), DAMAGE, TREES)


def test_sidecar(tmp_path: Path) -> None:
    name, content = nifti_files(tmp_path)[1]
    (tmp_path / name).write_bytes(content)

    def case(which: int, damage) -> None:
        (tmp_path / "ct.json").write_bytes(damaged(SIDECARS[which], damage, 200))
        judged(lambda: read_ct(tmp_path / name), sane)

    hunt(case, st.integers(0, len(SIDECARS) - 1), DAMAGE)


def test_label_table() -> None:
    def case(damage) -> None:
        names = stored_names(damaged(TABLE.encode(), damage, len(TABLE)).decode("utf-8", "replace"))
        assert all(0 < number < 2**16 and len(name) < 1000 for number, name in names.items())

    hunt(case, DAMAGE)


def test_level_name() -> None:
    words = st.sampled_from(
        ["L1", "T12", "Th", "vertebra", "_", " ", "body", "of", "first", "lumbar", "1", "²", "(C1)"]
    )

    def case(pieces: list[str], free: str) -> None:
        for text in ("".join(pieces), free):
            assert level_from_name(text) is None or isinstance(level_from_name(text), Level)

    hunt(case, st.lists(words, max_size=8), st.text(max_size=200))


@pytest.mark.parametrize("suffix", [".nii", ".nii.gz", ".dcm", ".toml", ".json", ""])
def test_bytes_of_any_kind(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"x{suffix}"

    def case(content: bytes, start: bytes) -> None:
        path.write_bytes(start + content)
        for reader in (read_ct, read_labels, scheme_by_name):
            judged(lambda reader=reader: reader(path), lambda found: True)

    starts = [b"", bytes(128) + b"DICM", b"\x02\0\0\0UL\x04\0", b"\x5c\x01\0\0", b"\x1f\x8b\x08\0", b"L1 = 1\n", b"{"]
    hunt(case, st.binary(max_size=800), st.sampled_from(starts))
