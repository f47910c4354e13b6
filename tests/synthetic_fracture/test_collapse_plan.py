"""What may be asked for, which vertebra may be crushed, and where each shape loses its height."""

from __future__ import annotations

import numpy as np
import pytest
from tests.support.squeezed_spine import measured

from endplate.errors import LabelError, OptionError
from endplate.finding import Caution
from endplate.fracture.height.morphometry import measure_heights
from endplate.level import Level
from endplate.synthetic_fracture.eligibility import intact_vertebra
from endplate.synthetic_fracture.heights import heights_of, intact_body
from endplate.synthetic_fracture.plan import Collapse, lowering

ACROSS, ALONG = np.meshgrid(np.linspace(-1, 1, 21), np.linspace(0, 1, 21), indexing="ij")


@pytest.mark.parametrize("shape", ["wedge", "biconcave", "crush"])
def test_left_and_right_are_pressed_alike(shape) -> None:
    for plate in lowering(shape, ACROSS, ALONG):
        assert np.allclose(plate, plate[::-1])


def test_a_wedge_is_pressed_in_front_and_not_behind() -> None:
    down, up = lowering("wedge", ACROSS, ALONG)
    assert (np.diff(down, axis=1) <= 0).all()
    assert down[10, 0] > 1
    assert down[10, -1] == 0
    assert not up.any()


def test_a_biconcave_body_is_pressed_in_the_middle_and_keeps_its_rim() -> None:
    down, up = lowering("biconcave", ACROSS, ALONG)
    assert down[10, 10] + up[10, 10] == pytest.approx(1)
    assert down[0, 10] == down[10, 0] == down[10, -1] == 0


@pytest.mark.parametrize("loss", [0.04, 0.61, float("nan")])
def test_a_loss_out_of_range_is_refused(loss) -> None:
    with pytest.raises(OptionError, match="out of range"):
        Collapse(level=Level.L1, shape="wedge", loss=loss)


def test_only_an_intact_level_that_is_there_may_be_crushed() -> None:
    sound, broken = measured(), measured(broken=True)
    assert intact_vertebra(Level.L2, sound.spine, sound.fractures, sound.densities).level is Level.L2
    with pytest.raises(LabelError, match="T12 is not in the labels; they hold L1, L2, L3; name one of these"):
        intact_vertebra(Level.T12, sound.spine, sound.fractures, sound.densities)
    with pytest.raises(LabelError, match="already deformed"):
        intact_vertebra(Level.L2, broken.spine, broken.fractures, broken.densities)


def test_metal_beside_a_level_forbids_crushing_it() -> None:
    sound = measured()
    given = Level.L2, sound.spine, sound.fractures, sound.densities
    streaks = Caution(code="metal", level=Level.L2, text="metal in the slices of L2")
    with pytest.raises(LabelError, match="L2 cannot be crushed; metal in the slices of L2"):
        intact_vertebra(*given, [streaks])
    assert intact_vertebra(*given, [Caution(code="metal", level=Level.L3, text="metal at L3")]).level is Level.L2


def test_heights_between_material_endplates_are_those_of_the_morphometry() -> None:
    vertebra = measured().spine.at(Level.L2)
    body = intact_body(vertebra)
    expected = measure_heights(vertebra)
    found = heights_of(body.surfaces, body.extent)
    assert found == pytest.approx([expected.anterior.value, expected.middle.value, expected.posterior.value], abs=0.4)
