"""What stands before amoCRM's data: the block, the rates, the bearer, payment, rights and the OAuth pages."""

from __future__ import annotations

import json
import threading
import uuid
from collections import defaultdict
from typing import Any
from urllib.parse import urlencode

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import HTTPException

from synkro.sandbox.amocrm.consent import consent_page
from synkro.sandbox.amocrm.oauth import OAuthProblem, Tokens
from synkro.sandbox.faults import Faults
from synkro.sandbox.rates import Rate
from synkro.sandbox.world import World

_PAGE = "<html><head><title>{0}</title></head><body><center><h1>{0}</h1></center><hr>nginx</body></html>"
_TOO_MANY = "You have sent too many requests in a given amount of time. Please try again later."
_TITLES = {
    400: "Bad Request",
    401: "Unauthorized",
    402: "Payment Required",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    429: "Too Many Requests",
}


class Gate:
    """Refuses calls before they reach the data, in the order amoCRM does."""

    def __init__(self, app: Flask, faults: Faults, tokens: Tokens) -> None:
        self._faults = faults
        self._tokens = tokens
        self._rates: dict[str, Rate] = defaultdict(Rate)
        self._account_rate = Rate()
        self._refused = 0
        self._lock = threading.Lock()
        app.before_request(self._before)
        app.after_request(_stamp)
        app.register_error_handler(HTTPException, _not_served)

    def _before(self) -> ResponseReturnValue | None:
        if request.path.startswith("/__"):
            return None
        if self._blocked():
            return html_page(403, "403 Forbidden")
        if request.path.startswith("/api/"):
            return self._busy() or self._closed()
        return None

    def _blocked(self) -> bool:
        with self._lock:
            limit = self._faults["block_after_429"]
            if not limit:
                self._refused = 0
            return bool(limit) and self._refused >= limit

    def _busy(self) -> Response | None:
        with self._lock:
            rate = self._rates[_bearer()]
        if rate.allow(self._faults["rps"]) and self._account_rate.allow(self._faults["account_rps"]):
            return None
        with self._lock:
            self._refused += 1
        if self._faults["body_429"] == "html":
            return html_page(429, "429 Too Many Requests")
        return problem(429, _TOO_MANY, retry_after=self._faults["retry_after_429"])

    def _closed(self) -> Response | None:
        if self._faults.take("expire_token"):
            self._tokens.expire(_bearer())
            return problem(401, "Invalid user name or password")
        if not self._tokens.accepts(_bearer()):
            return problem(401, "Invalid user name or password")
        if not self._faults["paid"]:
            return problem(402, "Payment required")
        rights = self._faults["token_rights"]
        if rights == "none" or (rights != "admin" and request.path.startswith("/api/v4/users")):
            return problem(403, "Client doesn't have the required scope")
        return None


class OAuth:
    """The page a person is sent through, the token endpoint and the question for the account's address."""

    def __init__(self, app: Flask, world: World, faults: Faults, tokens: Tokens) -> None:
        self._world = world
        self._faults = faults
        self._tokens = tokens
        app.add_url_rule("/oauth", view_func=self._authorize)
        app.add_url_rule("/oauth2/access_token", view_func=self._access_token, methods=["POST"])
        app.add_url_rule("/oauth2/account/current/subdomain", view_func=self._subdomain)

    def _authorize(self) -> ResponseReturnValue:
        """A browser is shown a page with the two buttons; a program without eyes is let through at once."""
        client_id = self._world.integration.client_id
        if request.args.get("client_id") != client_id:
            return html_page(400, "Unknown integration")
        chosen = request.args.get("answer")
        if chosen is None and "text/html" in request.headers.get("Accept", ""):
            return consent_page(self._world.company, self._tokens.redirect_uri, request.args)
        self._tokens.typed_redirect = request.args.get("redirect_uri", self._tokens.typed_redirect)
        answer = {"client_id": client_id}
        if "state" in request.args:
            answer["state"] = request.args["state"]
        if self._faults.take("access_denied") or chosen == "no":
            answer["error"] = "access_denied"
        else:
            answer["code"] = self._tokens.new_code()
            answer["referer"] = f"{self._world.subdomain}.amocrm.ru"
            answer["platform"] = "1"
        return redirect(f"{self._tokens.redirect_uri}?{urlencode(answer)}")

    def _access_token(self) -> ResponseReturnValue:
        body = request.get_json(silent=True) if request.is_json else request.form.to_dict()
        if self._faults.take("expire_code"):
            self._tokens.expire_codes()
        try:
            if self._faults.take("wrong_account"):
                raise OAuthProblem(400, "Invalid account")
            return answer_json(self._tokens.exchange(body if isinstance(body, dict) else {}), "application/json")
        except OAuthProblem as refusal:
            return answer_json(refusal.body, "application/json", refusal.status)

    def _subdomain(self) -> ResponseReturnValue:
        if not self._tokens.knows_refresh(request.headers.get("X-Refresh-Token", "")):
            return problem(401, "Invalid refresh token")
        name, account_id = self._world.subdomain, self._world.account_id
        body = {"id": account_id, "subdomain": name, "domain": f"{name}.amocrm.ru", "top_level_domain": "ru"}
        return answer_json(body, "application/json")


def answer_json(body: Any, content_type: str = "application/hal+json", status: int = 200) -> Response:
    """A JSON answer under the type amoCRM gives it."""
    return Response(json.dumps(body, ensure_ascii=False), status, content_type=content_type)


def problem(status: int, detail: str, **more: Any) -> Response:
    """A refusal as API v4 words it."""
    body = {"title": _TITLES.get(status, "Error"), "type": f"https://httpstatus.es/{status}", "status": status}
    return answer_json({**body, "detail": detail, **more}, "application/problem+json", status)


def html_page(status: int, text: str) -> Response:
    """A refusal by the web server in front of the API."""
    return Response(_PAGE.format(text), status, content_type="text/html")


def _bearer() -> str:
    kind, _, token = request.headers.get("Authorization", "").partition(" ")
    return token if kind.lower() == "bearer" else ""


def _stamp(response: Response) -> Response:
    response.headers["X-Request-Id"] = str(uuid.uuid4())
    return response


def _not_served(error: HTTPException) -> ResponseReturnValue:
    return problem(error.code or 500, f"Cannot {request.method} {request.base_url}")
