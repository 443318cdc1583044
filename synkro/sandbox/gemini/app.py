"""A stand-in of the Gemini API: models, generateContent and countTokens under /v1beta and /v1.

Bodies that left the building: `app.config["bodies"]` and `GET /__bodies`. Faults about keys: key_invalid, key_leaked,
key_not_accepted, geo, key_list_only, billing; about limits: 429_minute, 429_day, 429_bare, internal, unavailable,
deadline; array_wrapped puts the next error into a list. Outcomes: MAX_TOKENS, MAX_TOKENS_no_parts, SAFETY, RECITATION,
OTHER, NEW_REASON, prompt_blocked, empty_stop, two_parts. Twists of the text: invent_refs, no_evidence, foreign_refs
(value: the refs), bad_schema, not_json, inject_link.
"""

from __future__ import annotations

import json
from typing import Any

from flask import Flask, jsonify, request
from flask.typing import ResponseReturnValue

from synkro.sandbox.faults import Faults
from synkro.sandbox.gemini.answer import answer, prompt_of, tokens
from synkro.sandbox.gemini.errors import (
    CALL_FAULTS,
    KEY_FAULTS,
    GeminiError,
    bad_key,
    bearer_only,
    invalid,
    no_key,
    no_model,
    two_keys,
)
from synkro.sandbox.gemini.request import COUNT, GENERATE, check_sense, checked
from synkro.sandbox.keys import Keys

_WRITES = ["generateContent", "countTokens", "createCachedContent", "batchGenerateContent"]


def _model(name: str, title: str, output: int, methods: list[str], reads: int = 1_048_576) -> dict[str, Any]:
    return {
        "name": f"models/{name}",
        "version": "001",
        "displayName": title,
        "inputTokenLimit": reads,
        "outputTokenLimit": output,
        "supportedGenerationMethods": methods,
    }


MODELS = {
    one["name"].removeprefix("models/"): one
    for one in (
        _model("gemini-3.8-flash", "Gemini 3.8 Flash", 65_536, _WRITES),
        _model("gemini-3.5-flash-lite", "Gemini 3.5 Flash-Lite", 65_536, _WRITES),
        _model("gemini-2.5-flash-lite", "Gemini 2.5 Flash-Lite", 65_536, _WRITES),
        _model("gemini-3.8-flash-tts-preview", "Gemini 3.8 Flash TTS", 16_384, _WRITES),
        _model("gemini-embedding-2", "Embedding", 1, ["embedContent", "countTokens"], 8_192),
    )
}


def create_app(keys: Keys) -> Flask:
    """The API as one key sees it."""
    app = Flask(__name__)
    app.config["bodies"] = []
    _Api(app, Faults(app), keys)
    return app


class _Api:
    def __init__(self, app: Flask, faults: Faults, keys: Keys) -> None:
        self.faults = faults
        self.key = keys.gemini_key
        self.bodies: list[Any] = app.config["bodies"]
        app.before_request(self.check_key)
        app.register_error_handler(GeminiError, self.refused)
        app.add_url_rule("/__bodies", view_func=lambda: jsonify(self.bodies), endpoint="bodies")
        app.add_url_rule("/<any(v1,v1beta):version>/models", view_func=self.models)
        app.add_url_rule("/<any(v1,v1beta):version>/models/<name>", view_func=self.model)
        app.add_url_rule("/<any(v1,v1beta):version>/models/<call>", view_func=self.call, methods=["POST"])

    def check_key(self) -> None:
        if request.path.startswith("/__"):
            return
        key = request.headers.get("x-goog-api-key") or request.args.get("key")
        bearer = request.headers.get("Authorization")
        if len([one for one in (request.headers.get("x-goog-api-key"), request.args.get("key"), bearer) if one]) > 1:
            raise two_keys()
        if bearer:
            raise bearer_only()
        if not key:
            raise no_key()
        if key != self.key:
            raise bad_key()
        self.fail(KEY_FAULTS)

    def fail(self, kinds: dict[str, Any]) -> None:
        for name, failure in kinds.items():
            if self.faults.take(name):
                raise failure()

    def models(self, version: str) -> ResponseReturnValue:  # noqa: ARG002 -- the same list under both
        start, size = request.args.get("pageToken", "0"), request.args.get("pageSize", "50")
        if not (start.isdigit() and size.isdigit()):
            raise invalid("Invalid value at 'page_size' (TYPE_INT32)")
        following = int(start) + (min(int(size), 1000) or 50)
        page = {"models": list(MODELS.values())[int(start) : following]}
        return jsonify({**page, "nextPageToken": str(following)} if following < len(MODELS) else page)

    def model(self, version: str, name: str) -> ResponseReturnValue:
        if name not in MODELS:
            raise no_model(name, version)
        return jsonify(MODELS[name])

    def call(self, version: str, call: str) -> ResponseReturnValue:
        name, _, action = call.partition(":")
        raw = request.get_data()
        body = _parsed(raw)
        self.bodies.append(body)
        self.fail(CALL_FAULTS)
        if action not in MODELS.get(name, {}).get("supportedGenerationMethods", ()):
            raise no_model(name, version)
        if action == "countTokens":
            return jsonify(_count(checked(body, COUNT)))
        if action != "generateContent":
            raise GeminiError(501, "UNIMPLEMENTED", f"The stand-in does not know {action}")
        body = checked(body, GENERATE)
        model = MODELS[name]
        check_sense(body, name, model["outputTokenLimit"])
        _check_length(body, model["inputTokenLimit"])
        return jsonify(answer(body, name, self.faults))

    def refused(self, problem: GeminiError) -> ResponseReturnValue:
        wrapped = self.faults.take("array_wrapped")
        return jsonify([problem.body] if wrapped else problem.body), problem.code


def _parsed(raw: bytes) -> Any:
    try:
        return json.loads(raw)
    except (ValueError, RecursionError):
        raise invalid("Invalid JSON payload received. Unexpected token.") from None


def _count(body: dict[str, Any]) -> dict[str, Any]:
    inner = body.get("generateContentRequest", body)
    total = tokens(prompt_of(inner, "contents")) + tokens(prompt_of(inner, "systemInstruction"))
    return {"totalTokens": total, "promptTokensDetails": [{"modality": "TEXT", "tokenCount": total}]}


def _check_length(body: dict[str, Any], limit: int) -> None:
    total = _count(body)["totalTokens"]
    if total > limit:
        text = f"The input token count ({total}) exceeds the maximum number of tokens allowed ({limit})."
        raise invalid(text)
