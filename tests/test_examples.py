"""Every example runs from its first line to its last, draws its picture, and ends with the number that it promises."""

from __future__ import annotations

import ast
import math
import runpy
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

matplotlib = pytest.importorskip("matplotlib", reason="matplotlib is not installed: pip install -e '.[dev]'")

FOLDER = Path(__file__).resolve().parents[1] / "examples"


@dataclass(frozen=True)
class Pin:
    """What an example must end with: value, how far it may be off, and why that value."""

    value: float
    within: float
    why: str
    slow: bool = False


PINS = {
    "plot_balloon_in_foam": Pin(
        1.0, 0.04, "the solution along the radius, as R10.3 of the acceptance table", slow=True
    ),
    "plot_cement_injection": Pin(0.0, 0.05, "closed form of the pressure drop, as R11 of the acceptance table"),
    "plot_convergence_rate": Pin(2.0, 0.05, "trilinear elements converge with the square of their edge"),
    "plot_density_and_calibration": Pin(110.0, 6.0, "the density that was built into L2"),
    "plot_elasticity_in_20_lines": Pin(0.0, 1e-8, "trilinear elements meet the parabola at every node"),
    "plot_expected_course": Pin(3.44, 1e-9, "8 points times 0.43, the trials' fraction at a month"),
    "plot_heights_and_grades": Pin(0.45, 0.04, "the loss that was built into L2"),
    "plot_multigrid_with_scipy": Pin(37, 3, "iterations on 2026-11-30; rounding moves it by one or two"),
    "plot_needle_trajectory": Pin(1.745, 0.2, "clearance on 2026-11-30, within a fifth of a voxel"),
    "plot_read_and_assess": Pin(16.1, 0.7, "within its band of the height that was built, 16.1 mm"),
    "plot_rule_verdicts": Pin(7, 0, "NICE TA279 asks for severe pain; severe is 7 and more"),
    "plot_strength_curve": Pin(1836, 0.05 * 1836, "failure load on 2026-11-30 at voxels of 3 mm"),
    "plot_synthetic_fracture": Pin(
        0.30, 0.03, "the loss that was asked for, within the error of a height ratio", slow=True
    ),
}


@pytest.fixture(autouse=True)
def without_a_screen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    import matplotlib.pyplot as plt

    monkeypatch.setenv("MPLBACKEND", "Agg")
    plt.switch_backend("Agg")
    monkeypatch.chdir(tmp_path)
    yield
    plt.close("all")


def test_every_example_is_pinned() -> None:
    assert {path.stem for path in FOLDER.glob("*.py")} == set(PINS)
    assert len(PINS) >= 10


@pytest.mark.parametrize("name", PINS)
def test_an_example_opens_with_a_title_and_a_paragraph(name: str) -> None:
    words = ast.get_docstring(ast.parse((FOLDER / f"{name}.py").read_text(encoding="utf-8"))) or ""
    title, rule, *rest = words.splitlines()
    assert rule == "=" * len(title)
    assert len(" ".join(rest).split()) > 15


@pytest.mark.parametrize(
    "name", [pytest.param(n, marks=pytest.mark.slow) if pin.slow else n for n, pin in PINS.items()]
)
def test_an_example_ends_with_its_number(name: str) -> None:
    import matplotlib.pyplot as plt

    pin = PINS[name]
    found = runpy.run_path(str(FOLDER / f"{name}.py"))["pinned"]
    assert abs(found - pin.value) <= pin.within, f"{found}, not {pin.value}: {pin.why}"
    assert any(axes.has_data() for number in plt.get_fignums() for axes in plt.figure(number).axes)


def test_the_pressures_along_the_radius_are_those_that_the_example_prints() -> None:
    from verification.cavity_expansion import expand_cavity

    from endplate.numerics.mpm.foam import FoamLaw

    law = FoamLaw(
        modulus_mpa=2980, modulus_power=1.05, strength_mpa=37.4, strength_power=1.39, cohesion_strain=math.inf
    )
    found = expand_cavity(law, 0.12, 3.0, 60.0, [200.0, 300.0, 400.0, 500.0], shells=60).pressure_mpa
    assert str([round(float(pressure), 3) for pressure in found]) in (FOLDER / "plot_balloon_in_foam.py").read_text()
