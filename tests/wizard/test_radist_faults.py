"""Every trouble of Radist that a check or the search for dialogs can meet: its colour, its code and its sentence."""

from __future__ import annotations

import time
from types import SimpleNamespace
from typing import Any

import pytest

from synkro import queue
from synkro.jobs.worker import work_on
from synkro.services import checks, integrations, trials
from synkro.tenancy import tenant_scope
from tests.integrations.conftest import short_pauses as short_pauses  # noqa: PLC0414 (a fixture of theirs)
from tests.practice import Practice
from tests.wizard.test_radist import choose, deals_of, made, spoken

Order = dict[str, Any]
Fault = tuple[str, Order, str, str]
MAX_ONLY = [{"connection_id": 7_001, "type": "max_personal", "name": "MAX"}]

FAULTS: list[Fault] = [
    ("the key is wrong or was revoked", {"set": {"revoked": True}}, "red", "radist_key_refused"),
    ("the key has no right `messaging`", {"set": {"scopes": ["connections"]}}, "red", "radist_no_rights"),
    ("a typed company does not exist or belongs to others", {"company_id": "1"}, "red", "radist_not_found"),
    ("a typed company is no number", {"company_id": "seven"}, "red", "radist_not_found"),
    (
        "no company is typed and the key has several",
        {"set": {"companies": 3}, "company_id": ""},
        "red",
        "radist_choose_company",
    ),
    ("the key has no company", {"company_id": "", "set": {"companies": 0}}, "red", "radist_no_company"),
    ("no messenger that Synkro reads is connected", {"set": {"sources": MAX_ONLY}}, "yellow", "radist_no_messengers"),
    ("a chosen messenger was disconnected", {"connections": "7001,999"}, "yellow", "radist_connection_gone"),
    (
        "only messengers that Synkro does not read are chosen",
        {"set": {"sources": [*MAX_ONLY, {"connection_id": 7_002, "type": "waba"}]}, "connections": "7001"},
        "yellow",
        "radist_choice_unread",
    ),
    ("it refuses a request that we make (422)", {"set": {"max_limit": 1}}, "red", "radist_rejected"),
    ("too many requests, without end", {"set": {"busy_every": 1}}, "red", "busy"),
    ("too many requests, wait half an hour", {"set": {"busy_every": 1, "retry_after": 1_800}}, "red", "busy"),
    ("an error on its side (500), without end", {"fault": "500", "times": -1}, "red", "server_error"),
    ("it is being worked on (503), without end", {"fault": "503", "times": -1}, "red", "server_error"),
    ("a gateway's page (502), without end", {"fault": "502_html", "times": -1}, "red", "server_error"),
    ("it closes the connection before it answers", {"fault": "drop", "times": -1}, "red", "unreachable"),
    ("it closes the connection instead of answering", {"fault": "drop_after", "times": -1}, "red", "unreachable"),
    ("a web page instead of an answer", {"fault": "html", "times": -1}, "red", "not_json"),
    ("half an answer", {"fault": "broken_json", "times": -1}, "red", "not_json"),
    ("an empty answer", {"fault": "empty", "times": -1}, "red", "not_json"),
    ("an answer of another form", {"set": {"wrap": "surprise"}}, "red", "unexpected_shape"),
    ("an answer of 50 MB", {"fault": "huge", "times": -1}, "red", "too_large"),
]
"""What happens, how it is caused on the stand-in or by what was typed, the colour and the code of the check."""

PASSING: list[tuple[str, Order]] = [
    ("a single 500", {"fault": "500", "times": 1}),
    ("a single dropped connection", {"fault": "drop", "times": 1}),
    ("every third request is one too many", {"set": {"busy_every": 3}}),
    ("pages of at most 50", {"set": {"max_limit": 50}}),
    ("times without a zone", {"set": {"naive_timestamps": True}}),
    ("a message of an unknown type", {"set": {"unknown_type": "hologram"}}),
    ("lists under another name", {"set": {"wrap": "items"}}),
    ("the chat list goes in a circle", {"set": {"cursor_loop": True}}),
]
"""What costs nothing but time."""

FIELDS = ("company_id", "connections")


@pytest.fixture(autouse=True)
def now_of_the_world(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synkro.jobs.acts.radist.clock", SimpleNamespace(now=lambda: practice.world.now))


def caused(practice: Practice, order: Order) -> None:
    if typed := {name: order[name] for name in FIELDS if name in order}:
        choose(practice, **typed)
    if there := {name: value for name, value in order.items() if name not in FIELDS}:
        practice.control("radist", **there)


def names(rows: list[Any]) -> list[str]:
    return [row[0] for row in rows]


@pytest.mark.parametrize(("order", "colour", "code"), [row[1:] for row in FAULTS], ids=names(FAULTS))
def test_a_check_says_what_is_wrong(practice: Practice, order: Order, colour: str, code: str) -> None:
    caused(practice, order)
    with tenant_scope(practice.tenant.id):
        checks.run("radist")
        config = integrations.find("radist")
        assert config is not None
        assert (config.check_colour, config.check_code) == (colour, code)
        says = checks.says(config)
    assert says not in ("", code)
    assert "%(" not in says


@pytest.mark.parametrize("order", [row[1] for row in PASSING], ids=names(PASSING))
def test_what_passes_leaves_a_check_green(practice: Practice, order: Order) -> None:
    caused(practice, order)
    with tenant_scope(practice.tenant.id):
        assert checks.run("radist").colour == "green"


RED = [row for row in FAULTS if row[2] == "red"]


@pytest.mark.parametrize(("order", "colour", "code"), [row[1:] for row in RED], ids=names(RED))
def test_the_search_for_dialogs_says_what_is_wrong(practice: Practice, order: Order, colour: str, code: str) -> None:
    deals_of(practice, [spoken(practice)[0]])
    caused(practice, order)
    trial = made(practice, "radist", "sample")
    with tenant_scope(practice.tenant.id):
        assert (trial.colour, trial.code) == (colour, code)
        assert trials.says(trial) not in ("", code)
        assert trials.result(trial) is None


@pytest.mark.parametrize("order", [row[1] for row in PASSING[:-1]], ids=names(PASSING[:-1]))
def test_what_passes_leaves_the_search_green(practice: Practice, order: Order) -> None:
    deals_of(practice, [spoken(practice)[0]])
    caused(practice, order)
    assert made(practice, "radist", "sample").code == "radist_sample_ok"


def test_a_vendor_that_answers_too_late_meets_the_deadline(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "CHECK_SECONDS", 1)
    practice.control("radist", fault="slow", seconds=4, times=-1)
    with tenant_scope(practice.tenant.id):
        checks.request("radist")
    begun = time.monotonic()
    work_on(practice.app, queue.CHECKS, burst=True)
    assert time.monotonic() - begun < 4
    with tenant_scope(practice.tenant.id):
        config = integrations.find("radist")
        assert config is not None
        assert (config.check_colour, config.check_code) == ("red", "check_too_long")
        assert checks.says(config)
