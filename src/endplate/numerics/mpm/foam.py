"""The law of crushable foam: what modulus and yield follow from density, and what crushing leaves of them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ELASTIC, FOAM, J2 = 0, 1, 2
"""Kinds of points: never yielding, crushable foam, yielding by shape alone at constant volume."""

MIN_DENSITY = 1e-4
"""g/cm3: keeps powers of the density finite in points that carry next to nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FoamLaw:
    """Deshpande-Fleck foam whose yield follows its own density, with a loss of cohesion after crushing.

    Attributes
    ----------
    modulus_mpa, modulus_power : E = modulus_mpa * rho ** modulus_power, rho in g/cm3.
    strength_mpa, strength_power : uniaxial crushing strength Y = strength_mpa * rho ** strength_power.
    poisson : elastic. pressure_weight : alpha squared of the ellipse; 4.5 lets crushed foam spread nowhere sideways
    (plastic Poisson's ratio 0).
    cohesion : hydrostatic strength in tension over that in compression, of sound foam. lost_cohesion : of crushed foam.
    cohesion_strain : equivalent plastic strain over which it is lost; infinite for never.
    crush_factor : share of Y left after crushing (the plateau). crush_strain : plastic strain over which Y falls to it.
    compaction_power : Y grows with (rho / rho before) to this power; None for `strength_power`, as if compacted foam
    were intact foam of its density. loosening_power : the same below the density before, for foam that has lost its
    cohesion: its fragments were pulled apart and carry little until they touch again; None as above.
    gap_strain : broken foam that was pulled apart along the last axis carries no compression along it until it is
    closed again: beyond a stretch of 1 + gap_free its strength that way falls by e for every gap_strain, down to
    gap_floor of it, and comes back as it closes. A smeared crack across that axis; what closes is the whole opening,
    however many voxels it is spread over, so that it does not depend on the grid. None for none.
    weak_plane : cohesion is lost across the last axis alone. Crushing opens planes across it: what was crushed is
    pulled apart along it by the tension that `lost_cohesion` leaves, and is whole in every other direction, as the
    joint of a jointed rock is. Without it cohesion is lost in all directions.
    across : strength across the last axis over that along it; its square is the share of the modulus. Stress and
    strain are scaled so that the foam is isotropic in what they become. 1 for a foam alike in all directions.
    stiffness_loss : share of E that crushing takes, over `cohesion_strain`.
    friction : M of q <= M p + 3 k Y; None for no such limit. density_cap : g/cm3 beyond which Y and E grow no more.

    Source: Deshpande & Fleck, J Mech Phys Solids 2000; the shifted ellipse is that of "crushable foam, volumetric
    hardening" with the tensile strength lost by damage.
    """

    modulus_mpa: float
    modulus_power: float
    strength_mpa: float
    strength_power: float
    poisson: float = 0.3
    pressure_weight: float = 4.5
    cohesion: float = 0.9
    lost_cohesion: float = 0.03
    cohesion_strain: float = 0.04
    crush_factor: float = 1.0
    crush_strain: float = 0.04
    compaction_power: float | None = None
    loosening_power: float | None = None
    gap_strain: float | None = None
    gap_free: float = 0.01
    gap_floor: float = 0.02
    weak_plane: bool = False
    across: float = 1.0
    stiffness_loss: float = 0.5
    friction: float | None = None
    density_cap: float = 1.3

    def __post_init__(self) -> None:
        if not 0 < self.lost_cohesion <= self.cohesion <= 1:
            raise ValueError(f"cohesion must fall within (0, 1], got {self.cohesion} to {self.lost_cohesion}")
        if not (0 < self.crush_factor <= 1 and 0 <= self.stiffness_loss < 1):
            raise ValueError("crush_factor must be in (0, 1] and stiffness_loss in [0, 1)")
        if self.gap_strain is not None and not (
            self.gap_strain > 0 and 0 <= self.gap_free < 1 and 0 < self.gap_floor < 1
        ):
            raise ValueError("gap_strain must be positive, gap_free in [0, 1) and gap_floor in (0, 1)")
        if not 0 < self.across <= 1:
            raise ValueError(f"across must fall within (0, 1], got {self.across}")
        if self.pressure_weight <= 0 or not 0 <= self.poisson < 0.5:
            raise ValueError("pressure_weight must be positive and poisson in [0, 0.5)")

    @property
    def shape_factor(self) -> float:
        """Beta = 1 + alpha ** 2 / 9 of the ellipse."""
        return 1 + self.pressure_weight / 9

    @property
    def growth(self) -> float:
        """Power of the growth of yield with compaction."""
        return self.strength_power if self.compaction_power is None else self.compaction_power

    @property
    def loosening(self) -> float:
        """Power of the fall of yield below the density before, of foam without cohesion."""
        return self.growth if self.loosening_power is None else self.loosening_power

    def lost(self, hardening: NDArray[np.float64]) -> NDArray[np.float64]:
        """Share (n,) of the cohesion that plastic strains (n,) have taken, 0 to 1."""
        return np.asarray(-np.expm1(-hardening / self.cohesion_strain))

    def modulus(self, density: NDArray[np.float64], hardening: NDArray[np.float64]) -> NDArray[np.float64]:
        """E (n,) MPa at densities (n,) g/cm3 and plastic strains (n,)."""
        rho = np.clip(density, MIN_DENSITY, self.density_cap)
        return self.modulus_mpa * rho**self.modulus_power * (1 - self.stiffness_loss * self.lost(hardening))

    def strength(
        self, density: NDArray[np.float64], before: NDArray[np.float64], hardening: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        """Y (n,) MPa at densities (n,), densities before any strain (n,) and plastic strains (n,)."""
        first = np.clip(before, MIN_DENSITY, self.density_cap)
        rho = np.clip(density, MIN_DENSITY, self.density_cap)
        left = self.crush_factor + (1 - self.crush_factor) * np.exp(-hardening / self.crush_strain)
        packing = rho / first
        apart = self.growth + (self.loosening - self.growth) * self.lost(hardening)
        power = np.where(packing < 1, apart, self.growth)
        return left * self.strength_mpa * first**self.strength_power * packing**power

    def cohesion_left(self, hardening: NDArray[np.float64]) -> NDArray[np.float64]:
        """k (n,) after plastic strains (n,)."""
        return self.cohesion - (self.cohesion - self.lost_cohesion) * self.lost(hardening)

    def packed(self) -> NDArray[np.float64]:
        """(14,) what the compiled return needs: Poisson, alpha squared, beta, growth, friction (negative: none), cap,
        loosening, cohesion before and after crushing, gap strain (0: none), free gap and floor, strength across, weak
        plane (0 or 1)."""
        friction = -1.0 if self.friction is None else self.friction
        return np.array(
            [
                self.poisson,
                self.pressure_weight,
                self.shape_factor,
                self.growth,
                friction,
                self.density_cap,
                self.loosening,
                self.cohesion,
                self.lost_cohesion,
                self.gap_strain or 0.0,
                self.gap_free,
                self.gap_floor,
                self.across,
                float(self.weak_plane),
            ]
        )
