"""The most memory that a worker has held over a run of 100,000 messages."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figures import line, title
from benchmarks.installation import installation
from benchmarks.stand_ins import Size
from benchmarks.vendors import control

SIZE = Size(leads=500, chats=250, messages=400)
MOST_MB = 300
LONGEST_SECONDS = 500


def measure() -> bool:
    """False when the worker has held more than the limit."""
    messages = SIZE.chats * SIZE.messages
    title(f"memory: the worker over a run of {messages:,} messages, {SIZE.leads} leads, {SIZE.chats} chats")
    now = datetime.now(UTC)
    with installation(SIZE, now) as here:
        control(here.urls["amocrm"], rps=0, account_rps=0)
        control(here.urls["radist"], strict_rate=False)
        worker = here.start("worker", "benchmarks.fast_worker")
        here.await_workers(1)
        start = _peak_mb(worker)
        _reset_peak(worker)
        run_id = here.start_run(now)
        run = here.processes.patiently(lambda: here.ended_run(run_id), LONGEST_SECONDS, pause=0.2)
        most = _peak_mb(worker)
    seconds = (run.finished_at - run.created_at).total_seconds() if run.finished_at else 0
    line("the run, without the vendors' pace", f"{seconds:.0f} s, {messages / seconds:,.0f} messages/s")
    line("peak of the worker's resident memory while it starts", f"{start:.0f} MB")
    line("peak of the worker's resident memory over the run", f"{most:.0f} MB")
    holds = max(start, most) < MOST_MB
    line(f"limit of {MOST_MB} MB", "holds" if holds else "BROKEN")
    return holds


def _reset_peak(pid: int) -> None:
    """The start takes a moment's memory of its own (the hash of a password), which would hide the run's."""
    Path(f"/proc/{pid}/clear_refs").write_text("5", encoding="ascii")


def _peak_mb(pid: int) -> float:
    """VmHWM: the high-water mark that the kernel keeps."""
    for row in Path(f"/proc/{pid}/status").read_text().splitlines():
        if row.startswith("VmHWM:"):
            return int(row.split()[1]) / 1024
    raise SystemExit("the kernel tells no VmHWM")
