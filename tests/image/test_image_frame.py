"""CT and labels that name different frames of reference share no coordinates, even where they overlap."""

from __future__ import annotations

from dataclasses import replace

import pytest
from tests.support.small_spine import spine

from endplate.errors import GridMismatchError
from endplate.image.resample import match_grids
from endplate.image.series_ref import SeriesRef
from endplate.image.volume import LabelMap, Volume


def pair(ct: str | None, seg: str | None) -> tuple[Volume, LabelMap]:
    volume, labels = spine()
    return (
        replace(volume, series=SeriesRef(path="ct", modality="CT", frame_of_reference_uid=ct)),
        replace(labels, series=SeriesRef(path="seg", modality="SEG", frame_of_reference_uid=seg)),
    )


@pytest.mark.parametrize(("ct", "seg"), [("1.2.3", "1.2.3"), (None, "1.2.3"), ("1.2.3", None), (None, None)])
def test_one_frame_or_one_that_is_not_named_is_taken(ct: str | None, seg: str | None) -> None:
    volume, labels = pair(ct, seg)
    assert match_grids(volume, labels) is labels


def test_two_frames_are_refused_by_name() -> None:
    with pytest.raises(GridMismatchError, match=r"frame of reference 1\.2\.3, the labels in 1\.2\.4"):
        match_grids(*pair("1.2.3", "1.2.4"))
