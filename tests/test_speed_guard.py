"""The guard of the kernels' speed: what asv wrote is read, and a slowdown beyond the limit is named."""

from __future__ import annotations

import json

from benchmarks.guard import NAME, kept, newest, slower


def asv_file(folder, ratios: dict[str, float]) -> None:
    place = folder / "bench"
    place.mkdir(parents=True)
    row = [list(ratios.values()), [[f"'{name}'" for name in ratios]]]
    document = {"commit_hash": "abc", "date": 5, "result_columns": ["result", "params"], "results": {NAME: row}}
    (place / "abc-env.json").write_text(json.dumps(document))


def test_reads_what_asv_wrote(tmp_path) -> None:
    asv_file(tmp_path, {"cycle": 7.0, "product": 0.5})
    assert newest(tmp_path) == (5, "abc", {"cycle": 7.0, "product": 0.5})
    assert newest(tmp_path / "none") is None
    assert kept(tmp_path / "none.json") == []


def test_names_a_slowdown_of_more_than_15_per_cent_against_the_best() -> None:
    before = [(1, "a", {"cycle": 8.0}), (2, "b", {"cycle": 7.0})]
    assert slower((3, "c", {"cycle": 8.0}), before) == []
    (line,) = slower((3, "c", {"cycle": 8.1, "new": 1.0}), before)
    assert "cycle" in line and "1.16 times the best" in line
    assert slower((2, "b", {"cycle": 99.0}), before[1:]) == []
