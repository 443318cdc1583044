"""A client of amoCRM's stand-in for the tests of it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import parse_qs, urlsplit

import requests

from synkro.sandbox.amocrm.app import create_app
from synkro.sandbox.amocrm.oauth import long_lived_token
from synkro.sandbox.server import Server
from synkro.sandbox.world import World


class Client:
    """A browser and a program in one: calls the stand-in and turns its knobs."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.server = Server(create_app(world))
        self.session = requests.Session()
        self.token = long_lived_token(world)
        self.reset()

    def reset(self) -> None:
        self.session.delete(self.server.url + "/__control", timeout=60)
        self.set(rps=0, account_rps=0)

    def set(self, **settings: object) -> None:
        url = self.server.url + "/__control"
        self.session.post(url, json={"set": settings}, timeout=60).raise_for_status()

    def queue(self, fault: str) -> None:
        self.session.post(self.server.url + "/__control", json={"fault": fault}, timeout=60).raise_for_status()

    def get(self, path: str, token: str | None = None) -> requests.Response:
        headers = {"Authorization": f"Bearer {token or self.token}"}
        return self.session.get(f"{self.server.url}/api/v4/{path}", headers=headers, timeout=60)

    def items(self, path: str) -> list[dict[str, Any]]:
        answer = self.get(path)
        return [] if answer.status_code == 204 else next(iter(answer.json()["_embedded"].values()))

    def all_pages(self, path: str) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = []
        while True:
            answer = self.get(path)
            if answer.status_code == 204:
                return found
            body = answer.json()
            found += next(iter(body["_embedded"].values()))
            if "next" not in body["_links"]:
                return found
            path = body["_links"]["next"]["href"].partition("/api/v4/")[2]

    def authorize(self, **params: str) -> dict[str, str]:
        query = {"client_id": self.world.integration.client_id, **params}
        answer = self.session.get(self.server.url + "/oauth", params=query, allow_redirects=False, timeout=60)
        return {name: values[0] for name, values in parse_qs(urlsplit(answer.headers["Location"]).query).items()}

    def exchange(self, **body: str) -> requests.Response:
        own = self.world.integration
        full = {
            "client_id": own.client_id,
            "client_secret": own.client_secret,
            "redirect_uri": own.redirect_uri,
            "grant_type": "authorization_code" if "code" in body else "refresh_token",
            **body,
        }
        return self.session.post(self.server.url + "/oauth2/access_token", json=full, timeout=60)

    def pair(self) -> dict[str, Any]:
        pair: dict[str, Any] = self.exchange(code=self.authorize()["code"]).json()
        return pair


@contextmanager
def serving(world: World) -> Iterator[Client]:
    """A client whose server lives as long as the block."""
    client = Client(world)
    yield client
    client.session.close()
    client.server.stop()
