"""One table says of every result its unit, its finding, how it is carried and its bounds; nothing goes by a prefix."""

from __future__ import annotations

import pytest

from endplate.finding import catalogue
from endplate.repair.rehearsal.effects import carried
from endplate.repair.rehearsal.result_table import NEIGHBOUR_CODES, RESULTS, result_kind


def test_every_result_has_a_finding_in_the_catalogue_with_its_unit() -> None:
    known = catalogue()
    for name, kind in RESULTS.items():
        assert kind.code in known, name
        assert kind.unit == known[kind.code].unit, name
    assert all(code in known and known[code].unit == "1" for code in NEIGHBOUR_CODES.values())


@pytest.mark.parametrize(
    ("name", "carry", "least", "most"),
    [
        ("full_anterior_mm", "shift", None, None),
        ("settled_middle_mm", "shift", None, None),
        ("cured_kyphosis_deg", "shift", None, None),
        ("deflated_side_wall_mm", "shift", None, None),
        ("cement_ml", "amount", 0.0, None),
        ("openings", "shift", 0.0, None),
        ("fill_fraction", "shift", 0.0, 1.0),
        ("contact_inferior", "shift", 0.0, 1.0),
        ("strength_n", "ratio", 0.0, None),
        ("load_share_flexed", "ratio", 0.0, None),
        ("neighbour_disc_T12_standing", "ratio", 0.0, None),
    ],
)
def test_a_result_is_carried_as_its_line_says(name: str, carry: str, least: float | None, most: float | None) -> None:
    kind = result_kind(name)
    assert (kind.carry, kind.least, kind.most) == (carry, least, most)


def test_only_forces_have_a_band_in_a_single_run() -> None:
    forces = {name for name, kind in RESULTS.items() if kind.force}
    assert forces == {
        "strength_n",
        "strength_ratio",
        "stiffness_n_per_mm",
        "stiffness_ratio",
        "load_share_standing",
        "load_share_flexed",
    }


@pytest.mark.parametrize("name", ["strength_x", "full_height", "neighbour_load_T12_lifting", "load_share_lifting", ""])
def test_an_unknown_result_is_refused(name: str) -> None:
    with pytest.raises(KeyError, match="is no result of a rehearsal"):
        result_kind(name)
    with pytest.raises(KeyError, match="is no result of a rehearsal"):
        carried(name, 1.0, 1.0, 1.0)
