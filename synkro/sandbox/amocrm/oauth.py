"""amoCRM's tokens: the long-lived one, one-time codes and pairs whose refresh token rotates."""

from __future__ import annotations

import base64
import itertools
import json
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from synkro.sandbox.world import World

_CODE_LIFE_S = 20 * 60
LONG_LIVED_FROM, LONG_LIVED_TO = 1_767_225_600, 1_924_992_000
"""2026-01-01 to 2031-01-01."""
_DETAIL = "В запросе отсутствует ряд параметров или параметры невалидны"


class OAuthProblem(Exception):
    """A refusal of the token endpoint: `status` and the JSON `body` to answer with."""

    def __init__(self, status: int, hint: str | None) -> None:
        super().__init__(hint)
        self.status = status
        self.body = {
            **({"hint": hint} if hint else {}),
            "title": "Некорректный запрос" if hint else "Некорректный клиент",
            "type": "https://developers.amocrm.ru/v3/errors/OAuthProblemJson",
            "status": status,
            "detail": _DETAIL if hint else "Авторизация клиента не прошла",
        }


@dataclass(eq=False)
class _Pair:
    access: str
    refresh: str
    expires_at: float
    parent: _Pair | None
    refresh_spent: bool = False


@dataclass
class _Code:
    expires_at: float
    used: bool = False


class Tokens:
    """Issues and checks the tokens of one account. setting(name) reads the emulator's knobs."""

    def __init__(self, world: World, setting: Callable[[str], Any]) -> None:
        self._world = world
        self._setting = setting
        self._numbers = itertools.count(1)
        self._codes: dict[str, _Code] = {}
        self._by_access: dict[str, _Pair] = {}
        self._by_refresh: dict[str, _Pair] = {}
        self._lock = threading.Lock()
        self.typed_redirect = ""
        """What a person typed on the page of consent, in place of the knob."""

    @property
    def redirect_uri(self) -> str:
        """The only one that is accepted."""
        return self.typed_redirect or str(self._setting("redirect_uri"))

    def new_code(self) -> str:
        """A one-time code that lives for 20 minutes."""
        with self._lock:
            code = f"def502-practice-code-{next(self._numbers)}"
            self._codes[code] = _Code(time.time() + _CODE_LIFE_S)
            return code

    def accepts(self, access: str) -> bool:
        """Whether the API lets this bearer in. The first use of a new pair ends the grace of the old one."""
        if self._setting("revoked"):
            return False
        if access == long_lived_token(self._world, ends := self._setting("long_lived_ends")):
            return bool(ends > time.time())
        with self._lock:
            pair = self._by_access.get(access)
            if pair is None or pair.expires_at <= time.time():
                return False
            _end_grace(pair)
            return True

    def expire(self, access: str) -> None:
        """From now on the access token counts as too old; its refresh token lives on."""
        with self._lock:
            if pair := self._by_access.get(access):
                pair.expires_at = 0

    def expire_codes(self) -> None:
        """From now on every code given out so far counts as too old."""
        with self._lock:
            for code in self._codes.values():
                code.expires_at = 0

    def knows_refresh(self, refresh: str) -> bool:
        """Whether the refresh token could be exchanged now."""
        with self._lock:
            pair = self._by_refresh.get(refresh)
            return pair is not None and not pair.refresh_spent and not self._setting("revoked")

    def exchange(self, body: Mapping[str, Any]) -> dict[str, Any]:
        """The token endpoint. Raises OAuthProblem."""
        self._check_client(body)
        grant = body.get("grant_type")
        with self._lock:
            if grant == "authorization_code":
                self._spend_code(str(body.get("code", "")))
                return self._issue(None)
            if grant == "refresh_token":
                return self._issue(self._spend_refresh(str(body.get("refresh_token", ""))))
        raise OAuthProblem(400, "Check the `grant_type` parameter")

    def _check_client(self, body: Mapping[str, Any]) -> None:
        for name in ("client_id", "client_secret"):
            if not body.get(name):
                raise OAuthProblem(400, f"Check the `{name}` parameter")
        own = self._world.integration
        if (body["client_id"], body["client_secret"]) != (own.client_id, own.client_secret):
            raise OAuthProblem(401, None)
        if body.get("redirect_uri") != self.redirect_uri:
            raise OAuthProblem(400, "Redirect URI is not associated with client")

    def _spend_code(self, text: str) -> None:
        code = self._codes.get(text)
        if code is None:
            raise OAuthProblem(400, "Cannot decrypt the authorization code")
        if code.used:
            raise OAuthProblem(400, "Authorization code has been revoked")
        if code.expires_at <= time.time():
            raise OAuthProblem(400, "Authorization code has expired")
        code.used = True

    def _spend_refresh(self, text: str) -> _Pair:
        pair = self._by_refresh.get(text)
        if pair is None:
            raise OAuthProblem(401, "Cannot decrypt the refresh token")
        if pair.refresh_spent or self._setting("revoked"):
            raise OAuthProblem(401, "Token has been revoked")
        pair.refresh_spent = self._setting("refresh_grace") == "none"
        _end_grace(pair)
        return pair

    def _issue(self, parent: _Pair | None) -> dict[str, Any]:
        number = next(self._numbers)
        life = int(self._setting("access_seconds"))
        now = time.time()
        refresh = f"def502-practice-refresh-{number}-" + "0" * 900
        pair = _Pair(_jwt(self._world, f"practice-{number}", now, now + life), refresh, now + life, parent)
        self._by_access[pair.access] = pair
        self._by_refresh[refresh] = pair
        return {
            "token_type": "Bearer",
            "expires_in": life,
            "server_time": int(now),
            "access_token": pair.access,
            "refresh_token": refresh,
        }


def _end_grace(pair: _Pair) -> None:
    if pair.parent:
        pair.parent.refresh_spent = True


def long_lived_token(world: World, ends: int = LONG_LIVED_TO) -> str:
    """The token a person copies from amoCRM's cabinet: a JWT, the same in every process that serves the company."""
    return _jwt(world, "practice-long-lived", LONG_LIVED_FROM, ends)


def _jwt(world: World, token_id: str, issued: float, expires: float) -> str:
    head = {"typ": "JWT", "alg": "RS256"}
    claims = {
        "aud": world.integration.client_id,
        "jti": token_id,
        "iat": int(issued),
        "nbf": int(issued),
        "exp": int(expires),
        "sub": str(world.users[0].id),
        "account_id": world.account_id,
        "base_domain": "amocrm.ru",
        "api_domain": "api-b.amocrm.ru",
        "scopes": ["crm", "notifications"],
    }
    return f"{_part(head)}.{_part(claims)}.practice-signature"


def _part(data: dict[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=").decode()
