"""Trabecular HU are held against published limits only on the scale of 120 kVp without contrast medium."""

from __future__ import annotations

import pytest

from endplate.bone.findings import findings
from endplate.bone.result import Calibration


def line(kvp: float | None, contrast: bool | None) -> Calibration:
    return Calibration(
        slope_mg_cm3_per_hu=0.7,
        offset_mg_cm3=0,
        route="given",
        sd_mg_cm3=8,
        source="s",
        kvp=kvp,
        contrast=contrast,
    )


@pytest.mark.parametrize(
    ("kvp", "contrast", "factor"),
    [(120, False, 1.0), (100, False, 0.927), (140, False, 1.053), (80, False, None), (99.9, False, None),
     (None, False, None), (120, True, None), (120, None, 1.0)],
)  # fmt: skip
def test_the_factor_is_told_only_where_it_is_known(kvp: float | None, contrast: bool | None, factor: float) -> None:
    found = [finding for finding in findings((), line(kvp, contrast)) if finding.code == "hu_to_120_kvp"]
    assert [finding.value for finding in found] == ([] if factor is None else [pytest.approx(factor)])
    assert all(finding.condition == ("contrast not stated" if contrast is None else "") for finding in found)
