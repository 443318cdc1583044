"""The steps on the terminal while they run."""

from __future__ import annotations

import sys
import time
import uuid

from flask_babel import force_locale

from synkro.cli.words import as_json
from synkro.models.plan import step_of
from synkro.models.states import ACTIVE_RUN
from synkro.services.reports import runs
from synkro.tenancy import end_reading, tenant_scope

MARKS = {"done": "✓", "running": "▸", "ready": "▸", "pending": "·", "failed": "✗", "cancelled": "–", "skipped": "–"}
PAUSE_SECONDS = 0.25


def follow(tenant_id: uuid.UUID, run_id: uuid.UUID, seconds: float) -> dict[str, object]:
    """Show the run until it ends or the time is up; its last state in the shape of `runs show --json`."""
    ends = time.monotonic() + seconds
    drawn = 0
    while True:
        with tenant_scope(tenant_id):
            run = runs.find(run_id)
            if run is None:
                raise LookupError(run_id)
            state = as_json(run)
            end_reading()
        over = state["status"] not in ACTIVE_RUN or time.monotonic() > ends
        if sys.stdout.isatty() or over:
            with force_locale("en"):  # as the rest of the terminal; what a step says is in the company's language
                drawn = _draw(state["steps"], drawn)
        if over:
            return state
        time.sleep(PAUSE_SECONDS)


def _draw(steps: list[dict[str, object]], drawn: int) -> int:
    """Over the lines of the last time, where the terminal can."""
    if drawn and sys.stdout.isatty():
        sys.stdout.write(f"\x1b[{drawn}F")
    for step in steps:
        line = _line(step)
        sys.stdout.write(f"\x1b[2K{line}\n" if sys.stdout.isatty() else f"{line}\n")
    sys.stdout.flush()
    return len(steps)


def _line(step: dict[str, object]) -> str:
    count = f"{step['done']}/{step['total']}" if step["total"] else ""
    seconds = f"{step['seconds']:.1f} s" if step["seconds"] is not None else ""
    title = str(step_of(str(step["key"])).title)
    return f"  {MARKS[str(step['status'])]} {title:<30} {count:>11} {seconds:>8}  {step['says']}".rstrip()
