"""No process outlives the one that started it, not even one that was killed."""

from __future__ import annotations

import ctypes
import os
import signal
import sys
from collections.abc import Callable

PR_SET_PDEATHSIG = 1
_prctl = ctypes.CDLL(None).prctl if sys.platform == "linux" else None
"""Looked up before any fork: between fork and exec as little as possible may happen."""


def bound_to_us() -> Callable[[], None]:
    """For preexec_fn of Popen: the child gets SIGTERM when this process ends, however that comes about.

    Linux only; elsewhere nothing happens. Start children from the main thread: the kernel watches the thread.
    """
    parent = os.getpid()

    def bind() -> None:
        if _prctl is None:
            return
        _prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
        if os.getppid() != parent:  # it has ended already
            os._exit(1)

    return bind
