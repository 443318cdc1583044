"""What a request to the Gemini API may hold: unknown fields and wrong types are refused, as Google's proxy does."""

from __future__ import annotations

import re
from typing import Any

from synkro.sandbox.gemini.errors import invalid, unknown_field

ANYTHING = object()
_TYPES = {str: "TYPE_STRING", int: "TYPE_INT32", float: "TYPE_FLOAT", bool: "TYPE_BOOL"}
_BLOB = {"mimeType": str, "data": str}
_FILE = {"mimeType": str, "fileUri": str}
_PART = {"text": str, "thought": bool, "thoughtSignature": str, "inlineData": _BLOB, "fileData": _FILE}
_CONTENT = {"role": str, "parts": [_PART]}
_GENERATION = {
    "maxOutputTokens": int,
    "temperature": float,
    "topP": float,
    "topK": int,
    "candidateCount": int,
    "stopSequences": [str],
    "seed": int,
    "responseMimeType": str,
    "responseSchema": ANYTHING,
    "responseJsonSchema": ANYTHING,
    "presencePenalty": float,
    "frequencyPenalty": float,
    "thinkingConfig": {"thinkingLevel": str, "thinkingBudget": int, "includeThoughts": bool},
}
GENERATE = {
    "model": str,
    "contents": [_CONTENT],
    "systemInstruction": _CONTENT,
    "generationConfig": _GENERATION,
    "safetySettings": [{"category": str, "threshold": str}],
    "cachedContent": str,
    "serviceTier": str,
    "tools": ANYTHING,
    "toolConfig": ANYTHING,
    "labels": ANYTHING,
}
COUNT = {"contents": [_CONTENT], "generateContentRequest": GENERATE}
_LEVELS = {"MINIMAL", "LOW", "MEDIUM", "HIGH"}


def checked(body: Any, shape: Any, where: str = "") -> Any:
    """The body with field names in camelCase: the wire takes snake_case too. Raises GeminiError 400."""
    if shape is ANYTHING:
        return body
    if isinstance(shape, dict):
        if not isinstance(body, dict):
            raise invalid(f"Invalid value at '{where}': {body!r}")
        return {_camel(name): _field(name, value, shape, where) for name, value in body.items()}
    if isinstance(shape, list):
        items = body if isinstance(body, list) else [body]
        return [checked(item, shape[0], f"{where}[{index}]") for index, item in enumerate(items)]
    if not isinstance(body, (int, float) if shape is float else shape) or (shape is not bool and body is True):
        raise invalid(f"Invalid value at '{where}' ({_TYPES[shape]}), {body!r}")
    return body


def _field(name: str, value: Any, shape: dict[str, Any], where: str) -> Any:
    if _camel(name) not in shape:
        raise unknown_field(name, where)
    return checked(value, shape[_camel(name)], f"{where}.{name}".lstrip("."))


def _camel(name: str) -> str:
    return re.sub(r"_([a-z])", lambda found: found[1].upper(), name)


def check_sense(body: dict[str, Any], model: str, model_output: int) -> None:
    """Rules about values that belong together. Raises GeminiError 400."""
    if not body.get("contents"):
        raise invalid("* GenerateContentRequest.contents: contents is not specified\n")
    for content in body["contents"]:
        if content.get("role", "user") not in {"user", "model"}:
            raise invalid("Please use a valid role: user, model.")
        if not content.get("parts"):
            raise invalid("* GenerateContentRequest.contents[0].parts: contents.parts must not be empty.\n")
    config = body.get("generationConfig", {})
    limit = config.get("maxOutputTokens", 1)
    if not 1 <= limit <= model_output:
        raise invalid(f"max_output_tokens must be between 1 and {model_output + 1} (exclusive), got {limit}")
    schemas = {"responseSchema", "responseJsonSchema"} & config.keys()
    if len(schemas) > 1:
        raise invalid("Only one of response_schema and response_json_schema may be set.")
    if schemas and config.get("responseMimeType") != "application/json":
        raise invalid("Function calling with a response mime type: 'text/plain' is unsupported with a response schema.")
    _check_thinking(config.get("thinkingConfig", {}), model)


def _check_thinking(thinking: dict[str, Any], model: str) -> None:
    level = thinking.get("thinkingLevel")
    if level is None:
        return
    if "thinkingBudget" in thinking:
        raise invalid("You can only set one of thinking budget and thinking level.")
    levels = set() if "-2.5-" in model else _LEVELS - {"MINIMAL"} if "-3.8-" in model else _LEVELS
    if level not in levels:
        raise invalid(f"Thinking level {level} is not supported for this model.")
