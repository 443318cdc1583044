"""What the stand-ins logged, and the knobs that they have."""

from __future__ import annotations

import json
import urllib.request
from typing import Any


def control(url: str, **settings: Any) -> None:
    """Turn knobs of a stand-in."""
    order = json.dumps({"set": settings}).encode()
    _open(urllib.request.Request(f"{url}/__control", order, {"Content-Type": "application/json"}))  # noqa: S310


def logged(url: str) -> list[dict[str, Any]]:
    """Every request so far: method, path, query, status, at (seconds since 1970)."""
    return list(json.loads(_open(urllib.request.Request(f"{url}/__requests"))))  # noqa: S310


def _open(request: urllib.request.Request) -> bytes:
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310 (a loopback address of our own)
        return bytes(answer.read())
