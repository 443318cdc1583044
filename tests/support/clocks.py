"""The vendors' time without a race against the machine: their second stands, and only what is told to be late is."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest
import requests

from synkro.integrations.http import client as http
from synkro.sandbox import rates
from synkro.sandbox.telegram import chats
from tests.support.practice import Practice

READ_SECONDS = 0.3
LATE_SECONDS = 2.0


class Standing:
    """A clock that stands until a test moves it."""

    def __init__(self) -> None:
        self.now = time.monotonic()

    def monotonic(self) -> float:
        return self.now


@pytest.fixture
def standing(monkeypatch: pytest.MonkeyPatch) -> Standing:
    """By which the stand-ins count requests: on a busy machine two in a row may come more than a second apart."""
    clock = Standing()
    for module in (rates, chats):
        monkeypatch.setattr(module, "time", clock)
    return clock


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """No pause between the requests of a call, and hardly any patience with what a practice was told to answer late.

    Everything else has the product's own patience: on a busy machine good answers take long, too.
    """
    monkeypatch.setattr(http, "time", SimpleNamespace(monotonic=time.monotonic, sleep=lambda _: None))
    control, send = Practice.control, requests.Session.send
    late: list[tuple[str, str]] = []

    def told(self: Practice, vendor: str, **order: Any) -> None:
        control(self, vendor, **order)
        if order.get("fault") == "slow":
            late.append((f"{self.urls[vendor]}/", order.get("path", "")))

    def sent(self: requests.Session, request: requests.PreparedRequest, **more: Any) -> requests.Response:
        url = request.url or ""
        if any(url.startswith(vendor) and path in url for vendor, path in late):
            more["timeout"] = READ_SECONDS
        return send(self, request, **more)

    monkeypatch.setattr(Practice, "control", told)
    monkeypatch.setattr(requests.Session, "send", sent)
