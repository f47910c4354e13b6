"""`--device` on the verbs that load bone: one line where there is no such device, from the command or a file."""

from __future__ import annotations

from pathlib import Path

import pytest

from endplate.cli.app import main
from endplate.numerics.backend import choose as choosing


@pytest.fixture
def scan(tmp_path: Path) -> list[str]:
    for name in ("ct.nii.gz", "labels.nii.gz", "record.json"):
        (tmp_path / name).write_text('{"age_yr": 70, "sex": "female"}')
    names = {"--labels": "labels.nii.gz", "--record": "record.json"}
    return [str(tmp_path / "ct.nii.gz"), *(w for k, v in names.items() for w in (k, str(tmp_path / v)))]


@pytest.mark.parametrize("verb", [["assess"], ["plan"], ["rehearse", "--level", "L1"]])
def test_verbs_refuse_a_card_that_is_not_there(verb, scan, tmp_path, capsys, monkeypatch) -> None:
    monkeypatch.setattr(choosing, "find_spec", lambda name: None)
    words = [*verb, *scan, "--out", str(tmp_path / "out")]
    assert main([*words, "--device", "cuda"]) == 2
    line = capsys.readouterr().err.strip()
    assert "endplate[gpu]" in line and len(line.splitlines()) == 1
    (tmp_path / "options.toml").write_text(f'[{verb[0]}]\ndevice = "cuda"\n')
    assert main([*words, "--config", str(tmp_path / "options.toml")]) == 2
    assert "endplate[gpu]" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_a_device_of_another_name_is_refused(scan, tmp_path, capsys) -> None:
    assert main(["assess", *scan, "--out", str(tmp_path / "out"), "--device", "tpu"]) == 2
    assert "cpu" in capsys.readouterr().err
