from __future__ import annotations

from types import SimpleNamespace

import pytest

from tests.support.having import assert_entries, assert_has

STEP = SimpleNamespace(status="done", colour="yellow", code=None)


def test_attributes_that_are_as_expected_say_nothing() -> None:
    assert_has(STEP, status="done", code=None)


def test_each_attribute_that_differs_is_named_with_both_values() -> None:
    with pytest.raises(AssertionError) as caught:
        assert_has(STEP, status="done", colour="green", code="busy")
    assert str(caught.value).splitlines() == [
        "SimpleNamespace:",
        "  colour is 'yellow', expected 'green'",
        "  code is None, expected 'busy'",
    ]


def test_entries_are_compared_by_their_keys() -> None:
    with pytest.raises(AssertionError, match="status is 'queued', expected 'done'"):
        assert_entries({"id": 7, "status": "queued"}, id=7, status="done")


def test_an_entry_that_is_not_there_differs_from_none() -> None:
    with pytest.raises(AssertionError, match="report is missing, expected None"):
        assert_entries({}, report=None)


def test_an_attribute_that_is_not_there_is_named() -> None:
    with pytest.raises(AssertionError, match="total is missing, expected 7"):
        assert_has(STEP, total=7)
