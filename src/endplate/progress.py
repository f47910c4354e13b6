"""How far the work is: one type for every stage, command and notebook."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple, Protocol

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

Progress = Callable[[str, float, str], None]
"""Called with the stage, the fraction of it done (0..1) and what it is doing now."""

Share = Callable[[float], None]
"""Called inside one stage with the fraction of it done (0..1); the stage adds its own name."""


class Sight(NamedTuple):
    """What a running stage has made so far, as a picture of it needs it.

    Attributes
    ----------
    kind : str
        "cement" or "cavity" (the balloons with what they hold).
    share : ndarray
        (I, J, K) 0..1 of each voxel, of its pores where it is cement.
    affine : ndarray
        (4, 4) from index to LPS mm.
    """

    kind: str
    share: NDArray[np.float32]
    affine: NDArray[np.float64]


Look = Callable[[], Sight]
"""Makes a sight of the present state; it costs some time, so it is called only by who wants to look."""


class Watcher(Protocol):
    """A `Progress` that also takes readings, and looks at what is being made."""

    def __call__(self, stage: str, fraction: float, detail: str, /) -> None:
        """Report progress: see `Progress`."""

    def read(self, stage: str, volume_ml: float, pressure_mpa: float) -> None:
        """Be told the volume (mL) and the pressure (MPa) that a stage has reached."""

    def see(self, stage: str, look: Look) -> None:
        """Be offered a look at the present state of a stage."""


class Gauge:
    """A share of one stage that also shows volume and pressure, where what runs inside reads them.

    Where `tell` is a `Watcher`, it is given each reading as numbers and offered a look; the text is for people.

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
        """Take a reading, mL and MPa; its text is shown from the next report on."""
        self._reading = f" {volume_ml:.2f} mL {pressure_mpa:.3f} MPa"
        take = getattr(self.tell, "read", None)
        if take is not None:
            take(self.stage, volume_ml, pressure_mpa)

    def see(self, look: Look) -> None:
        """Offer a look at the present state to whoever is told."""
        watch = getattr(self.tell, "see", None)
        if watch is not None:
            watch(self.stage, look)


def read_gauge(share: Share, volume_ml: float, pressure_mpa: float) -> None:
    """Give a reading to a share that shows one; others have no use for it."""
    if isinstance(share, Gauge):
        share.read(volume_ml, pressure_mpa)


def offer_look(share: Share, look: Look) -> None:
    """Offer a look at the present state to a share that passes one on; others have no use for it."""
    if isinstance(share, Gauge):
        share.see(look)


def silent(stage: str, fraction: float, detail: str) -> None:
    """Report nothing: what is called where nobody asked."""
