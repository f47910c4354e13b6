"""Rehearsals belong to their case: kept with who and what, out of date once that changed, removed and yet kept."""

from __future__ import annotations

import pytest

from endplate.store.cases import set_input
from endplate.store.database import StoreError
from endplate.store.files import keep_input
from endplate.store.readings import add_reading, readings_of, withdraw_reading
from endplate.store.rehearsals import basis_of, keep_rehearsal, rehearsals_of, remove_rehearsal, why_old


def keep(store, case_id, number=1, level="L1"):
    row = {
        "id": f"{number:032x}", "level": level, "title": f"Mine {number}", "asked": {"cement_ml": 2.0},
        "result": {"procedure": "vertebroplasty"}, "basis": basis_of(store, case_id, level), "version": "0",
        "who": "ada",
    }  # fmt: skip
    keep_rehearsal(store, case_id, row)
    return row["id"]


def test_it_is_kept_with_who_when_and_what_it_rests_on(store, case_id):
    keep(store, case_id)
    (row,) = rehearsals_of(store, case_id)
    assert (row.who, row.level, row.asked, row.removed_at) == ("ada", "L1", {"cement_ml": 2.0}, None)
    assert set(row.basis["files"]) == {"ct", "labels"} and all(len(one) == 64 for one in row.basis["files"].values())
    assert why_old(row.basis, basis_of(store, case_id, "L1")) == ""


def test_one_that_was_run_again_is_kept_once(store, case_id):
    keep(store, case_id)
    keep(store, case_id)
    assert len(rehearsals_of(store, case_id)) == 1


@pytest.mark.parametrize(
    ("reading", "words"),
    [
        ({"what": "renumber", "level": "L2", "to": "L3", "reason": "x"}, "a correction of the levels"),
        ({"what": "set_aside", "level": "L2", "reason": "x"}, "a correction of the levels"),
        ({"what": "fracture", "level": "L1", "to": "no", "reason": "x"}, "judged this level otherwise"),
        ({"what": "grade", "level": "L2", "to": 1, "reason": "x"}, ""),
    ],
)
def test_a_correction_that_concerns_the_level_makes_it_out_of_date(store, case_id, reading, words):
    keep(store, case_id)
    number = add_reading(store, case_id, reading, "bea")
    (row,) = rehearsals_of(store, case_id)
    why = why_old(row.basis, basis_of(store, case_id, "L1"))
    assert (words in why) if words else why == ""
    withdraw_reading(store, case_id, number, "bea")
    assert readings_of(store, case_id) == []
    assert why_old(row.basis, basis_of(store, case_id, "L1")) == "", "the case is what it was"


def test_another_scan_makes_it_out_of_date(store, files, case_id, tmp_path):
    keep(store, case_id)
    (tmp_path / "other.nii.gz").write_bytes(b"another scan")
    set_input(store, case_id, "ct", keep_input(store, files, "nifti", [tmp_path / "other.nii.gz"]), "other.nii.gz")
    (row,) = rehearsals_of(store, case_id)
    assert why_old(row.basis, basis_of(store, case_id, "L1")) == "the CT of the case changed since"


def test_removed_it_leaves_the_lists_and_stays_in_the_store(store, case_id):
    first = keep(store, case_id)
    keep(store, case_id, 2)
    remove_rehearsal(store, case_id, first, "bea")
    assert [row.title for row in rehearsals_of(store, case_id)] == ["Mine 2"]
    gone = rehearsals_of(store, case_id, removed=True)[0]
    assert gone.removed_by == "bea" and gone.result == {"procedure": "vertebroplasty"}
    with pytest.raises(StoreError, match="removed already"):
        remove_rehearsal(store, case_id, first, "bea")
    with pytest.raises(StoreError, match="no such rehearsal"):
        remove_rehearsal(store, "0" * 32, first, "bea")
