"""A small file that claims to be huge is refused at little cost, and what is meant to be large can be asked for."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import numpy as np
import pytest
from tests.support.bombs import BOMBS
from tests.support.small_spine import dicom_slices, grid, save_nifti, save_series, spine

from endplate.errors import ImageError, InputError, LabelError, OptionError, plain
from endplate.image.ct import read_ct
from endplate.image.dicom.files import files_of
from endplate.image.labels import read_labels
from endplate.image.limits import DEFAULT, Limits, ReadSettings
from endplate.image.nifti.extension import stored_names

VOLUME, LABELS = spine()
MOST_S, MOST_KB = 30, 2 * 2**20
LARGE = ("full_nifti", "wide_nifti")  # each unpacks a gigabyte or two: run by `make fuzz` and by ENDPLATE_BOMBS=1

READ = """
import json, resource, sys, time
from pathlib import Path
from endplate.errors import InputError
from endplate.image.ct import read_ct
from endplate.image.labels.read import read_labels
begun, lines = time.process_time(), []
for read in (read_ct, read_labels):
    try:
        read(Path(sys.argv[1]))
        lines.append("read")
    except InputError as error:
        lines.append(str(error))
usage = [resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(json.dumps({"s": time.process_time() - begun, "kb": max(usage), "lines": lines}))
"""


@pytest.mark.parametrize("name", BOMBS)
def test_a_bomb_is_refused_at_little_cost(tmp_path, name):
    if name in LARGE and not os.environ.get("ENDPLATE_BOMBS"):
        pytest.skip("unpacks gigabytes: set ENDPLATE_BOMBS=1")
    path = BOMBS[name](tmp_path)
    done = subprocess.run(
        [sys.executable, "-c", READ, str(path)], capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert "read" not in found["lines"]
    assert all(line.isprintable() and len(line) < 1500 for line in found["lines"])
    assert found["s"] < 2 * MOST_S
    assert found["kb"] < MOST_KB


class TestEachLimit:
    """Below, at and beyond; and how it is raised."""

    def limited(self, **most) -> ReadSettings:
        return ReadSettings(limits=Limits(**most))

    def test_voxels(self, tmp_path):
        path = save_nifti(tmp_path / "ct.nii", VOLUME.hu, VOLUME.grid)
        assert read_ct(path, self.limited(voxels=VOLUME.hu.size)).hu.size == VOLUME.hu.size
        with pytest.raises(ImageError, match=r"at most .* are read.*--limit-factor"):
            read_ct(path, self.limited(voxels=VOLUME.hu.size - 1))

    def test_memory(self, tmp_path):
        path = save_nifti(tmp_path / "ct.nii", VOLUME.hu.astype(np.float64), VOLUME.grid)
        assert read_ct(path, self.limited(volume_bytes=4 * VOLUME.hu.size)).hu.dtype == np.float32
        with pytest.raises(ImageError, match="GiB as float32"):
            read_ct(path, self.limited(volume_bytes=4 * VOLUME.hu.size - 1))

    def test_labels(self, tmp_path):
        path = save_nifti(tmp_path / "l.nii", LABELS.labels, LABELS.grid)
        assert read_labels(path, settings=self.limited(labels=5)).labels.any()
        with pytest.raises(LabelError, match="5 different values; a label map has at most 4"):
            read_labels(path, settings=self.limited(labels=4))

    def test_files(self, tmp_path):
        for number in range(12):
            (tmp_path / str(number % 3)).mkdir(exist_ok=True)
            (tmp_path / str(number % 3) / f"{number}.txt").write_text("")
        assert len(files_of(tmp_path, Limits(files=15))) == 12
        with pytest.raises(ImageError, match="more than 14 files and folders"):
            files_of(tmp_path, Limits(files=14))

    def test_items_and_header_bytes(self, tmp_path):
        folder = save_series(tmp_path / "ct", dicom_slices(spine(grid(shape=(24, 24, 4), spacing=(3.0, 3.0, 8.0)))[0]))
        assert read_ct(folder, self.limited(items=1)).hu.any()
        (folder / "image0000.dcm").write_bytes(
            (folder / "image0000.dcm").read_bytes().replace(b"B60s", b"\xfe\xff\x00\xe0") + b"\xfe\xff\x00\xe0"
        )
        with pytest.raises(ImageError, match="2 sequence items; at most 1"):
            read_ct(folder, self.limited(items=1))

    @pytest.mark.parametrize("factor", [0, 0.5, 1001, float("nan"), -3])
    def test_a_factor_out_of_range(self, factor):
        with pytest.raises(OptionError, match="--limit-factor"):
            Limits().times(factor)

    def test_a_factor_raises_every_limit(self):
        raised = Limits().times(2.5)
        assert raised.voxels == int(2.5 * DEFAULT.limits.voxels)
        assert raised.labels == 1000


class TestNames:
    """Names of files are input as well."""

    @pytest.mark.parametrize("reader", [read_ct, read_labels])
    @pytest.mark.parametrize("name", ["x" * 300, "a/" * 3000, "nul\0byte"])
    def test_a_path_that_no_disk_can_hold_does_not_exist(self, tmp_path, reader, name):
        with pytest.raises(InputError, match="does not exist"):
            reader(tmp_path / name)

    @pytest.mark.parametrize(
        "name", ["\x1b[31mred\x1b[0m.nii", "two\nlines.nii", "caf\udce9.nii", "right\u202eto left.nii"]
    )
    def test_what_a_terminal_would_obey_is_not_shown(self, tmp_path, name):
        path = tmp_path / name
        path.write_bytes(b"no image")
        for reader in (read_ct, read_labels):
            with pytest.raises(InputError) as caught:
                reader(path)
            assert str(caught.value).isprintable()
        assert np.array_equal(read_ct(save_nifti(path, VOLUME.hu, VOLUME.grid)).hu, VOLUME.hu)

    def test_text_in_headers_is_not_shown_as_it_is(self, tmp_path):
        slices = dicom_slices(VOLUME)
        for ds in slices[:20]:
            ds.SeriesInstanceUID = "1.2.3"
            ds.SeriesDescription = "\x1b]0;title\x07 forged"
        with pytest.raises(ImageError) as caught:
            read_ct(save_series(tmp_path / "ct", slices))
        assert str(caught.value).isprintable()

    def test_long_text_is_cut(self):
        assert len(plain("a" * 100_000)) == 600
        assert plain(" one \n\t two\x1b ") == "one two?"


@pytest.mark.parametrize("key", ["²", "1" * 5000, "-3", "70000", "", " 20 "])
def test_only_plain_digits_are_a_label(key):
    found = stored_names(f'<a><Label Key="{key}">vertebrae_L1</Label></a>')
    assert found == ({20: "vertebrae_L1"} if key.strip() == "20" else {})
