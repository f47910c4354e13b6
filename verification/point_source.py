"""Injection from a point into even bone, where everything is known in closed form."""

from __future__ import annotations

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from endplate.numerics.porous_flow.body import porous_body
from endplate.numerics.porous_flow.front import Flow, FrontSolver, Source
from endplate.numerics.porous_flow.needle_source import place_tip, tip_pressure_mpa
from endplate.numerics.porous_flow.rheology import pore_viscosity, radial_drop_mpa

HALF_MM = 14.5
NEEDLE_RADIUS_MM = 1.3
FLOW_MM3_S = 100.0
VOLUME_MM3 = 4000.0
CONSISTENCY_MPA_S = 200e-6
PERMEABILITY_MM2 = 0.03
POROSITY, UPTAKE = 0.9, 0.9
OFF_CENTRE = np.array([0.13, 0.31, -0.22])
"""Tip beside the voxels' centres, in voxels: no check may live on symmetry."""


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Ball:
    """What came of an injection.

    Attributes
    ----------
    radius_mm : front along 2006 directions, the first six along the axes. expected_mm : of the closed form.
    drop_error : relative errors of the pressure drop at every step whose front is beyond two needle radii
    and three voxels. seconds : from the bone to the last pressure.
    """

    radius_mm: NDArray[np.float64]
    expected_mm: float
    drop_error: NDArray[np.float64]
    volume_error: float
    seconds: float

    @property
    def mean_error(self) -> float:
        """Relative error of the mean radius."""
        return float(self.radius_mm.mean() / self.expected_mm - 1)

    @property
    def worst_error(self) -> float:
        """Largest relative error of the radius over all directions."""
        return float(np.abs(self.radius_mm / self.expected_mm - 1).max())

    @property
    def axis_ratio(self) -> float:
        """Extent across the third axis over the extent along it."""
        return float(self.radius_mm[:4].mean() / self.radius_mm[4:6].mean())


def inject_point(
    voxel_mm: float, exponent: float, steps: int, anisotropy: tuple[float, float, float] = (1.0, 1.0, 1.0)
) -> Ball:
    """Inject 4 mL at 0.1 mL/s from a point into even bone of k = 3e-8 m2, porosity 0.9."""
    start = time.perf_counter()
    n = int(2 * HALF_MM / voxel_mm)
    even = np.ones((n, n, n))
    body = porous_body(
        spacing_mm=voxel_mm,
        exponent=exponent,
        filled=even,
        porosity=POROSITY * even,
        uptake=UPTAKE * even,
        permeability_mm2=PERMEABILITY_MM2 * even,
        anisotropy=anisotropy,
    )
    tip = place_tip(body, np.full(3, (n - 1) / 2) + OFF_CENTRE, NEEDLE_RADIUS_MM)
    if tip is None:
        raise RuntimeError("the tip lies outside the block")
    duration = VOLUME_MM3 / FLOW_MM3_S / steps
    thick = np.full(body.capacity_mm3.size, CONSISTENCY_MPA_S)
    mean_k = PERMEABILITY_MM2 * float(np.prod(anisotropy)) ** (1 / 3)
    resistance = CONSISTENCY_MPA_S * float(pore_viscosity(np.array(mean_k), np.array(POROSITY), exponent)) / mean_k
    stepper, flow, errors = FrontSolver(body), Flow.empty(body), []
    for step in range(steps):
        source = Source(cells=tip.cells, flow_mm3_s=FLOW_MM3_S * tip.share, time_s=step * duration, duration_s=duration)
        flow = stepper.step(flow, source, thick)
        radius = front_radius_mm((step + 1) * duration)
        if radius > max(2 * NEEDLE_RADIUS_MM, 3 * voxel_mm):
            got = tip_pressure_mpa(body, tip, flow.pressure, flow.full, FLOW_MM3_S, CONSISTENCY_MPA_S)
            exact = radial_drop_mpa(resistance, FLOW_MM3_S, exponent, NEEDLE_RADIUS_MM, radius)
            errors.append(got / exact - 1)
    seconds = time.perf_counter() - start
    held = float((flow.saturation * body.capacity_mm3).sum())
    return Ball(
        radius_mm=radii(body.unflat(flow.saturation), tip.index, voxel_mm),
        expected_mm=front_radius_mm(VOLUME_MM3 / FLOW_MM3_S),
        drop_error=np.array(errors),
        volume_error=held / VOLUME_MM3 - 1,
        seconds=seconds,
    )


def front_radius_mm(time_s: float) -> float:
    """R = (3 Q t / (4 pi phi S))^(1/3)."""
    return float((3 * FLOW_MM3_S * time_s / (4 * np.pi * POROSITY * UPTAKE)) ** (1 / 3))


def radii(saturation: NDArray[np.float64], centre: NDArray[np.float64], voxel_mm: float) -> NDArray[np.float64]:
    """Radius of the front along the six axes and 2000 random directions: saturation summed along rays."""
    directions = np.random.default_rng(4711).normal(size=(2000, 3))
    directions = np.vstack([np.kron(np.eye(3), [[1], [-1]]), directions])
    directions /= np.linalg.norm(directions, axis=1)[:, None]
    step = voxel_mm / 10
    along = np.arange(0, HALF_MM - 1, step) + step / 2
    at = centre[:, None, None] + directions.T[:, :, None] * along / voxel_mm
    return np.asarray(ndimage.map_coordinates(saturation, at, order=1, mode="nearest").sum(axis=-1) * step)
