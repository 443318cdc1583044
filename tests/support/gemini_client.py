"""A client of Gemini."""

from __future__ import annotations

import pytest

from synkro.integrations.ai.client import Ai
from synkro.sandbox.gemini.app import create_app
from synkro.sandbox.keys import Keys
from tests.support.emulators import Counted, Emulator, Start, client_to

KEY = Keys()
MODEL = "gemini-3.8-flash"
SCHEMA = {"type": "object", "properties": {"summary": {"type": "string"}}, "required": ["summary"]}


@pytest.fixture
def emulator(start: Start) -> Emulator:
    return start(create_app(KEY))


def open_ai(emulator: Emulator, **settings: str) -> Ai:
    return Ai({"api_key": KEY.gemini_key, "model": MODEL, **settings}, client_to(Counted(), gemini=emulator))
