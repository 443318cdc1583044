"""A small load generator: so many requests over so many threads, each on a connection of its own."""

from __future__ import annotations

import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection
from urllib.parse import urlsplit

THREADS = 4


@dataclass(frozen=True, slots=True)
class Target:
    """A GET that has to be answered with this status."""

    name: str
    url: str
    status: int
    headers: Mapping[str, str]


def rate(target: Target, requests: int) -> float:
    """Requests a second. Ends the program at the first answer that is not the expected one."""
    began = time.perf_counter()
    with ThreadPoolExecutor(THREADS) as pool:
        statuses = list(pool.map(lambda _: ask(target)[0], range(requests)))
    seconds = time.perf_counter() - began
    if wrong := [status for status in statuses if status != target.status]:
        raise SystemExit(f"{target.name}: {len(wrong)} answers were not {target.status}, the first was {wrong[0]}")
    return requests / seconds


def ask(target: Target) -> tuple[int, dict[str, str], bytes]:
    """Status, headers (names in lower case) and body."""
    parts = urlsplit(target.url)
    connection = HTTPConnection(str(parts.hostname), parts.port, timeout=30)
    try:
        connection.request("GET", parts.path, headers={**target.headers, "Connection": "close"})
        answer = connection.getresponse()
        return answer.status, {name.lower(): value for name, value in answer.getheaders()}, answer.read()
    finally:
        connection.close()
