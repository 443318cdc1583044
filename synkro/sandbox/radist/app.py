"""The stand-in of Radist.Online: the reading half of its API v2. Every other verb is answered 405 (and logged).

The fault "gone" answers a request for a chat's messages with 404.

Settings for `POST /__control {"set": {...}}`:

* strict_rate (true): 5 requests a second per key, 1 for chats and contacts; busy_every (0): every n-th request is 429
* retry_after (null): seconds to put into the Retry-After header of a 429, null for no header
* until_inclusive (true); order ("newest" | "oldest") of messages; chats_order ("unanswered_first" | "recent")
* wrap ("as_seen" | "bare" | "data" | "items"): what lists are wrapped into
* max_limit (100): a greater `limit` is 422; page_cap (0): pages silently hold no more than that
* ties (0): runs of so many messages share one created_at, so that page edges cut through equal times
* cursor_loop (false): the chat list gives the same cursor for ever
* naive_timestamps (false): times without a zone; unknown_type (""): the newest message of every chat is of this type
* companies (1): how many belong to the key; only the first one has chats
* sources (null): rows that stand in for the connected messengers
* scopes (["connections", "messaging"]): rights of the key; revoked (false): the key is refused with 401
"""

from __future__ import annotations

import itertools
from collections import defaultdict
from typing import Any

from flask import Flask, make_response, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from synkro.sandbox.faults import Faults
from synkro.sandbox.radist.api import Api, Invalid, detail
from synkro.sandbox.rates import Rate
from synkro.sandbox.world import World

_SETTINGS: dict[str, Any] = {
    "strict_rate": True,
    "busy_every": 0,
    "retry_after": None,
    "until_inclusive": True,
    "order": "newest",
    "chats_order": "unanswered_first",
    "wrap": "as_seen",
    "max_limit": 100,
    "page_cap": 0,
    "ties": 0,
    "cursor_loop": False,
    "naive_timestamps": False,
    "unknown_type": "",
    "companies": 1,
    "sources": None,
    "scopes": ["connections", "messaging"],
    "revoked": False,
}


def create_app(world: World) -> Flask:
    """An app that answers as Radist does for the world's company."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    faults = Faults(app, _SETTINGS)
    _Gate(app, world, faults)
    Api(app, world, faults)
    return app


class _Gate:
    """Key, verb, scope and rates."""

    def __init__(self, app: Flask, world: World, faults: Faults) -> None:
        self._world = world
        self._faults = faults
        self._rates: dict[str, Rate] = defaultdict(Rate)
        self._count = itertools.count(1)
        app.before_request(self._before)
        app.register_error_handler(Invalid, _invalid)
        app.register_error_handler(HTTPException, lambda error: detail(error.code or 500, error.name))

    def _before(self) -> ResponseReturnValue | None:
        if request.path.startswith("/__"):
            return None
        if self._faults["revoked"] or request.headers.get("X-Api-Key") != self._world.radist_key:
            return detail(401, "Unauthorized")
        if self._is_busy():
            answer = make_response(detail(429, "Too Many Requests"))
            if self._faults["retry_after"] is not None:
                answer.headers["Retry-After"] = str(self._faults["retry_after"])
            return answer
        if request.method != "GET":
            return detail(405, "Method Not Allowed")
        return self._refusal(request.path.split("/"))

    def _is_busy(self) -> bool:
        every = self._faults["busy_every"]
        if every and next(self._count) % every == 0:
            return True
        if not self._faults["strict_rate"]:
            return False
        slow = "/chats/" in request.path or "/contacts/" in request.path
        return not (self._rates["all"].allow(5) and (not slow or self._rates["slow"].allow(1)))

    def _refusal(self, parts: list[str]) -> ResponseReturnValue | None:
        if len(parts) < 6 or parts[2] != "companies":
            return None
        scope = parts[4] if parts[4] in {"connections", "webhooks"} else "messaging"
        return None if scope in self._faults["scopes"] else detail(403, "Forbidden")


def _invalid(error: Invalid) -> ResponseReturnValue:
    name, message = error.args
    return detail(422, [{"loc": ["query", name], "msg": message, "type": "value_error"}])
