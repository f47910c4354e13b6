"""Where the rows of a cohort come from: a table, a BIDS tree, a folder of DICOM studies; and what is refused."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.support.small_spine import dicom_slices, save_series, series_header, spine

from endplate.cohort.row import CohortRow
from endplate.cohort.source import read_rows, sampled
from endplate.errors import OptionError


def table(folder: Path, text: str, name: str = "cases.csv") -> Path:
    path = folder / name
    path.write_text(text)
    return path


def touch(*paths: Path) -> None:
    for path in paths:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()


def test_paths_count_from_the_folder_of_the_table_and_cells_may_be_empty(tmp_path):
    path = table(tmp_path, "id,ct,labels,record\na,a.nii.gz,a_seg.nii.gz,\nb,,/elsewhere/b.nii.gz,b.json\n\n")
    a, b = read_rows(path)
    assert (a.ct, a.labels, a.record) == (tmp_path / "a.nii.gz", tmp_path / "a_seg.nii.gz", None)
    assert (b.ct, b.labels, b.record) == (None, Path("/elsewhere/b.nii.gz"), tmp_path / "b.json")


def test_a_parquet_table_is_the_same(tmp_path):
    pandas = pytest.importorskip("pandas")
    pandas.DataFrame({"id": ["a", "7"], "labels": ["x", None]}).to_parquet(tmp_path / "c.parquet")
    a, b = read_rows(tmp_path / "c.parquet")
    assert (a.id, a.labels, b.id, b.labels) == ("a", tmp_path / "x", "7", None)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("name,ct\na,b\n", "has the columns name, ct"),
        ("id,ct,label\na,b,c\n", "has the columns id, ct, label"),
        ("id\na\n", "has the columns id"),
        ("id,ct\na,b\na,c\n", "2 rows of .* have the id 'a'"),
        ("id,ct\na,b\nA,c\n", "2 rows of .* have the id 'a'"),
        ("id,ct\n,b\n", "row 1 of .* has no id"),
        ("id,ct\n", "holds no case"),
        ("id,ct\na,b,c,d\n", "more cells than columns"),
        ('id,ct\na,"b\n', "is no CSV table"),
    ],
)
def test_a_table_that_is_none_is_refused_in_a_line(tmp_path, text, words):
    with pytest.raises(OptionError, match=words) as caught:
        read_rows(table(tmp_path, text))
    assert "\n" not in str(caught.value) and caught.value.exit_code == 2


def test_a_file_that_is_no_table_or_nothing_is_refused(tmp_path):
    (tmp_path / "x.csv").write_bytes(b"\xff\xfe\x00bin")
    (tmp_path / "x.parquet").write_bytes(b"PAR1")
    for name in ("x.csv", "x.parquet", "absent.csv"):
        with pytest.raises(OptionError):
            read_rows(tmp_path / name)


def test_a_verse_tree_pairs_scans_with_their_labels(tmp_path):
    touch(
        tmp_path / "rawdata/sub-verse014/sub-verse014_ct.nii.gz",
        tmp_path / "derivatives/sub-verse014/sub-verse014_seg-vert_msk.nii.gz",
        tmp_path / "derivatives/sub-verse014/sub-verse014_seg-subreg_ctd.json",
        tmp_path / "rawdata/sub-gl1/sub-gl1_dir-ax_ct.nii.gz",
        tmp_path / "derivatives/sub-gl1/sub-gl1_dir-ax_seg-vert_msk.nii.gz",
        tmp_path / "rawdata/sub-gl1/sub-gl1_dir-sag_ct.nii.gz",
    )
    (tmp_path / "participants.tsv").write_text("participant_id\tage\tsex\nsub-verse014\t71\tF\nsub-gl1\tn/a\tM\n")
    rows = {row.id: row for row in read_rows(tmp_path)}
    assert sorted(rows) == ["sub-gl1_dir-ax", "sub-gl1_dir-sag", "sub-verse014"]
    assert rows["sub-verse014"].labels.name == "sub-verse014_seg-vert_msk.nii.gz"
    assert rows["sub-verse014"].record == {"id": "sub-verse014", "age_yr": 71.0, "sex": "female"}
    assert rows["sub-gl1_dir-ax"].labels.name == "sub-gl1_dir-ax_seg-vert_msk.nii.gz"
    assert rows["sub-gl1_dir-sag"].labels is None and rows["sub-gl1_dir-ax"].record is None


def test_tptbox_names_and_labels_alone_are_rows_too(tmp_path):
    touch(
        tmp_path / "sub-a/ses-1/sub-a_ses-1_sequ-2_ct.nii.gz",
        tmp_path / "derivative/sub-a/ses-1/sub-a_ses-1_sequ-2_mod-ct_seg-vert_msk.nii.gz",
        tmp_path / "derivative/sub-b/sub-b_seg-vert_msk.nii.gz",
    )
    a, b = read_rows(tmp_path)
    assert a.id == "sub-a_ses-1_sequ-2" and a.ct is not None and a.labels is not None
    assert b.id == "sub-b" and b.ct is None and b.labels is not None


def test_dicom_studies_are_rows_by_series(tmp_path):
    volume, _ = spine()
    one = series_header()
    save_series(tmp_path / "study-1" / "a", dicom_slices(volume, one)[:3])
    save_series(tmp_path / "study-2" / "a", dicom_slices(volume, series_header())[:2])
    save_series(tmp_path / "study-2" / "b", dicom_slices(volume, series_header())[:2])
    save_series(tmp_path / "study-3", dicom_slices(volume, series_header(Modality="MR"))[:2])
    touch(tmp_path / "study-1" / "readme.txt")
    rows = read_rows(tmp_path)
    assert [row.id for row in rows] == ["study-1", "study-2/a", "study-2/b"]
    assert rows[0].ct == tmp_path / "study-1" / "a"
    assert all("/" not in row.folder for row in rows) and len({row.folder for row in rows}) == 3


@pytest.mark.parametrize("name", ["../../etc", "a/b", "..", ".hidden", "x" * 300, "é", "a b", "-rf", "end.", "\udcff"])
def test_a_folder_of_a_case_is_a_plain_name_within_the_study(tmp_path, name):
    folder = CohortRow(id=name).folder
    assert Path(folder).name == folder and not folder.startswith((".", "-")) and len(folder.encode()) <= 255
    (tmp_path / folder).mkdir()
    assert folder != CohortRow(id=name + "x").folder


def test_a_sample_follows_its_seed_and_not_the_order(tmp_path):
    rows = [CohortRow(id=f"{n}") for n in range(50)]
    one, again = sampled(rows, 10, 3), sampled(rows[::-1], 10, 3)
    assert {row.id for row in one} == {row.id for row in again} and len(one) == 10
    assert {row.id for row in one} != {row.id for row in sampled(rows, 10, 4)}
    assert sampled(rows, None, 0) == rows
    for bad in (0, 51):
        with pytest.raises(OptionError, match="there are 50 cases"):
            sampled(rows, bad, 0)
