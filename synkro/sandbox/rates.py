"""Request rates as the vendors count them: so many within any second."""

from __future__ import annotations

import threading
import time
from collections import deque

_SPAN_S = 0.95
"""A little under a second: requests sent exactly a second apart may arrive closer than that."""


class Rate:
    """Counts the requests let through within the last second. Refused ones do not count."""

    def __init__(self) -> None:
        self._taken: deque[float] = deque()
        self._lock = threading.Lock()

    def allow(self, per_second: int) -> bool:
        """Take one place of `per_second` if one is free; 0 means no limit, and nothing is counted."""
        if not per_second:
            return True
        now = time.monotonic()
        with self._lock:
            while self._taken and self._taken[0] <= now - _SPAN_S:
                self._taken.popleft()
            if len(self._taken) >= per_second:
                return False
            self._taken.append(now)
            return True
