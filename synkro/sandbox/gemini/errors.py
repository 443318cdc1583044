"""Error bodies of the Gemini API: google.rpc.Status with the details that tell one 400 or 429 from another."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

_SERVICE = "generativelanguage.googleapis.com"
_RPC = "type.googleapis.com/google.rpc."
_QUOTA = "You exceeded your current quota, please check your plan and billing details."


class GeminiError(Exception):
    """code: HTTP. status: the canonical name of google.rpc.Code."""

    def __init__(self, code: int, status: str, message: str, details: Sequence[dict[str, Any]] = ()) -> None:
        super().__init__(message)
        self.code = code
        error: dict[str, Any] = {"code": code, "message": message, "status": status}
        self.body = {"error": {**error, "details": list(details)} if details else error}


def invalid(message: str) -> GeminiError:
    return GeminiError(400, "INVALID_ARGUMENT", message)


def unknown_field(name: str, where: str) -> GeminiError:
    at = f" at '{where}'" if where else ""
    text = f'Invalid JSON payload received. Unknown name "{name}"{at}: Cannot find field.'
    violation = {"description": text, **({"field": where} if where else {})}
    details = [{"@type": f"{_RPC}BadRequest", "fieldViolations": [violation]}]
    return GeminiError(400, "INVALID_ARGUMENT", text, details)


def no_model(name: str, version: str) -> GeminiError:
    text = f"models/{name} is not found for API version {version}, or is not supported for generateContent. "
    return GeminiError(404, "NOT_FOUND", text + "Call ListModels to see the list of available models.")


def bad_key() -> GeminiError:
    text = "API key not valid. Please pass a valid API key."
    return GeminiError(400, "INVALID_ARGUMENT", text, [_reason("API_KEY_INVALID")])


def no_key() -> GeminiError:
    text = "Method doesn't allow unregistered callers (callers without established identity)."
    return GeminiError(403, "PERMISSION_DENIED", text)


def two_keys() -> GeminiError:
    return invalid("Multiple authentication credentials received. Please pass only one.")


def bearer_only() -> GeminiError:
    text = "Request had invalid authentication credentials. Expected OAuth 2 access token or other valid credential."
    return GeminiError(401, "UNAUTHENTICATED", text, [_reason("ACCESS_TOKEN_TYPE_UNSUPPORTED")])


def too_many(window: str) -> GeminiError:
    """window: PerMinute or PerDay. Both carry a retryDelay; after a day's quota it means nothing."""
    metric = f"{_SERVICE}/generate_content_free_tier_requests"
    violation = {"quotaMetric": metric, "quotaId": f"GenerateRequests{window}PerProjectPerModel-FreeTier"}
    details: list[dict[str, Any]] = [
        {"@type": f"{_RPC}QuotaFailure", "violations": [violation]},
        {"@type": f"{_RPC}Help", "links": [{"description": "Quotas", "url": "https://ai.google.dev/gemini-api/docs"}]},
        {"@type": f"{_RPC}RetryInfo", "retryDelay": "38.2s"},
    ]
    return GeminiError(429, "RESOURCE_EXHAUSTED", _QUOTA, details)


def _reason(name: str) -> dict[str, Any]:
    return {"@type": f"{_RPC}ErrorInfo", "reason": name, "domain": "googleapis.com", "metadata": {"service": _SERVICE}}


KEY_FAULTS: dict[str, Callable[[], GeminiError]] = {
    "key_invalid": bad_key,
    "key_leaked": partial(
        GeminiError, 403, "PERMISSION_DENIED", "Your API key was reported as leaked. Please use another API key."
    ),
    "key_not_accepted": bearer_only,
    "geo": partial(GeminiError, 400, "FAILED_PRECONDITION", "User location is not supported for the API use."),
}
"""Refusals of any call, by the name of the fault."""

CALL_FAULTS: dict[str, Callable[[], GeminiError]] = {
    "key_list_only": partial(
        GeminiError,
        403,
        "PERMISSION_DENIED",
        f"Requests to this API {_SERVICE} are blocked.",
        [_reason("API_KEY_SERVICE_BLOCKED")],
    ),
    "billing": partial(
        GeminiError, 400, "FAILED_PRECONDITION", "Please enable billing on project in order to use the API."
    ),
    "429_minute": partial(too_many, "PerMinute"),
    "429_day": partial(too_many, "PerDay"),
    "429_bare": partial(GeminiError, 429, "RESOURCE_EXHAUSTED", "Resource has been exhausted (e.g. check quota)."),
    "internal": partial(GeminiError, 500, "INTERNAL", "An internal error has occurred. Please retry."),
    "unavailable": partial(GeminiError, 503, "UNAVAILABLE", "This model is currently experiencing high demand."),
    "deadline": partial(GeminiError, 504, "DEADLINE_EXCEEDED", "Deadline expired before operation could complete."),
}
"""Refusals of generateContent and countTokens; the lists of models stay readable."""
