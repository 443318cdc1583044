"""The routes of the program as an OpenAPI document, with the fields that the views read from their forms."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from typing import Any

from flask import Flask
from werkzeug.routing import IntegerConverter, Rule, UUIDConverter
from wtforms import Form
from wtforms.fields.core import UnboundField

Shape = dict[str, Any]
TEXT: Shape = {"type": "string"}
READ_NAMES = r"""request\.{where}(?:\.get(?:list)?\(|\[)["'](\w+)["']"""
HUGE: Shape = {str(n): {"value": str(10**n)} for n in (9, 18, 19, 40, 400)}
"""Beyond what the columns of a database hold."""
SIGNS_OUT = {"auth.logout"}
"""Would only measure how quickly the driver signs in again."""


def document(app: Flask, ids: Mapping[str, str]) -> Shape:
    """ids: of rows that exist, by the name of the argument. Other arguments are free."""
    paths: dict[str, Shape] = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint == "static" or rule.endpoint in SIGNS_OUT or not _is_own(app, rule):
            continue
        path = re.sub(r"<(?:[^:<>]+:)?(\w+)>", r"{\1}", rule.rule)
        for method in sorted((rule.methods or set()) - {"HEAD", "OPTIONS"}):
            paths.setdefault(path, {})[method.lower()] = _operation(app, rule, method, ids)
    return {"openapi": "3.0.3", "info": {"title": "Synkro", "version": "1"}, "paths": paths}


def _is_own(app: Flask, rule: Rule) -> bool:
    """Pages that a library brings are not ours to mend; what leads to them is swept by the tests."""
    return str(inspect.unwrap(app.view_functions[rule.endpoint]).__module__).startswith("synkro.")


def _operation(app: Flask, rule: Rule, method: str, ids: Mapping[str, str]) -> Shape:
    view = app.view_functions[rule.endpoint]
    source = _source(view)
    named = [_argument(rule, name, ids) for name in sorted(rule.arguments)]
    asked = set(re.findall(READ_NAMES.format(where="args"), source))
    asked |= {"page"} if "asked_page(" in source else set()
    asked |= _fields(view, source) if method == "GET" and "(request.args" in source else set()
    named += [{"name": name, "in": "query", "schema": TEXT, "examples": HUGE} for name in sorted(asked)]
    told: Shape = {"operationId": f"{method} {rule.endpoint}", "parameters": named}
    if method != "GET":
        fields = _fields(view, source) | set(re.findall(READ_NAMES.format(where="form"), source))
        form = {"type": "object", "properties": dict.fromkeys(sorted(fields), TEXT), "additionalProperties": False}
        told["requestBody"] = {"content": {"application/x-www-form-urlencoded": {"schema": form}}}
    return {**told, "responses": {"default": {"description": "any"}}}


def _argument(rule: Rule, name: str, ids: Mapping[str, str]) -> Shape:
    converter = rule._converters[name]  # noqa: SLF001 (werkzeug tells it nowhere else)
    shape: Shape = {"type": "integer"} if isinstance(converter, IntegerConverter) else {**TEXT, "minLength": 1}
    if isinstance(converter, UUIDConverter):
        shape = {"type": "string", "format": "uuid"}
    examples: Shape = {name: {"value": int(one["value"])} for name, one in HUGE.items()}
    told: Shape = {"name": name, "in": "path", "required": True}
    if known := ids.get(name):
        shape, examples = {"anyOf": [{"enum": [known]}, shape]}, {"known": {"value": known}}
    if isinstance(converter, UUIDConverter) and not known:
        examples = {"nobody's": {"value": "00000000-0000-4000-8000-000000000000"}}
    return {**told, "schema": shape, "examples": examples}


def _source(view: Callable[..., Any]) -> str:
    """Of the view and of the functions of its module that it calls."""
    inner = inspect.unwrap(view)
    own = inspect.getsource(inner)
    near = [inner.__globals__.get(name) for name in re.findall(r"\b([a-z_]+)\(", own)]
    return own + "".join(inspect.getsource(one) for one in near if inspect.isfunction(one))


def _fields(view: Callable[..., Any], source: str) -> set[str]:
    found: set[str] = set()
    for name in re.findall(r"\b([A-Z]\w*)\(", source):
        form = inspect.unwrap(view).__globals__.get(name)
        if inspect.isclass(form) and issubclass(form, Form):
            found |= {key for key in dir(form) if isinstance(getattr(form, key), UnboundField)}
    return found
