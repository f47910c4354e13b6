"""How often somebody may try: few sign-ins in a while, counted for the name and for the address it comes from."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

MOST, WITHIN_S = 5, 300.0
MOST_KEYS = 10_000


@dataclass(slots=True)
class Rate:
    """Counts failures by key.

    Attributes
    ----------
    most, within_s : so many failures within so many seconds; after that the key waits.
    """

    most: int = MOST
    within_s: float = WITHIN_S
    clock: Callable[[], float] = time.monotonic
    _failed: dict[str, deque[float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def waits(self, *keys: str) -> float:
        """Seconds until any of these keys may try again; 0 where all may now."""
        moment = self.clock()
        with self._lock:
            return max((self._wait(key, moment) for key in keys), default=0.0)

    def failed(self, *keys: str) -> None:
        """Count a failure."""
        moment = self.clock()
        with self._lock:
            if len(self._failed) > MOST_KEYS:
                self._failed = {key: times for key, times in self._failed.items() if self._wait(key, moment) > 0}
            for key in keys:
                self._failed.setdefault(key, deque(maxlen=self.most)).append(moment)

    def passed(self, *keys: str) -> None:
        """Forget the failures of a key."""
        with self._lock:
            for key in keys:
                self._failed.pop(key, None)

    def _wait(self, key: str, moment: float) -> float:
        times = self._failed.get(key)
        if times is None or len(times) < self.most:
            return 0.0
        return max(0.0, times[0] + self.within_s - moment)
