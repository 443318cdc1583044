"""Writes the stand-in's answer: JSON valid for any schema, the same for the same prompt, with refs from the prompt."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Any

from synkro.sandbox.gemini.reading import Group, Reading

_REFS = {"evidence", "refs"}
_NAMES = {"name", "manager"}
_MOST = 3
LINK = ' <a href="https://evil.example/login">Подтвердите вход</a> [сюда](https://evil.example/)'
"""What the fault inject_link adds to every sentence."""

Schema = dict[str, Any]


def sentence(group: Group, reading: Reading) -> str:
    """What the answer says of a group of messages: no numbers, because a model may take those from the data only."""
    if group in reading.managers:
        return f"С клиентами речь чаще всего {reading.asked_in(group).topic.label}."
    if group.label:
        return f"Клиенты спрашивают {group.label}. {group.topic.advice}"
    if not reading.topics:
        return "Вопросов от клиентов в переписке нет."
    first, *others = (topic.label for topic in reading.topics)
    then = f", затем {others[0]}" if others else ""
    return f"Чаще всего клиенты спрашивают {first}{then}."


def write(schema: Schema, reading: Reading) -> Any:
    """JSON for the schema: a subset of JSON Schema or of OpenAPI, whose type names are upper-case."""
    return _Writer(schema, reading).value(schema, "", reading.all)


class _Writer:
    def __init__(self, root: Schema, reading: Reading) -> None:
        self.root = root
        self.reading = reading

    def value(self, schema: Schema, name: str, group: Group) -> Any:
        schema = self.resolved(schema)
        if "const" in schema:
            return schema["const"]
        if choices := schema.get("enum"):
            kind = group.topic.kind
            return kind if kind in choices else choices[zlib.crc32(group.label.encode()) % len(choices)]
        kind = schema.get("type", "object" if "properties" in schema else "string")
        kind = next(one for one in kind if one != "null") if isinstance(kind, list) else kind
        writers: dict[str, Callable[[Schema, str, Group], Any]] = {
            "object": self.mapping,
            "array": self.items,
            "string": self.text,
            "integer": self.number,
            "number": self.number,
            "boolean": lambda *_: bool(group.said),
            "null": lambda *_: None,
        }
        return writers[kind.lower()](schema, name, group)

    def resolved(self, schema: Schema) -> Schema:
        while reference := schema.get("$ref"):
            schema = self.root
            for step in reference.removeprefix("#/").split("/"):
                schema = schema[step]
        options = schema.get("anyOf") or schema.get("oneOf")
        return self.resolved(options[0]) if options else schema

    def mapping(self, schema: Schema, _: str, group: Group) -> dict[str, Any]:
        return {name: self.value(inner, name, group) for name, inner in schema.get("properties", {}).items()}

    def items(self, schema: Schema, name: str, group: Group) -> list[Any]:
        inner = self.resolved(schema.get("items", {}))
        most = min(_MOST, schema.get("maxItems", _MOST))
        if name in _REFS:
            return group.refs[:most]
        people = bool(_NAMES & inner.get("properties", {}).keys())
        groups = list(self.reading.managers if people else self.reading.topics)[:most]
        while len(groups) < schema.get("minItems", 0):
            groups.append(group)
        return [self.value(inner, name, one) for one in groups]

    def text(self, schema: Schema, name: str, group: Group) -> str:
        if name in _NAMES and group.label:
            return group.label
        if name == "ref" and group.said:
            return group.refs[0]
        return sentence(group, self.reading)[: schema.get("maxLength")]

    @staticmethod
    def number(schema: Schema, _: str, group: Group) -> int:
        return int(max(schema.get("minimum", 0), min(schema.get("maximum", len(group.said)), len(group.said))))


def with_refs(answer: Any, change: Callable[[list[str]], list[str]]) -> Any:
    """The answer with every list of refs changed."""
    if isinstance(answer, list):
        return [with_refs(one, change) for one in answer]
    if isinstance(answer, dict):
        return {
            name: change(value) if name in _REFS and isinstance(value, list) else with_refs(value, change)
            for name, value in answer.items()
        }
    return answer


def with_links(answer: Any) -> Any:
    """The answer with a link after every sentence; names, refs and words of an enum have no full stop."""
    if isinstance(answer, list):
        return [with_links(one) for one in answer]
    if isinstance(answer, dict):
        return {name: with_links(value) for name, value in answer.items()}
    return answer + LINK if isinstance(answer, str) and answer.endswith(".") else answer
