"""case.json keeps to its published schema and never holds a number that is not one."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import numpy as np
import pytest
from tests.support.synthetic_case import LEVELS, synthetic_case

from endplate.case import Case
from endplate.finding import Finding, catalogue
from endplate.report.document import plain, schema, to_document, to_json


@pytest.fixture(scope="module")
def case() -> Case:
    return synthetic_case()


def odd(value: object, **band: float) -> Finding:
    return Finding(code="stiffness", level=LEVELS[1], value=value, unit="N/mm", method="m", source="s", **band)


@pytest.mark.parametrize("with_ct", [True, False])
def test_the_document_keeps_to_its_schema(with_ct: bool) -> None:
    document = json.loads(to_json(to_document(synthetic_case(with_ct))))
    jsonschema.Draft202012Validator(schema()).validate(document)


def test_the_schema_itself_is_valid() -> None:
    jsonschema.Draft202012Validator.check_schema(schema())


def test_the_schema_refuses_what_it_should(case: Case) -> None:
    validator = jsonschema.Draft202012Validator(schema())
    for change in (
        {"findings": [{"code": "stiffness"}]},
        {"levels": ["L7"]},
        {"gaps": [{"code": "x", "level": None, "reason": ""}]},
        {"extra": 1},
    ):
        assert not validator.is_valid(to_document(case) | change)


def test_nothing_is_lost_on_the_way(case: Case) -> None:
    document = to_document(case)
    assert len(document["findings"]) == len(case.findings)
    assert len(document["gaps"]) == len(case.gaps)
    assert document["provenance"]["inputs"] == case.provenance.inputs
    assert {finding["level"] for finding in document["findings"]} <= {str(level) for level in LEVELS}


@pytest.mark.parametrize("value", [float("nan"), float("inf"), np.float64("nan"), np.float32("-inf")])
def test_a_number_that_is_not_one_becomes_a_gap(case: Case, value: float) -> None:
    document = to_document(replace(case, findings=(odd(value),)))
    assert document["findings"] == []
    assert document["gaps"][-1]["code"] == "stiffness"
    assert "NaN" not in to_json(document) and "Infinity" not in to_json(document)


def test_a_band_that_is_not_a_number_is_null(case: Case) -> None:
    document = to_document(replace(case, findings=(odd(12.0, low=float("nan"), high=14.0),)))
    assert document["findings"][0]["low"] is None
    assert document["findings"][0]["high"] == 14.0


def test_numpy_values_become_plain(case: Case) -> None:
    document = to_document(replace(case, findings=(odd(np.float32(2.5)), odd(np.int64(3)), odd(np.bool_(True)))))
    assert [type(item["value"]) for item in document["findings"]] == [float, int, bool]
    assert plain({"a": (np.arange(2), LEVELS[0])}) == {"a": [[0, 1], "T11"]}


def test_writing_nan_is_refused_even_where_no_finding_holds_it() -> None:
    with pytest.raises(ValueError, match="JSON"):
        to_json({"a": float("nan")})


def test_every_catalogue_code_fits_the_schema() -> None:
    pattern = schema()["$defs"]["code"]["pattern"]
    for code in catalogue():
        jsonschema.validate(code, {"pattern": pattern})
