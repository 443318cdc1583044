"""A stand-in of a server with OpenAI's interface: models and chat completions under /v1.

Bodies that left the building: `app.config["bodies"]` and `GET /__bodies`. Faults of any call: key_invalid, country,
wrong_path; of a completion: key_list_only, unpaid, model_gone, 429_rate, 429_day, 429_quota, 429_bare, too_long,
no_schema, no_schema_422, no_json (each refuses one way to ask for JSON), old_limit, no_limit (no limit under any name),
prompt_blocked, rejected, internal, overloaded. Outcomes: length, length_no_text, content_filter, refusal, empty_stop,
empty_choices, NEW_REASON, error_inside, no_usage, parts, think_aloud. Twists of the text: as of the Gemini stand-in.
"""

from __future__ import annotations

import hmac
import json
from typing import Any

from flask import Flask, Response, jsonify, request
from flask.typing import ResponseReturnValue

from synkro.sandbox.faults import Faults
from synkro.sandbox.keys import Keys
from synkro.sandbox.openai.answer import answer, prompt_of, spent
from synkro.sandbox.openai.errors import (
    CALL_FAULTS,
    KEY_FAULTS,
    PART_FAULTS,
    OpenAiError,
    bad_key,
    error,
    no_model,
    too_long,
    unknown_field,
)

_FIELDS = frozenset({"model", "messages", "max_tokens", "max_completion_tokens", "response_format"})
_LIMITS = ("max_tokens", "max_completion_tokens")


def _model(name: str, title: str, reads: int, writes: int) -> dict[str, Any]:
    limits = {"context_length": reads, "top_provider": {"max_completion_tokens": writes}}
    return {"id": name, "object": "model", "owned_by": "practice", "name": title, **limits}


MODELS = {
    one["id"]: one
    for one in (
        _model("practice-large", "Practice Large", 200_000, 32_000),
        _model("practice-small", "Practice Small", 32_000, 8_000),
        {"id": "practice-plain", "object": "model", "owned_by": "practice"},
        {"id": "practice-embedding", "object": "model", "owned_by": "practice"},
    )
}


def create_app(keys: Keys) -> Flask:
    """The server as one key sees it."""
    app = Flask(__name__)
    app.config["bodies"] = []
    _Api(app, Faults(app), keys)
    return app


class _Api:
    def __init__(self, app: Flask, faults: Faults, keys: Keys) -> None:
        self.faults = faults
        self.expected = f"Bearer {keys.openai_key}"
        self.bodies: list[Any] = app.config["bodies"]
        app.before_request(self.check_key)
        app.register_error_handler(OpenAiError, self.refused)
        app.add_url_rule("/__bodies", view_func=lambda: jsonify(self.bodies), endpoint="bodies")
        app.add_url_rule("/v1/models", view_func=self.models)
        app.add_url_rule("/v1/chat/completions", view_func=self.complete, methods=["POST"])

    def check_key(self) -> None:
        if request.path.startswith("/__"):
            return
        if not hmac.compare_digest(request.headers.get("Authorization", "").encode(), self.expected.encode()):
            raise bad_key()
        self.fail(KEY_FAULTS)

    def fail(self, kinds: dict[str, Any]) -> None:
        for name, failure in kinds.items():
            if self.faults.take(name):
                raise failure()

    def models(self) -> ResponseReturnValue:
        return jsonify({"object": "list", "data": list(MODELS.values())})

    def complete(self) -> ResponseReturnValue:
        body = _parsed(request.get_data())
        self.bodies.append(body)
        self.refuse_parts(body)
        self.fail(CALL_FAULTS)
        _check(body)
        return jsonify(answer(body, self.faults))

    def refuse_parts(self, body: dict[str, Any]) -> None:
        limits = [name for name in _LIMITS if name in body]
        parts = {(body.get("response_format") or {}).get("type"), *limits, *(["limit"] if limits else [])}
        self.fail({name: failure for name, (part, failure) in PART_FAULTS.items() if part in parts})

    @staticmethod
    def refused(problem: OpenAiError) -> ResponseReturnValue:
        return Response(json.dumps(problem.body), problem.status, problem.headers, content_type="application/json")


def _parsed(raw: bytes) -> dict[str, Any]:
    try:
        body = json.loads(raw)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise error(400, "We could not parse the JSON body of your request.")
    return body


def _check(body: dict[str, Any]) -> None:
    for name in body.keys() - _FIELDS:
        raise unknown_field(name)
    if body.get("model") not in MODELS:
        raise no_model(str(body.get("model")))
    messages = body.get("messages")
    if not isinstance(messages, list) or not messages:
        raise error(400, "Missing required parameter: 'messages'.", param="messages")
    for limit in (body[name] for name in _LIMITS if name in body):
        if type(limit) is not int or limit < 1:
            raise error(400, "Invalid type for the limit of tokens.")
    if (body.get("response_format") or {}).get("type") == "json_object" and "json" not in _all_text(body).lower():
        raise error(400, "'messages' must contain the word 'json' to use 'response_format' of type 'json_object'.")
    model: dict[str, Any] = MODELS[body["model"]]
    reads = int(model.get("context_length", 1_000_000))
    if spent(body) > reads:
        raise too_long(reads, spent(body))


def _all_text(body: dict[str, Any]) -> str:
    return prompt_of(body, "system") + prompt_of(body, "user")
