"""Every route of the program, addressed with given ids: one that is added tomorrow is swept as it is."""

from __future__ import annotations

import re
import uuid
from html.parser import HTMLParser

from flask import Flask
from werkzeug.routing import IntegerConverter, Rule, UUIDConverter

from synkro.integrations import INTEGRATIONS
from tests.support.web_client import Browser

SAFE = {"GET", "HEAD", "OPTIONS"}
Ids = dict[str, uuid.UUID]
SERVICE = "supabase"


def readable(app: Flask) -> list[Rule]:
    return [rule for rule in _rules(app) if "GET" in (rule.methods or ())]


def writable(app: Flask) -> list[tuple[str, Rule]]:
    """(method, rule) of everything that may change a row."""
    return [(method, rule) for rule in _rules(app) for method in sorted((rule.methods or set()) - SAFE)]


def _rules(app: Flask) -> list[Rule]:
    return sorted(app.url_map.iter_rules(), key=lambda rule: rule.endpoint)


def paths_of(app: Flask, rule: Rule, ids: Ids) -> list[str]:
    """As path_of, for each service where it is about one."""
    one = path_of(app, rule, ids)
    return [one.replace(f"/{SERVICE}", f"/{kind}") for kind in INTEGRATIONS] if "kind" in rule.arguments else [one]


def path_of(app: Flask, rule: Rule, ids: Ids) -> str:
    """Arguments without a place in ids: 1 or a word, by the converter. An id has to have one."""
    with app.test_request_context():
        return app.url_for(rule.endpoint, **{name: _value(rule, name, ids) for name in rule.arguments})


def _value(rule: Rule, name: str, ids: Ids) -> object:
    words = {"kind": SERVICE, "act": "sample", "filename": "favicon.svg", "slug": "alfa", "which": "knowledge"}
    if name in ids or name in words:
        return ids.get(name) or words[name]
    if name in (rule.defaults or {}):
        return rule.defaults[name]
    converter = rule._converters[name]
    assert not isinstance(converter, UUIDConverter), f"{rule.rule}: no id to open it with"
    return 1 if isinstance(converter, IntegerConverter) else "x" * 43


class _Forms(HTMLParser):
    """The forms of a page that post: address -> names of its fields."""

    def __init__(self) -> None:
        super().__init__()
        self.found: dict[str, set[str]] = {}
        self._here: set[str] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        told = dict(attrs)
        if tag == "form":
            posts = (told.get("method") or "").lower() == "post"
            self._here = self.found.setdefault(told.get("action") or "", set()) if posts else None
        elif tag in ("input", "select", "textarea", "button") and self._here is not None and told.get("name"):
            self._here.add(str(told["name"]))

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._here = None


def forms_of(app: Flask, browser: Browser, ids: Ids) -> dict[str, set[str]]:
    """Every form that this person finds on any page. A form without an address posts to its own page."""
    found: dict[str, set[str]] = {}
    for rule in readable(app):
        path = path_of(app, rule, ids)
        answer = browser.get(path, buffered=True)
        if answer.mimetype == "text/html":
            parser = _Forms()
            parser.feed(answer.text)
            for action, names in parser.found.items():
                found.setdefault(action or path, set()).update(names - {"csrf_token"})
        answer.close()
    return found


class _Code(HTMLParser):
    """What a browser would carry out if it showed the page: code in an address, in an attribute, between tags."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._in_script = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._in_script = tag == "script"
        for name, value in attrs:
            is_address = name in ("href", "src", "action", "formaction", "srcdoc", "xlink:href")
            runs = re.match(r"[\s\x00-\x20]*(javascript|data|vbscript):", value or "", re.IGNORECASE)
            if name.startswith("on") or (is_address and runs):
                self.found.append(f"<{tag} {name}={value}>")

    def handle_data(self, data: str) -> None:
        if self._in_script and data.strip():
            self.found.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._in_script = self._in_script and tag != "script"


def code_in(page: str) -> list[str]:
    parser = _Code()
    parser.feed(page)
    return parser.found
