"""A few dialogs on their way to the model and back: what their quotes cost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from synkro.analysis.ai.dialogs import LINE_LIMIT
from synkro.analysis.figures.calendar import WorkingHours
from synkro.analysis.text.masking import Masker
from synkro.infra import clock
from synkro.infra.records import Chat, Message
from synkro.jobs.connections.sample_package import packaged, sampled
from synkro.jobs.reports.evidence import LONGEST_QUOTE

QUOTES = 50


def test_a_very_long_message_may_be_quoted_often(monkeypatch: pytest.MonkeyPatch) -> None:
    """To hide names and numbers takes its time in a long text: of each only what was sent is looked through."""
    looked_through = []
    mask = Masker.mask

    def seen(self: Masker, text: str, *names: Any) -> str:
        looked_through.append(len(text))
        return mask(self, text, *names)

    monkeypatch.setattr(Masker, "mask", seen)
    chat = Chat(1, 7, 1, "c1", "Aigerim", "77015550101")
    at = clock.now() - timedelta(hours=1)
    said = Message("m1", 1, 7, 1, at, "in", "text", "http://" * 3_000)
    row = {"chat": chat.to_json(), "phone": "", "lead_id": 1, "manager": "", "messages": [said.to_json()]}
    made = packaged(sampled([row], {}), WorkingHours.office(ZoneInfo("Asia/Almaty")))
    quotes = made.quotes(list(made.refs) * QUOTES)
    assert max(looked_through) <= LINE_LIMIT
    assert len(quotes) == QUOTES
    assert len(quotes[0]["text"]) <= LONGEST_QUOTE
