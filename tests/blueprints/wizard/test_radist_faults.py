"""Every trouble of Radist that a check or the search for dialogs can meet: its colour, its code and its sentence."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from synkro.integrations.base import SAMPLE
from synkro.services.connections import checks, trials
from synkro.tenancy import tenant_scope
from tests.support.clocks import LATE_SECONDS
from tests.support.emulators import short_pauses as short_pauses  # noqa: PLC0414 (a fixture of theirs)
from tests.support.faults import Fault
from tests.support.having import assert_has
from tests.support.practice import Practice
from tests.support.radist_dialogs import choose, deals_of, made, spoken
from tests.support.seeing import assert_plain, seen

MAX_ONLY = [{"connection_id": 7_001, "type": "max_personal", "name": "MAX"}]

FAULTS: list[Fault] = [
    Fault("the key is wrong or was revoked", {"set": {"revoked": True}}, "red", "radist_key_refused"),
    Fault("the key has no right `messaging`", {"set": {"scopes": ["connections"]}}, "red", "radist_no_rights"),
    Fault(
        "a typed company does not exist or belongs to others",
        {"settings": {"company_id": "1"}},
        "red",
        "radist_company_elsewhere",
    ),
    Fault("a typed company is no number", {"settings": {"company_id": "seven"}}, "red", "radist_company_elsewhere"),
    Fault(
        "a typed company is not there, and the key has none",
        {"set": {"companies": 0}, "settings": {"company_id": "1"}},
        "red",
        "radist_not_found",
    ),
    Fault(
        "no company is typed and the key has several",
        {"set": {"companies": 3}, "settings": {"company_id": ""}},
        "red",
        "radist_choose_company",
    ),
    Fault(
        "the key has no company", {"settings": {"company_id": ""}, "set": {"companies": 0}}, "red", "radist_no_company"
    ),
    Fault(
        "no messenger that Synkro reads is connected", {"set": {"sources": MAX_ONLY}}, "yellow", "radist_no_messengers"
    ),
    Fault(
        "a chosen messenger was disconnected",
        {"settings": {"connections": "7001,999"}},
        "yellow",
        "radist_connection_gone",
    ),
    Fault(
        "only messengers that Synkro does not read are chosen",
        {
            "set": {"sources": [*MAX_ONLY, {"connection_id": 7_002, "type": "waba"}]},
            "settings": {"connections": "7001"},
        },
        "yellow",
        "radist_choice_unread",
    ),
    Fault("it refuses a request that we make (422)", {"set": {"max_limit": 1}}, "red", "radist_rejected"),
    Fault("too many requests, without end", {"set": {"busy_every": 1}}, "red", "busy"),
    Fault("no messenger is connected at all", {"set": {"sources": []}}, "yellow", "radist_no_messengers"),
    Fault("too many requests, told by a page", {"fault": "429_html", "times": -1}, "red", "busy"),
    Fault("too many requests, wait half an hour", {"set": {"busy_every": 1, "retry_after": 1_800}}, "red", "busy"),
    Fault("an error on its side (500), without end", {"fault": "500", "times": -1}, "red", "server_error"),
    Fault("it is being worked on (503), without end", {"fault": "503", "times": -1}, "red", "server_error"),
    Fault("a gateway's page (502), without end", {"fault": "502_html", "times": -1}, "red", "server_error"),
    Fault("it closes the connection before it answers", {"fault": "drop", "times": -1}, "red", "unreachable"),
    Fault("it closes the connection instead of answering", {"fault": "drop_after", "times": -1}, "red", "unreachable"),
    Fault("a web page instead of an answer", {"fault": "html", "times": -1}, "red", "not_json"),
    Fault("half an answer", {"fault": "broken_json", "times": -1}, "red", "not_json"),
    Fault("an empty answer", {"fault": "empty", "times": -1}, "red", "not_json"),
    Fault("an answer of another form", {"set": {"wrap": "surprise"}}, "red", "unexpected_shape"),
    Fault("an answer of 50 MB", {"fault": "huge", "times": -1}, "red", "too_large"),
    Fault("no answer in time", {"fault": "slow", "seconds": LATE_SECONDS, "times": -1}, "red", "too_slow"),
]
"""Met by the check; the red ones by the search for dialogs, too."""

PASSING: list[tuple[str, dict[str, Any]]] = [
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


@pytest.fixture(autouse=True)
def now_of_the_world(practice: Practice, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("synkro.jobs.connections.acts.radist.clock", SimpleNamespace(now=lambda: practice.world.now))


def caused(practice: Practice, fault: Fault) -> None:
    if fault.typed:
        choose(practice, **fault.typed)
    if fault.order:
        practice.control("radist", **fault.order)


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_a_check_says_what_is_wrong(practice: Practice, fault: Fault) -> None:
    caused(practice, fault)
    found = seen(practice, "radist")
    assert_has(found, colour=fault.colour, code=fault.code)
    assert_plain(found.sentence)


@pytest.mark.parametrize("order", [order for _, order in PASSING], ids=[what for what, _ in PASSING])
def test_what_passes_leaves_a_check_green(practice: Practice, order: dict[str, Any]) -> None:
    practice.control("radist", **order)
    with tenant_scope(practice.tenant.id):
        assert checks.run("radist").colour == "green"


@pytest.mark.usefixtures("impatient")
@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.colour == "red"], ids=str)
def test_the_search_for_dialogs_says_what_is_wrong(practice: Practice, fault: Fault) -> None:
    deals_of(practice, [spoken(practice)[0]])
    caused(practice, fault)
    found = seen(practice, "radist", SAMPLE)
    assert_has(found, colour=fault.colour, code=fault.code)
    assert_plain(found.sentence)
    with tenant_scope(practice.tenant.id):
        assert trials.result(trials.latest("radist", SAMPLE)) is None


@pytest.mark.parametrize("order", [order for _, order in PASSING[:-1]], ids=[what for what, _ in PASSING[:-1]])
def test_what_passes_leaves_the_search_green(practice: Practice, order: dict[str, Any]) -> None:
    deals_of(practice, [spoken(practice)[0]])
    practice.control("radist", **order)
    assert made(practice, "radist", "sample").code == "radist_sample_ok"
