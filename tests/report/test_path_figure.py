"""Path pictures say which side is which, draw the needle at its true width, and mark what it breaks."""

import re
from dataclasses import replace

import numpy as np
import pytest

from endplate.anatomy.locate import locate_vertebrae
from endplate.image.phantom import PhantomSpec, make_phantom
from endplate.level import Level
from endplate.repair.access import PathSettings, plan_access
from endplate.repair.access.access_result import Breach
from endplate.report.figure.path_needle import BREACH_COLOUR, SIDE_COLOUR
from endplate.report.figure.path_planes import PER_MM, path_figures
from endplate.report.figure.path_solid import solid_figures


@pytest.fixture(scope="module")
def planned():
    phantom = make_phantom(
        PhantomSpec(levels=(Level.L1, Level.L2), spacing_mm=(1.5, 1.5, 1.5), field_mm=(110.0, 150.0), seed=4711)
    )
    spine = locate_vertebrae(phantom.labels, phantom.volume)
    vertebra = spine.at(Level.L2)
    access = plan_access(spine, vertebra, "kyphoplasty", PathSettings(sides="both"), phantom.volume)
    return phantom, vertebra, access


def shafts(figure):
    """Corners of every closed outline: a place, then steps from corner to corner."""
    steps = [re.findall(r"-?[\d.]+", d) for d in re.findall(r'<path d="([^"]+Z)"', figure)]
    return [np.cumsum(np.array(one, float).reshape(-1, 2), axis=0) for one in steps]


def test_three_planes_show_sides_and_clearances(planned):
    phantom, vertebra, access = planned
    left = access.paths[0]
    above, side, across = path_figures(left, vertebra, phantom.volume)
    assert 'data-side="right"' in above and 'data-side="front"' in side
    assert f"medial (canal) {left.clearance_mm['medial']:.1f}" in above and "endplates" in side
    assert "L2 left" in across and SIDE_COLOUR["left"] in across


def test_the_needle_is_drawn_at_its_true_width(planned):
    phantom, vertebra, access = planned
    left = access.paths[0]
    figure = path_figures(left, vertebra, phantom.volume)[1]
    inner = shafts(figure)[-1]
    spread = np.linalg.svd(inner - inner.mean(axis=0))[2]
    assert np.ptp(inner @ spread[1]) == pytest.approx(left.needle.outer_mm * PER_MM, rel=0.03)


def test_a_breach_is_crossed_out(planned):
    phantom, vertebra, access = planned
    left = access.paths[0]
    at = tuple(float(value) for value in (left.entry_mm + left.target_mm) / 2)
    broken = replace(left, breaches=(Breach(wall="medial", depth_mm=2.0, at_mm=at),))
    assert BREACH_COLOUR not in path_figures(left, vertebra, phantom.volume)[0]
    assert BREACH_COLOUR in path_figures(broken, vertebra, phantom.volume)[0]


def test_the_solid_has_both_needles_on_their_sides(planned):
    _, vertebra, access = planned
    behind, _, above = solid_figures(access, vertebra)
    for figure in (behind, above):
        assert figure.index('data-side="left"') < figure.index('data-side="right"')
        left, right = shafts(figure)[0], shafts(figure)[2]
        assert left[:, 0].mean() < right[:, 0].mean()


def test_without_a_scan_the_shapes_stand_in(planned):
    _, vertebra, access = planned
    assert "image/png" in path_figures(access.paths[0], vertebra)[0]
