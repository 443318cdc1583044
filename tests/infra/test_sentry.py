"""What reaches Sentry, at the other end of the wire, and what does not."""

from __future__ import annotations

import gzip
import json
import logging
import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
import sentry_sdk

from synkro.infra import log as logs
from synkro.infra import sentry
from tests.support.having import assert_entries

log = logging.getLogger("synkro.test_sentry")


class Inbox(BaseHTTPRequestHandler):
    """Keeps the events of the envelopes that are posted."""

    events: list[dict[str, Any]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        whole = gzip.decompress(body) if self.headers.get("Content-Encoding") == "gzip" else body
        _envelope, kind, event, *_ = [json.loads(line) for line in whole.splitlines() if line]
        if kind["type"] == "event":
            self.events.append(event)
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def events() -> Iterator[list[dict[str, Any]]]:
    handler = type("MyInbox", (Inbox,), {"events": []})
    logs.unbind()  # a job that an earlier test ran here leaves its ids to the next job
    server = HTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    root = logging.getLogger()
    before = list(root.handlers)
    sentry.init(f"http://key@127.0.0.1:{server.server_port}/1", "test")
    yield handler.events
    logs.unbind()
    sentry_sdk.get_client().close()
    sentry_sdk.get_global_scope().set_client(None)
    root.handlers[:] = before
    server.shutdown()
    server.server_close()


def broken(text: str) -> None:
    secret = text
    raise ValueError(f"cannot read {secret}")


def told(events: list[dict[str, Any]]) -> dict[str, Any]:
    sentry_sdk.flush(5)
    return events[0]


def test_an_error_arrives_with_its_kind_place_and_request(events: list[dict[str, Any]]) -> None:
    logs.bind(request_id="request-12345")
    try:
        broken("it")
    except ValueError as error:
        log.error("broke", exc_info=error)
    event = told(events)
    exception = event["exception"]["values"][0]
    assert_entries(event, message="broke", tags={"request_id": "request-12345"})
    assert exception["type"] == "ValueError"
    assert exception["stacktrace"]["frames"][-1]["function"] == "broken"


def test_words_values_and_variables_stay_here(events: list[dict[str, Any]]) -> None:
    try:
        broken("Aigerim asks for a discount")
    except ValueError as error:
        log.error("broke on %s", "a customer's words", exc_info=error, extra={"fields": {"chat": "a chat's name"}})
    text = json.dumps(told(events))
    assert [word for word in ("Aigerim", "customer", "chat's", "discount") if word in text] == []


def test_of_the_words_of_a_library_only_the_place_leaves(events: list[dict[str, Any]]) -> None:
    """Many write with f-strings: what a customer said is a part of the words themselves."""
    customer = "Aigerim"
    logging.getLogger("synkrotron.wire").error(f"cannot read what {customer} sent")  # noqa: G004
    event = told(events)
    assert re.fullmatch(r"synkrotron\.wire:\d+", event["message"])
    assert customer not in json.dumps(event)


def test_a_token_in_our_own_words_is_taken_out(events: list[dict[str, Any]]) -> None:
    log.error("POST https://vendor.example/bot123456789:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/send failed")
    message = told(events)["message"]
    assert message.startswith("POST")
    assert "AAAAAAAA" not in message


def test_what_is_no_error_stays_here(events: list[dict[str, Any]]) -> None:
    log.warning("slow")
    sentry_sdk.flush(5)
    assert events == []
