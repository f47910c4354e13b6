"""How far the work is: one type for every stage, command and notebook."""

from __future__ import annotations

from collections.abc import Callable

Progress = Callable[[str, float, str], None]
"""Called with the stage, the fraction of it done (0..1) and what it is doing now."""

Share = Callable[[float], None]
"""Called inside one stage with the fraction of it done (0..1); the stage adds its own name."""


class Gauge:
    """A share of one stage that also shows volume and pressure, where what runs inside reads them.

    Parameters
    ----------
    tell : Progress
        Called with the stage, the fraction, and "name 1.20 mL 0.350 MPa".
    stage, name : str
        The stage, and what runs in it.
    """

    def __init__(self, tell: Progress, stage: str, name: str) -> None:
        self.tell, self.stage, self.name, self._reading = tell, stage, name, ""

    def __call__(self, fraction: float) -> None:
        """Report the fraction with the last reading."""
        self.tell(self.stage, fraction, self.name + self._reading)

    def read(self, volume_ml: float, pressure_mpa: float) -> None:
        """Take a reading; it is shown from the next report on."""
        self._reading = f" {volume_ml:.2f} mL {pressure_mpa:.3f} MPa"


def read_gauge(share: Share, volume_ml: float, pressure_mpa: float) -> None:
    """Give a reading to a share that shows one; others have no use for it."""
    if isinstance(share, Gauge):
        share.read(volume_ml, pressure_mpa)


def silent(stage: str, fraction: float, detail: str) -> None:
    """Report nothing: what is called where nobody asked."""
