"""The books of a run: energy, injected volume and mass."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(slots=True)
class EnergyBalance:
    """Energies in N mm since the start.

    Attributes
    ----------
    external : work of reactions, loads and pressure. stored : elastic energy of points, membranes and springs now.
    dissipated : plastic work. softened : stored energy that went as moduli fell (gained, when negative).
    void : work against the resistance of the void. injected_mm3 : change of all balloon volumes.
    mass_mg : of all points. steps, iterations : so far. loose_steps : that counted above the tolerance.
    """

    external: float = 0.0
    stored: float = 0.0
    dissipated: float = 0.0
    softened: float = 0.0
    void: float = 0.0
    injected_mm3: float = 0.0
    mass_mg: float = 0.0
    steps: int = 0
    iterations: int = 0
    loose_steps: int = 0

    @property
    def unaccounted(self) -> float:
        """External work that is neither stored nor dissipated, N mm."""
        return self.external - self.stored - self.dissipated - self.softened - self.void

    @property
    def turnover(self) -> float:
        """Energy that was handled, N mm: the scale to judge what is unaccounted by."""
        return abs(self.stored) + abs(self.dissipated) + abs(self.void)

    @property
    def energy_error(self) -> float:
        """Unaccounted share."""
        return self.unaccounted / self.turnover if self.turnover > 0 else 0.0
