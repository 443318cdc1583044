"""These tests talk to stand-ins over HTTP."""

from __future__ import annotations

from tests.support.emulators import connect_amocrm, many, pacer, short_pauses, sockets, start, world

__all__ = ["connect_amocrm", "many", "pacer", "short_pauses", "sockets", "start", "world"]
