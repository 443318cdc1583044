"""Run the practice world: `python -m synkro.sandbox --state FILE`. Ends at SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import json
import signal
import threading
from datetime import UTC, datetime
from pathlib import Path

from synkro.sandbox.demo.world import demo_world
from synkro.sandbox.server import Sandbox


def main() -> None:
    """Serve until told to end; FILE gets {kind: base URL} as soon as all listen, and is removed at the end."""
    parser = argparse.ArgumentParser(prog="python -m synkro.sandbox", description=__doc__)
    parser.add_argument(
        "--state", type=Path, required=True, metavar="FILE", help="where to write the base URLs as JSON"
    )
    state: Path = parser.parse_args().state
    told_to_end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told_to_end.set())
    sandbox = Sandbox(demo_world(datetime.now(UTC)))
    _write(state, sandbox.urls)
    told_to_end.wait()
    state.unlink(missing_ok=True)
    sandbox.stop()


def _write(state: Path, urls: dict[str, str]) -> None:
    draft = state.with_name(f"{state.name}.new")
    draft.write_text(json.dumps(urls), encoding="utf-8")
    draft.replace(state)


if __name__ == "__main__":
    main()
