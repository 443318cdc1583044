"""amoCRM's OAuth: the address to send a person to, codes and refresh tokens into tokens, a renamed account, hooks.

Pure calls. Who locks the row and saves the new pair is the caller: a refresh token works once.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from synkro.integrations.amocrm import rules
from synkro.integrations.amocrm.rules import PACES, ZONES, Address, account_address, paces_of
from synkro.integrations.errors import ApiError, Gone, Nonsense, Refused
from synkro.integrations.http.calls import HttpAnswer
from synkro.integrations.http.client import HttpClient
from synkro.integrations.reading import number

MARGIN_SECONDS = 300
"""A token counts as expired this much earlier, so that none dies on its way."""
LONGEST_LIFE_SECONDS = 10 * 366 * 86_400
LONGEST_TOKEN = 20_000
MOST_BYTES = 1_000_000

_API_DOMAIN = re.compile(r"api-[a-z]\.(?:amocrm\.ru|amocrm\.com|kommo\.com)")
_MAY_HAVE_MOVED = frozenset({"amocrm_reconnect", "amocrm_not_found"})
_CODE_HINTS = {
    "authorization code": "amocrm_code_expired",
    "redirect uri": "amocrm_redirect_differs",
    "invalid account": "amocrm_other_account",
}
"""Parts of the `hint` of a refused code -> our word for it. Without a known one it is about id and secret."""
REFUSALS = frozenset({"amocrm_reconnect", "amocrm_client_refused", *_CODE_HINTS.values()})
"""After these the same code or token will never be let in."""


@dataclass(frozen=True, slots=True)
class App:
    """The client's own integration in amoCRM. redirect_uri: exactly as in its settings there, slash included."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str


@dataclass(frozen=True, slots=True)
class Tokens:
    """A pair. expires_at: unix seconds by our clock, minus a margin. address: where the account lives now."""

    access_token: str = field(repr=False)
    refresh_token: str = field(repr=False)
    expires_at: int
    address: Address


def authorize_url(client_id: str, state: str, zone: str, http_client: HttpClient) -> str:
    """The page where an administrator of the account agrees; it comes back to the redirect address with a code."""
    if zone not in ZONES:
        raise Refused("amocrm_bad_address")
    base = http_client.replace.get("amocrm_oauth", f"https://www.{zone}").rstrip("/")
    return f"{base}/oauth?{urlencode({'client_id': client_id, 'state': state, 'mode': 'post_message'})}"


def exchange(http_client: HttpClient, app: App, address: Address, code: str) -> Tokens:
    """A code (one use, 20 minutes) into a pair. Made once: a repeated code is refused anyway."""
    return _ask(http_client, app, address, {"grant_type": "authorization_code", "code": code}, _check_code, tries=1)


def refresh(http_client: HttpClient, app: App, address: Address, refresh_token: str, access_token: str = "") -> Tokens:
    """A refresh token into a new pair, which replaces the old one at once.

    An answer that was lost is asked for once more with the same token: Kommo honours the old one until the new one is
    used. An answered refusal is Refused("amocrm_reconnect") and is not repeated, unless the vendor says that the
    account has moved: then once at its new address (access_token tells whom to ask).
    """
    body = {"grant_type": "refresh_token", "refresh_token": refresh_token}
    try:
        return _ask(http_client, app, address, body, _check_refresh, tries=2)
    except (Refused, Gone) as error:
        if error.code not in _MAY_HAVE_MOVED:
            raise
        refusal = error
    moved = _moved_to(http_client, refresh_token, access_token)
    if moved is None or moved == address:
        raise refusal
    return _ask(http_client, app, moved, body, _check_refresh, tries=2)


def current_subdomain(http_client: HttpClient, api_domain: str, refresh_token: str) -> Address | None:
    """Where the account of the token lives now; None where api_domain is not the vendor's or the answer names no host.

    Raises Refused where the token is not known there either.
    """
    if not _API_DOMAIN.fullmatch(api_domain):
        return None
    key = {"X-Refresh-Token": refresh_token}
    http = http_client.open("amocrm", "amoCRM", f"https://{api_domain}", check_answer=rules.check_answer, headers=key)
    payload = http.get("/oauth2/account/current/subdomain", max_bytes=MOST_BYTES).json()
    return valid_referer(str(payload.get("domain") or "")) if isinstance(payload, dict) else None


def valid_referer(text: str) -> Address | None:
    """The account named by a callback's `referer`, or None. To be asked before anything is sent there."""
    host = text.lower().removeprefix("https://").removesuffix("/")
    if not rules.is_vendor(host) or host.startswith("www.") or _API_DOMAIN.fullmatch(host):
        return None
    return account_address(host)


def token_claims(token: str) -> dict[str, Any]:
    """What a JWT says about itself, unverified (the vendor publishes no key): for showing and expiry only. {} if none.

    Known claims: exp, account_id, base_domain, api_domain, sub, scopes.
    """
    parts = token.split(".")
    if len(parts) != 3 or len(token) > LONGEST_TOKEN:
        return {}
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def uninstall_signature_ok(client_secret: str, client_uuid: str, account_id: str, signature: str) -> bool:
    """Whether a "switched off" hook comes from the vendor: hex HMAC-SHA256 of `client_uuid|account_id`."""
    expected = hmac.new(client_secret.encode(), f"{client_uuid}|{account_id}".encode(), hashlib.sha256).hexdigest()
    return bool(client_secret) and hmac.compare_digest(expected.encode(), signature.encode())


def _ask(
    http_client: HttpClient,
    app: App,
    address: Address,
    grant: dict[str, str],
    check_answer: Callable[[HttpAnswer], ApiError | None],
    *,
    tries: int,
) -> Tokens:
    account_address(address.subdomain, address.zone)
    http = http_client.open(
        "amocrm", "amoCRM", f"https://{address.host}", check_answer=check_answer, paces=paces_of(address)
    )
    body = {
        "client_id": app.client_id,
        "client_secret": app.client_secret,
        "redirect_uri": app.redirect_uri,
        **grant,
    }
    asked_at = int(time.time())
    answer = http.post("/oauth2/access_token", body, pace=PACES, tries=tries, max_bytes=MOST_BYTES)
    return _tokens(answer.json(), asked_at, address)


def _tokens(payload: Any, asked_at: int, address: Address) -> Tokens:
    if not isinstance(payload, dict):
        raise Nonsense("unexpected_shape", service="amoCRM")
    access, renewal, life = payload.get("access_token"), payload.get("refresh_token"), number(payload.get("expires_in"))
    if not _is_token(access) or not _is_token(renewal) or life is None or not 0 < life < LONGEST_LIFE_SECONDS:
        raise Nonsense("unexpected_shape", service="amoCRM")
    return Tokens(str(access), str(renewal), asked_at + max(life - MARGIN_SECONDS, 0), address)


def _is_token(value: Any) -> bool:
    return isinstance(value, str) and value.isascii() and value.isprintable() and 0 < len(value) <= LONGEST_TOKEN


def _moved_to(http_client: HttpClient, refresh_token: str, access_token: str) -> Address | None:
    """None where it cannot be learnt: then the refusal that was met stands."""
    try:
        return current_subdomain(http_client, str(token_claims(access_token).get("api_domain") or ""), refresh_token)
    except ApiError:
        return None


def _check_refresh(answer: HttpAnswer) -> ApiError | None:
    return Refused("amocrm_reconnect") if answer.status in (400, 401) else rules.check_answer(answer)


def _check_code(answer: HttpAnswer) -> ApiError | None:
    if answer.status not in (400, 401):
        return rules.check_answer(answer)
    body = answer.json_or_none()
    hint = str(body.get("hint") or "").lower() if isinstance(body, dict) else ""
    return Refused(next((code for part, code in _CODE_HINTS.items() if part in hint), "amocrm_client_refused"))
