"""A browser as the server meets it: nothing of one request is left over for the next."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from synkro.models import User


class Browser(FlaskClient):
    """Reads English. The test holds an app context open; each request gets its own, as in a server."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"

    def open(self, *args: Any, **kwargs: Any) -> TestResponse:
        with self.application.app_context():
            return super().open(*args, **kwargs)

    def token(self) -> str:
        """The CSRF token of this session, from the page that everybody gets."""
        return csrf_of(self.get("/no-such-page"))

    def send(self, path: str, **fields: str) -> TestResponse:
        """Post a form as our own pages do."""
        return self.post(path, data={"csrf_token": self.token(), **fields})


def csrf_of(page: TestResponse) -> str:
    found = re.search(r'name="csrf_token" (?:type="hidden" )?value="([^"]+)"', page.text)
    assert found, page.text[:500]
    return found[1]


@pytest.fixture
def client(app: Flask) -> Browser:
    return Browser(app, app.response_class)


Enter = Callable[[str], Browser]


@pytest.fixture
def enter(app: Flask, cast: dict[str, User], sign_in: Callable[..., FlaskClient]) -> Enter:
    """A browser of its own, at an address of its own, with this person of the cast in; "nobody" is a visitor."""
    addresses = (f"192.0.2.{n}" for n in count(1))

    def browser(name: str) -> Browser:
        fresh = Browser(app, app.response_class)
        fresh.environ_base["REMOTE_ADDR"] = next(addresses)
        if name != "nobody":
            sign_in(fresh, cast[name])
        return fresh

    return browser
