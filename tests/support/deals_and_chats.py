"""Records with sensible values, so that a test names only what it is about."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from synkro.analysis.ai.dialogs import Dialog, Line
from synkro.analysis.figures.calendar import WorkingHours
from synkro.analysis.figures.window import Window
from synkro.infra.records import Chat, Contact, Lead, Message

ALMATY = ZoneInfo("Asia/Almaty")
START = datetime(2026, 11, 20, 1, tzinfo=UTC)
WINDOW = Window(START, START + timedelta(days=1))
ALWAYS = WorkingHours(ALMATY, (((0, 24 * 60),),) * 7)


def lead(
    key: int, *contacts: int, manager: int | None = 1, status: int = 10, price: int | None = 100, at: int = 0
) -> Lead:
    """at: seconds after the window's start."""
    updated = int(START.timestamp()) + at
    return Lead(key, f"Deal {key}", price, 5, status, manager, updated, updated, contact_ids=contacts)


def contact(key: int, *phones: str) -> Contact:
    return Contact(key, f"Client {key}", phones)


def chat(key: int, phone: str | None = None, owner: int = 1, *, group: bool = False) -> Chat:
    return Chat(key, 1, owner, f"{key}@c.us", f"Chat {key}", phone, is_group=group)


def message(seconds: float, direction: str, position: int = 0, text: str = "hello", **more: object) -> Message:
    """seconds: after the window's start."""
    at = START + timedelta(seconds=seconds)
    key = f"{seconds}-{direction}-{position}"
    return Message(key, 1, 1, position, at, direction, "text", text, **more)  # type: ignore[arg-type]


def dialog(key: int, texts: Iterable[str]) -> Dialog:
    at = START.astimezone(ALMATY)
    lines = (Line(f"{key}-{place}", at, "client", text) for place, text in enumerate(texts))
    return Dialog(key, "Aliya", "Negotiation", tuple(lines))


def identity(text: str) -> str:
    return text
