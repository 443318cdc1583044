"""make bench: `python -m benchmarks [gap] [poll] [run] [memory] [first]`; without a name, all of them."""

from __future__ import annotations

import argparse
import sys
import time

from benchmarks import first_report, gap, memory, poll, whole_run
from benchmarks.figures import line, machine, title

PARTS = {
    "gap": gap.measure,
    "poll": poll.measure,
    "run": whole_run.measure,
    "memory": memory.measure,
    "first": first_report.measure,
}


def main() -> int:
    """0 when every limit that has to hold was measured and does hold."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("parts", nargs="*", choices=[[], *PARTS], metavar=" | ".join(PARTS))
    chosen = parser.parse_args().parts or list(PARTS)
    machine()
    began = time.monotonic()
    holds = [PARTS[name]() for name in chosen]
    title("All")
    line("time", f"{time.monotonic() - began:.0f} s")
    return 0 if all(holds) else 1


if __name__ == "__main__":
    sys.exit(main())
