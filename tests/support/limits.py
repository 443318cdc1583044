"""What the limits have counted, and many requests at once."""

from __future__ import annotations

from collections import Counter

from redis import Redis

from tests.conftest import PASSWORD
from tests.support.web_client import Browser


def counted_at(store: Redis) -> list[str]:
    """The keys of the limiter: LIMITS:LIMITER/<class>|<who>/<scope>/<limit>."""
    return sorted(key.decode().split("/")[1] for key in store.keys("LIMITS*"))  # type: ignore[union-attr]


def ask(browser: Browser, path: str, times: int) -> Counter[int]:
    return Counter(browser.get(path).status_code for _ in range(times))


def sign_in(browser: Browser, email: str = "user@example.com", password: str = PASSWORD) -> int:
    return browser.send("/login", email=email, password=password).status_code
