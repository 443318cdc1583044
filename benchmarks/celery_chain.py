"""The known quantity beside our pipeline: a Celery chain of eight tasks that do nothing but say when."""

from __future__ import annotations

import os
import time

from celery import Celery, chain

app = Celery("chain", broker=os.environ["CHAIN_URL"], backend=os.environ["CHAIN_URL"])
app.conf.update(
    task_serializer="json",
    result_serializer="json",
    accept_content=["json"],
    broker_connection_retry_on_startup=True,
    worker_send_task_events=False,
)


@app.task(name="nothing")
def nothing(before: list[list[float]]) -> list[list[float]]:
    began = time.time()
    return [*before, [began, time.time()]]


def run_once(tasks: int) -> list[list[float]]:
    """When each task of one chain began and ended, in seconds since 1970."""
    links = chain(nothing.s([]), *(nothing.s() for _ in range(tasks - 1)))
    return list(links.apply_async().get(timeout=30, interval=0.02))
