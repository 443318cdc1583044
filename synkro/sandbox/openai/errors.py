"""Error bodies of the stand-in with OpenAI's interface, and those that other servers of that kind send."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any


class OpenAiError(Exception):
    """status: HTTP. body: what is sent; headers: with it."""

    def __init__(self, status: int, body: Any, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(str(body))
        self.status = status
        self.body = body
        self.headers = dict(headers or {})


def error(
    status: int, message: str, kind: str = "invalid_request_error", code: str | None = None, param: str | None = None
) -> OpenAiError:
    return OpenAiError(status, _body(message, kind, code, param))


def no_model(name: str) -> OpenAiError:
    return error(404, f"The model `{name}` does not exist or you do not have access to it.", code="model_not_found")


def unknown_field(name: str) -> OpenAiError:
    return error(400, f"Unrecognized request argument supplied: {name}")


def too_long(limit: int, total: int) -> OpenAiError:
    text = f"This model's maximum context length is {limit} tokens. However, your messages resulted in {total} tokens."
    return error(400, text, code="context_length_exceeded", param="messages")


def bad_key() -> OpenAiError:
    return error(401, "Incorrect API key provided.", code="invalid_api_key")


def _body(message: str, kind: str, code: str | None, param: str | None) -> dict[str, Any]:
    return {"error": {"message": message, "type": kind, "param": param, "code": code}}


def _too_many(message: str, code: str, wait: str = "") -> OpenAiError:
    return OpenAiError(429, _body(message, "requests", code, None), {"Retry-After": wait} if wait else {})


KEY_FAULTS: dict[str, Callable[[], OpenAiError]] = {
    "key_invalid": bad_key,
    "country": partial(
        error,
        403,
        "Country, region, or territory not supported",
        "request_forbidden",
        "unsupported_country_region_territory",
    ),
    "wrong_path": partial(OpenAiError, 404, {"detail": "Not Found"}),
}
"""Refusals of any call, by the name of the fault."""

CALL_FAULTS: dict[str, Callable[[], OpenAiError]] = {
    "key_list_only": partial(error, 403, "You have insufficient permissions for this operation.", "forbidden"),
    "unpaid": partial(error, 402, "Insufficient credits. Add more to continue.", "payment_required"),
    "model_gone": partial(no_model, "it"),
    "429_rate": partial(_too_many, "Rate limit reached for requests per min (RPM)", "rate_limit_exceeded", "20"),
    "429_day": partial(_too_many, "Rate limit reached for requests per day (RPD)", "rate_limit_exceeded", "7200"),
    "429_quota": partial(
        _too_many, "You exceeded your current quota, please check your plan and billing.", "insufficient_quota"
    ),
    "429_bare": partial(OpenAiError, 429, {"error": "slow down"}),
    "too_long": partial(too_long, 1, 2),
    "prompt_blocked": partial(
        error, 400, "The response was filtered by the content management policy.", code="content_filter"
    ),
    "rejected": partial(error, 400, "Something about this request is wrong."),
    "internal": partial(error, 500, "The server had an error while processing your request.", "server_error"),
    "overloaded": partial(error, 503, "That model is currently overloaded with other requests.", "server_error"),
}
"""Refusals of a completion; the list of models stays readable."""

PART_FAULTS: dict[str, tuple[str, Callable[[], OpenAiError]]] = {
    "no_schema": (
        "json_schema",
        partial(
            error, 400, "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model."
        ),
    ),
    "no_schema_422": (
        "json_schema",
        partial(
            OpenAiError,
            422,
            {"detail": [{"loc": ["body", "response_format", "json_schema"], "msg": "Extra inputs are not permitted"}]},
        ),
    ),
    "no_json": ("json_object", partial(error, 400, "'response_format' is not supported.", param="response_format")),
    "old_limit": (
        "max_tokens",
        partial(
            error,
            400,
            "Unsupported parameter: 'max_tokens' is not supported. Use 'max_completion_tokens' instead.",
            code="unsupported_parameter",
            param="max_tokens",
        ),
    ),
    "no_limit": (
        "limit",
        partial(error, 400, "max_tokens is too large: this model's maximum context length is 4096 tokens."),
    ),
}
"""Refusals of one part of a completion, with the part: met only by a request that has it."""
