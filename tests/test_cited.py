"""A cited constant is a plain float that can be followed to its source, and to no other."""

from __future__ import annotations

import math

import pytest

from endplate.cited import citation_of, cited, cited_table, is_cited, registered

SOURCE = "Table 1, second row"


def test_a_constant_is_a_plain_float_and_leads_to_its_source() -> None:
    number = cited(0.1, "mm", SOURCE, "verified", cite="walle_2025")
    assert type(number) is float and number == 0.1
    about = citation_of(number)
    assert (about.value, about.unit, about.source, about.trust) == (0.1, "mm", SOURCE, "verified")
    assert about.cite == ("walle_2025",) and about.module == __name__
    assert about in registered()


def test_two_constants_of_one_value_keep_their_own_sources() -> None:
    one, two = cited(2.0, "mm", SOURCE, "verified"), cited(2.0, "mm", "Figure 3, the upper curve", "weak")
    assert one == two and citation_of(one).trust == "verified" and citation_of(two).trust == "weak"


@pytest.mark.parametrize("value", [1 / 3, -0.0, 6.894757e-3, 1e300, 5])
def test_the_value_is_kept_to_the_last_bit(value: float) -> None:
    number = cited(value, "1", SOURCE, "design")
    assert number == value and math.copysign(1, number) == math.copysign(1, value)


def test_a_number_that_is_computed_or_merely_equal_has_no_source() -> None:
    number = cited(3.25, "mm", SOURCE, "verified")
    assert is_cited(number) and not is_cited(number * 1.0) and not is_cited(float("3.25"))
    with pytest.raises(KeyError, match="was not made by cited"):
        citation_of(number + 1)


def test_a_table_shares_source_and_publications() -> None:
    table = cited_table("t", "mm", SOURCE, "knowledge", {"a": 1.0, "b": 1.0}, cite=("walle_2025", "ogo"))
    assert [type(value) for value in table.values()] == [float, float]
    assert all(citation_of(value).cite == ("walle_2025", "ogo") for value in table.values())
    assert citation_of(table["a"]).module == __name__


@pytest.mark.parametrize(
    ("unit", "source", "trust"), [("", SOURCE, "verified"), ("mm", "short", "verified"), ("mm", SOURCE, "sure")]
)
def test_a_constant_without_unit_source_or_trust_is_refused(unit: str, source: str, trust: str) -> None:
    with pytest.raises(ValueError, match="unit, source and trust are all needed"):
        cited(1.0, unit, source, trust)  # type: ignore[arg-type]
