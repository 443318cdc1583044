"""The five vendors around a company of any size: `python -m benchmarks.stand_ins STATE NOW LEADS CHATS MESSAGES`."""

from __future__ import annotations

import json
import signal
import sys
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from synkro.sandbox.big import big_world
from synkro.sandbox.server import Sandbox
from synkro.sandbox.world import World


@dataclass(frozen=True, slots=True)
class Size:
    """messages: in each chat. All of it lies within the day before now."""

    leads: int
    chats: int
    messages: int

    def world(self, now: datetime) -> World:
        return big_world(self.leads, self.chats, self.messages, now)


def main(state: str, now: str, *numbers: str) -> None:
    """Serve until told to end. The file STATE gets the base URLs as JSON as soon as all five listen."""
    told_to_end = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: told_to_end.set())
    sandbox = Sandbox(Size(*map(int, numbers)).world(datetime.fromisoformat(now)))
    draft = Path(state).with_suffix(".new")
    draft.write_text(json.dumps(sandbox.urls), encoding="utf-8")
    draft.replace(state)
    told_to_end.wait()
    sandbox.stop()


if __name__ == "__main__":
    main(*sys.argv[1:])
