"""Errors to Sentry, where the installation has one: what broke and where, never what anybody wrote."""

from __future__ import annotations

import logging
from typing import cast

import sentry_sdk
from sentry_sdk.integrations.atexit import AtexitIntegration
from sentry_sdk.types import Event, Hint
from sentry_sdk.utils import event_from_exception

from synkro.infra import log as logs


class ToSentry(logging.Handler):
    """Lines of the level ERROR. Of ours the words around the values go, the values stay here."""

    def emit(self, record: logging.LogRecord) -> None:
        event: Event = {"level": "error", "logger": record.name, "message": _words(record), "tags": logs.context()}
        if record.exc_info and record.exc_info[1]:
            found, _ = event_from_exception(record.exc_info, client_options=sentry_sdk.get_client().options)
            event["exception"] = found["exception"]
        sentry_sdk.capture_event(event)


def _words(record: logging.LogRecord) -> str:
    # a library may have put the values into the words before it logs them
    is_ours = record.name.partition(".")[0] == "synkro"
    return str(record.msg) if is_ours else f"{record.name}:{record.lineno}"


def init(dsn: str, environment: str) -> None:
    """Once per process. Nothing is collected by itself: no requests, no local variables, no traces."""
    sentry_sdk.init(
        dsn=dsn,
        environment=environment,
        before_send=scrubbed,
        default_integrations=False,
        auto_enabling_integrations=False,
        integrations=[AtexitIntegration(callback=lambda _pending, _timeout: None)],
        include_local_variables=False,
        include_source_context=False,
        max_breadcrumbs=0,
        auto_session_tracking=False,
        server_name="",
    )
    logging.getLogger().addHandler(ToSentry(logging.ERROR))


def scrubbed(event: Event, _hint: Hint) -> Event:
    """The text of an exception may hold what a customer said: its kind and its place are enough to find the fault."""
    for exception in event.get("exception", {}).get("values", []):
        exception["value"] = ""
    return cast(Event, logs.clean(event))
