"""Medians, ratios and how they are printed; and what machine they come from."""

from __future__ import annotations

import os
import platform
from collections.abc import Sequence
from pathlib import Path
from statistics import median, quantiles


def spread(values: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    return median(values), quantiles(values, n=20)[-1]


def title(text: str) -> None:
    print(f"\n{text}\n{'-' * len(text)}", flush=True)


def line(name: str, value: str) -> None:
    print(f"  {name:<58} {value:>24}", flush=True)


def machine() -> None:
    title("Machine")
    line("system", f"{platform.system()} {platform.release()[:16]}")
    line("processor", _first(Path("/proc/cpuinfo"), "model name") or platform.machine())
    line("processors for us", str(len(os.sched_getaffinity(0))))
    line("memory", f"{int(_first(Path('/proc/meminfo'), 'MemTotal').split()[0]) // 1024} MB")
    line("Python", platform.python_version())
    line("load average before the start", f"{os.getloadavg()[0]:.2f}")


def _first(path: Path, name: str) -> str:
    """The value of the first `name: value` in a file of /proc; empty when there is none."""
    for row in path.read_text().splitlines():
        key, _, value = row.partition(":")
        if key.strip() == name:
            return value.strip()
    return ""
