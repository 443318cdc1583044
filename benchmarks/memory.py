"""The most memory that a worker has held over a run of 100,000 messages."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from benchmarks.figures import line, title
from benchmarks.place import place
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
    with place(SIZE, now) as here:
        control(here.urls["amocrm"], rps=0, account_rps=0)
        control(here.urls["radist"], strict_rate=False)
        worker = here.start("worker", "benchmarks.fast_worker")
        here.await_workers(1)
        at_rest = _peak_mb(worker)
        run_id = here.start_run(now)
        run = here.processes.patiently(lambda: here.ended_run(run_id), LONGEST_SECONDS, pause=0.2)
        most = _peak_mb(worker)
    seconds = (run.finished_at - run.created_at).total_seconds() if run.finished_at else 0
    line("the run, without the vendors' pace", f"{seconds:.0f} s, {messages / seconds:,.0f} messages/s")
    line("the worker's resident memory before its first job, peak", f"{at_rest:.0f} MB")
    line("peak of the worker's resident memory over the run", f"{most:.0f} MB")
    line(f"limit of {MOST_MB} MB", "holds" if most < MOST_MB else "BROKEN")
    return most < MOST_MB


def _peak_mb(pid: int) -> float:
    """VmHWM: the high-water mark that the kernel keeps."""
    for row in Path(f"/proc/{pid}/status").read_text().splitlines():
        if row.startswith("VmHWM:"):
            return int(row.split()[1]) / 1024
    raise SystemExit("the kernel tells no VmHWM")
