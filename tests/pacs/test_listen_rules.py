"""Which series a listener measures: each line of the rule file at, just below and just above its limit."""

from __future__ import annotations

import pytest
from pydicom.dataset import Dataset

from endplate.errors import OptionError
from endplate.pacs.rule_file import Rule, Rules, facts_for_rules, read_rules

RULES = """
[[take]]
modality = ["CT"]
body_part = ["LSPINE", "SPINE"]
slice_thickness_mm_max = 3.0
age_yr_min = 50

[[leave]]
kernel = ["B7", "sharp"]
"""


def facts(**changes):
    header = Dataset()
    header.Modality, header.BodyPartExamined, header.SliceThickness, header.PatientAge = "CT", "SPINE", 2.0, "074Y"
    header.ConvolutionKernel, header.SeriesDescription = "B40s", "Axial"
    for key, value in changes.items():
        setattr(header, key, value)
    return facts_for_rules(header)


@pytest.fixture
def rules(tmp_path):
    (tmp_path / "rules.toml").write_text(RULES)
    return read_rules(tmp_path / "rules.toml")


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, ""),
        ({"Modality": "MR"}, "modality is MR"),
        ({"BodyPartExamined": "lspine"}, ""),
        ({"BodyPartExamined": "HEAD"}, "body part is HEAD"),
        ({"BodyPartExamined": None}, "body part is not stated"),
        ({"SliceThickness": 3.0}, ""),
        ({"SliceThickness": 3.01}, "slice thickness is 3.01"),
        ({"SliceThickness": None}, "slice thickness is not stated"),
        ({"PatientAge": "050Y"}, ""),
        ({"PatientAge": "049Y"}, "age is 49"),
        ({"PatientAge": "600M"}, ""),
        ({"PatientAge": "74"}, "age is not stated"),
        ({"ConvolutionKernel": "B70s"}, "rule 1 of [[leave]] fits"),
        ({"ConvolutionKernel": None}, ""),
    ],
)
def test_every_line_decides(rules, changes, reason):
    assert rules.refusal(facts(**changes)) == reason


def test_without_a_file_every_ct_is_measured():
    assert read_rules(None).refusal(facts(BodyPartExamined=None, PatientAge=None)) == ""
    assert read_rules(None).refusal(facts(Modality="MR")) == "modality is MR"


def test_a_rule_may_let_the_unknown_pass():
    lenient = Rules(take=[Rule(body_part=["SPINE"], unknown="fits")])
    assert lenient.refusal(facts(BodyPartExamined=None)) == ""
    assert lenient.refusal(facts(BodyPartExamined="HEAD")) == "body part is HEAD"


@pytest.mark.parametrize(
    "text",
    ["[[take]]\nbody = ['x']", "take = 3", "[[take]\n", "[[take]]\nage_yr_min = 'old'", "[[take]]\nage_yr_min = nan"],
)
def test_a_wrong_file_is_one_clear_line(tmp_path, text):
    (tmp_path / "rules.toml").write_text(text)
    with pytest.raises(OptionError) as caught:
        read_rules(tmp_path / "rules.toml")
    assert caught.value.exit_code == 2 and "rules.toml" in str(caught.value)
