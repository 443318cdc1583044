"""What a server with OpenAI's interface says when it refuses, in our words. Each has its own habits: see _error_of."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Literal

from synkro.i18n import _l
from synkro.integrations.base import retry_after
from synkro.integrations.errors import ApiError, Busy, Gone, Refused, Unpaid
from synkro.integrations.http.calls import HttpAnswer, common_failure
from synkro.integrations.reading import number

LONGEST_RATE_WAIT = 120
"""Seconds. Who asks for more means a quota of a day."""
QUOTA_WAIT = 3_600
LONGEST_QUOTA_WAIT = 86_400
LONGEST_TEXT = 4_000

SENTENCES = {
    "ai_address_form": _l("This is no address of an AI server. It looks like https://api.example.com/v1."),
    "ai_host_not_approved": _l("%(host)s is not approved yet: Synkro's staff have to agree to it first."),
    "ai_server_no_api": _l("There is no OpenAI-compatible API at this address of %(service)s. It often ends with /v1."),
    "ai_server_key": _l("%(service)s does not accept the API key. Copy it once more or make a new one there."),
    "ai_server_rights": _l("The API key of %(service)s may not do this. Check its rights, also to this model."),
    "ai_server_country": _l("%(service)s does not serve the country of this server."),
    "ai_server_unpaid": _l("The account at %(service)s has no money or quota left. Top it up there."),
    "ai_server_quota": _l("The quota at %(service)s is used up. It becomes free again later."),
    "ai_server_rejected": _l("%(service)s did not accept our request."),
}

Part = Literal["form", "limit"]


class PartRefused(Gone):
    """The server does not know a field of our request. part: the form of the answer or the limit of its length."""

    def __init__(self, part: Part, service: str) -> None:
        super().__init__("ai_server_rejected", service=service)
        self.part = part


class PromptBlocked(Gone):
    """The server's content rules do not let the question through. Azure tells it with 400 and bills nothing."""


_FORM = ("response_format", "json_schema", "json_object", "structured output")
_FILTER = ("content_filter", "content management policy")
_LIMIT = ("max_tokens", "max_completion_tokens")
_LONG = ("context_length", "context length", "maximum context", "too long", "too many tokens", "token count")
_MODEL = ("model_not_found", "valid model", "unknown model", "invalid model")
_KEY = ("api_key_invalid", "api key not valid", "invalid_api_key", "authentication credentials")
_PLACE = ("country", "region", "location")
_MONEY = ("insufficient_quota", "insufficient balance", "credit", "billing_not_active", "billing_hard_limit")
_DAILY = ("per day", "per-day", "daily", "(rpd)", "(tpd)")


def check_answer(answer: HttpAnswer) -> ApiError | None:
    """None for a success. Names are looked for in the codes and in the message alike."""
    if answer.status < 300:
        return None
    said, service = _said(answer), answer.service
    match answer.status:
        case 400 | 422:
            return _bad_request(said, service)
        case 401:
            return Refused("ai_server_key", service=service)
        case 402:
            return Unpaid("ai_server_unpaid", service=service)
        case 403:
            return Refused("ai_server_country" if _has(said, _PLACE) else "ai_server_rights", service=service)
        case 404 | 405:
            is_model = "model" in said or "endpoints found" in said
            return Gone("ai_model_gone") if is_model else Gone("ai_server_no_api", service=service)
        case 413:
            return Gone("ai_too_long")
        case 429:
            return _too_many(said, answer)
    return common_failure(answer)


def failure_inside(answer: HttpAnswer) -> ApiError | None:
    """An error that a router reports with 200, as the server behind it failed; None where there is none."""
    error = _error_of(answer.json_or_none())
    if not error:
        return None
    status = number(error.get("code")) or 0
    return check_answer(replace(answer, status=status if 400 <= status < 600 else 502))


def _bad_request(said: str, service: str) -> ApiError:
    """The limit before the length: a server may name both where only our limit is more than it can write."""
    if _has(said, _FILTER):
        return PromptBlocked("ai_server_rejected", service=service)
    if _has(said, _LIMIT):
        return PartRefused("limit", service)
    if _has(said, _LONG):
        return Gone("ai_too_long")
    if _has(said, _FORM):
        return PartRefused("form", service)
    if _has(said, _MODEL) or ("model" in said and ("not found" in said or "not exist" in said)):
        return Gone("ai_model_gone")
    if _has(said, _KEY):
        return Refused("ai_server_key", service=service)
    if _has(said, _PLACE):
        return Refused("ai_server_country", service=service)
    return Gone("ai_server_rejected", service=service)


def _too_many(said: str, answer: HttpAnswer) -> ApiError:
    """No money is told like too many requests (OpenAI's code insufficient_quota), but waiting does not help."""
    if _has(said, _MONEY):
        return Unpaid("ai_server_unpaid", service=answer.service)
    wait = retry_after(answer)
    if _has(said, _DAILY) or (wait or 0) > LONGEST_RATE_WAIT:
        seconds = min(wait or QUOTA_WAIT, LONGEST_QUOTA_WAIT)
        return Busy("ai_server_quota", retry_after=seconds, service=answer.service)
    return Busy("busy", retry_after=wait, service=answer.service)


def _has(said: str, words: tuple[str, ...]) -> bool:
    return any(word in said for word in words)


def _said(answer: HttpAnswer) -> str:
    """Everything that the error names, in lower case."""
    error = _error_of(answer.json_or_none())
    told = (error.get(name) for name in ("message", "code", "type", "param", "status"))
    return " ".join(str(one) for one in told if one is not None)[:LONGEST_TEXT].lower()


def _error_of(body: Any) -> dict[str, Any]:
    """OpenAI: {"error": {...}}; Google: the same in a list; Ollama: a text; vLLM: bare; FastAPI: {"detail": ...}."""
    body = body[0] if isinstance(body, list) and body else body
    if not isinstance(body, dict):
        return {}
    error = body.get("error")
    if isinstance(error, dict):
        return error
    if isinstance(error, str):
        return {"message": error}
    if "detail" in body:
        return {"message": json.dumps(body["detail"])}
    return body if body.get("object") == "error" else {}
