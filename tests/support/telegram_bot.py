"""The bot of the stand-in."""

from __future__ import annotations

import pytest

from synkro.integrations.telegram.client import Telegram
from synkro.sandbox.keys import Keys
from synkro.sandbox.telegram.app import create_app
from tests.support.emulators import Counted, Emulator, Start, client_to

KEY = Keys()
GROUP = KEY.telegram_chat_id
HTML, PLAIN = "<b>Отчёт</b>\nСделок: 12", "Отчёт\nСделок: 12"


@pytest.fixture
def emulator(start: Start) -> Emulator:
    found = start(create_app(KEY))
    found.set(flood=False)
    return found


def open_bot(emulator: Emulator, pacer: Counted | None = None, **settings: str) -> Telegram:
    given = {"bot_token": KEY.telegram_token, "chat_id": str(GROUP), **settings}
    return Telegram(given, client_to(pacer or Counted(), telegram=emulator))
