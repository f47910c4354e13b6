"""Heights of discs: between the endplates, with a band, or a gap with the reason."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from tests.support.shapes import plane, spine, vertebra

from endplate.anatomy.frame import axes_from
from endplate.anatomy.locate import locate_vertebrae
from endplate.finding import Gap, catalogue
from endplate.fracture.disc_height import disc_findings, disc_gaps, measure_discs
from endplate.image.phantom import PhantomSpec, make_labels
from endplate.image.phantom.truth import disc_heights
from endplate.level import Level

KINDS = ("anterior", "middle", "posterior")
ANTERIOR = np.array([0.0, -1.0, 0.0])


def pair(lower_front=27.0, **changes):
    """Two bodies whose middles lie 38 mm apart; the lower one may be lower in front."""
    upper = vertebra(Level.L1, plane(27, 27), at_mm=(0, 0, 38))
    lower = vertebra(Level.L2, plane(lower_front, 27), plane(27, 27))
    return spine(replace(upper, **changes), replace(lower, **changes))


def test_a_disc_between_level_endplates_is_what_lies_between_them():
    (disc,) = measure_discs(pair())
    for kind in KINDS:
        assert getattr(disc, kind).value == pytest.approx(38 - 27, abs=0.1)


def test_a_disc_is_higher_in_front_of_a_body_that_is_lower_there():
    (disc,) = measure_discs(pair(lower_front=21.0))
    assert disc.anterior.value == pytest.approx(14, abs=0.3)
    assert disc.middle.value == pytest.approx(12.5, abs=0.3)
    assert disc.posterior.value == pytest.approx(11, abs=0.3)


def test_lordosis_opens_a_disc_in_front():
    lean = np.deg2rad(5)
    axes = [axes_from(np.array([0.0, sign * np.sin(lean), np.cos(lean)]), ANTERIOR) for sign in (1, -1)]
    upper = vertebra(Level.L4, plane(27, 27), axes=axes[0], at_mm=(0, 0, 40))
    (disc,) = measure_discs(spine(upper, vertebra(Level.L5, plane(27, 27), axes=axes[1])))
    # Over three quarters of 32 mm of depth, 10 degrees.
    assert disc.anterior.value - disc.posterior.value == pytest.approx(0.75 * 32 * np.tan(2 * lean), rel=0.08)


def test_every_height_has_a_band_between_readers_and_names_both_levels():
    found = disc_findings(measure_discs(pair()))
    assert [finding.code for finding in found] == [f"disc_{kind}_height" for kind in KINDS]
    for finding in found:
        assert (finding.level, finding.condition, finding.unit) == (Level.L1, "L1-L2", "mm")
        assert finding.unit == catalogue()[finding.code].unit
        assert finding.high - finding.value == pytest.approx(finding.value - finding.low)
        assert finding.high - finding.value > 1.96 and "between readers; repeatability" in finding.method


def test_coarse_slices_missing_levels_and_missing_endplates_leave_gaps_with_their_reason():
    coarse = measure_discs(pair(label_edges_mm=(1.0, 1.0, 6.0)))
    assert not disc_findings(coarse)
    reasons = [gap.reason for gap in disc_gaps(coarse, [Level.L1, Level.L2]) if gap.level is Level.L1]
    assert len(reasons) == 3 and all("cannot carry the height of a disc" in reason for reason in reasons)
    alone = Gap(code="disc_middle_height", level=Level.L2, reason="the level below is not in the labels")
    assert alone in disc_gaps(coarse, [Level.L1, Level.L2])
    (cut,) = measure_discs(pair(superior=None))
    assert cut.middle.value is None and cut.middle.reason == "no upper endplate of L2"


def test_bands_hold_the_truth_of_a_digital_spine():
    labels, truth = make_labels(
        PhantomSpec(levels=(Level.L3, Level.L4, Level.L5), spacing_mm=(1.5, 1.5, 1.5), tilt_deg=(6.0, -4.0, 5.0))
    )
    discs = measure_discs(locate_vertebrae(labels))
    assert len(discs) == 2
    for disc in discs:
        true = disc_heights(truth.levels[disc.upper], truth.levels[disc.lower])
        for kind, value in zip(KINDS, true, strict=True):
            measured = getattr(disc, kind)
            assert abs(measured.value - value) <= 1.96 * measured.sd, (disc.upper, kind)
