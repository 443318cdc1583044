"""Several facts about one thing in one assertion that names each fact that differs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

ABSENT = object()


def assert_has(thing: object, /, **expected: object) -> None:
    """`assert_has(step, status="done", code=None)`: the attributes of `thing` equal what is expected."""
    __tracebackhide__ = True
    found = {name: getattr(thing, name, ABSENT) for name in expected}
    assert_same(type(thing).__name__, found, expected)


def assert_entries(mapping: Mapping[str, Any], /, **expected: object) -> None:
    """`assert_entries(answer, status="queued", report=None)`: the entries of `mapping`; it may have others."""
    __tracebackhide__ = True
    found = {name: mapping.get(name, ABSENT) for name in expected}
    assert_same("entries", found, expected)


def assert_same(of_what: str, found: Mapping[str, object], expected: Mapping[str, object]) -> None:
    __tracebackhide__ = True
    differing = [
        f"  {name} is {'missing' if found[name] is ABSENT else repr(found[name])}, expected {value!r}"
        for name, value in expected.items()
        if found[name] != value
    ]
    if differing:
        raise AssertionError("\n".join([f"{of_what}:", *differing]))
